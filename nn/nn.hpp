#pragma once
// Everything public of nn, for users. The library's own sources include what they use instead.

#include <nn/activation.hpp>
#include <nn/compare_deltas.hpp>
#include <nn/confusion.hpp>
#include <nn/data.hpp>
#include <nn/delta.hpp>
#include <nn/delta_activations.hpp>
#include <nn/delta_difference.hpp>
#include <nn/delta_format.hpp>
#include <nn/delta_losses.hpp>
#include <nn/delta_report.hpp>
#include <nn/dense.hpp>
#include <nn/idx.hpp>
#include <nn/init.hpp>
#include <nn/loss.hpp>
#include <nn/matrix.hpp>
#include <nn/metrics.hpp>
#include <nn/network.hpp>
#include <nn/neuron.hpp>
#include <nn/optimizer.hpp>
#include <nn/penalty.hpp>
#include <nn/plot.hpp>
#include <nn/progress.hpp>
#include <nn/step.hpp>
#include <nn/train.hpp>
