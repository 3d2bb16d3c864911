#pragma once
// Everything public, for users. The library's own sources include what they use instead.

#include <autodiff/anomaly.hpp>
#include <autodiff/argument.hpp>
#include <autodiff/bridge.hpp>
#include <autodiff/check.hpp>
#include <autodiff/dual.hpp>
#include <autodiff/elementwise.hpp>
#include <autodiff/error.hpp>
#include <autodiff/expression.hpp>
#include <autodiff/format.hpp>
#include <autodiff/fused.hpp>
#include <autodiff/gradient.hpp>
#include <autodiff/hessian.hpp>
#include <autodiff/indexing.hpp>
#include <autodiff/jacobian.hpp>
#include <autodiff/lanes.hpp>
#include <autodiff/linear.hpp>
#include <autodiff/ops.hpp>
#include <autodiff/reduce.hpp>
#include <autodiff/shape.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor.hpp>
#include <autodiff/var.hpp>
