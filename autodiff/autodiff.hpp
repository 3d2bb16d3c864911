#pragma once
// Everything public, for users. The library's own sources include what they use instead.

#include <autodiff/anomaly.hpp>
#include <autodiff/argument.hpp>
#include <autodiff/check.hpp>
#include <autodiff/dual.hpp>
#include <autodiff/error.hpp>
#include <autodiff/expression.hpp>
#include <autodiff/format.hpp>
#include <autodiff/gradient.hpp>
#include <autodiff/hessian.hpp>
#include <autodiff/jacobian.hpp>
#include <autodiff/lanes.hpp>
#include <autodiff/ops.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/fusion.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>
