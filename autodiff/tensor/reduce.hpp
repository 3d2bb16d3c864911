#pragma once
// Reductions: sums, products, moments and norms over all or some axes. The reduced axes go, or stay
// with extent 1 when keep_dims is set; no axes means all of them. Throws shape_error for an axis
// that the tensor does not have or that is named twice. Sums are blocked: their error grows with
// the logarithm of the number of terms.
//
// A result that is NaN has the derivative NaN by every element of its line, and an adjoint of zero
// skips the line.

#include <autodiff/tensor/axes.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <initializer_list>

namespace autodiff {

/// Sum; of nothing 0.
template <class T>
tensor<T> sum(const tensor<T>& x, const axes& over = {}, bool keep_dims = false);

/// Mean; of nothing NaN.
template <class T>
tensor<T> mean(const tensor<T>& x, const axes& over = {}, bool keep_dims = false);

/// Product; of nothing 1. The derivative by an element is the product of the others, also where
/// there are zeros: nothing is divided.
template <class T>
tensor<T> prod(const tensor<T>& x, const axes& over = {}, bool keep_dims = false);

/// What is taken off the number n of elements where a sum of squares becomes a variance: 1 for an
/// unbiased estimate from a sample, 0 for the variance of the values themselves.
struct correction {
  double degrees = 1;
};

/// Variance, called in full because var is a scalar: sum((x - mean)^2) / (n - correction), in two
/// passes; NaN where n is the correction.
/// Source: Chan, Golub, LeVeque, Algorithms for computing the sample variance (1983), eq. (1.7).
template <class T>
tensor<T> variance(const tensor<T>& x, const axes& over = {}, correction c = {},
                   bool keep_dims = false);

/// Standard deviation, the root of the variance, without its overflow. Its slope where all elements
/// are equal is 0, the one of minimum norm.
template <class T>
tensor<T> stddev(const tensor<T>& x, const axes& over = {}, correction c = {},
                 bool keep_dims = false);

/// (sum |x|^p)^(1/p), for p = inf the largest |x|, without overflow or underflow on the way. Slope
/// 0 at the origin; for p = inf equal ones share theirs, for p = 1 that by a 0 is 0. Of infinite
/// elements one alone has all the slope, several have none (NaN). Throws domain_error for p < 1.
template <class T>
tensor<T> norm(const tensor<T>& x, double p = 2, const axes& over = {}, bool keep_dims = false);

/// log(sum(exp(x))), shifted by the largest x. Entries of -inf have weight 0; of nothing but -inf
/// it is -inf with slope 0; several +inf share the slope. One axis is written in braces:
/// log_sum_exp(x, {0}); log_sum_exp(x, 0) is elementwise, log(exp(x) + exp(0)).
template <class T>
tensor<T> log_sum_exp(const tensor<T>& x);
template <class T>
tensor<T> log_sum_exp(const tensor<T>& x, const axes& over, bool keep_dims = false);
// Otherwise {0} could as well be a tensor.
template <class T>
tensor<T> log_sum_exp(const tensor<T>& x, std::initializer_list<std::ptrdiff_t> over,
                      bool keep_dims = false) {
  return log_sum_exp(x, axes(over), keep_dims);
}

}  // namespace autodiff
