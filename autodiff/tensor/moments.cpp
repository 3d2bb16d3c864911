// Variance, standard deviation and norms: reduce.hpp.

#include <autodiff/error.hpp>
#include <autodiff/tensor/folds.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace autodiff {
namespace {

template <class T>
T mean_of(std::size_t n, const T* x) {
  return T(plain<T>().sum(n, x) / T(static_cast<double>(n)));
}

/// n - correction, not below 0.
template <class T>
T freedom(std::size_t n, correction c) {
  return T(std::max(0.0, static_cast<double>(n) - c.degrees));
}

/// x - mean. The mean is rounded; taking the mean of the differences off as well makes them 0 where
/// all x are equal, and accurate where they nearly are.
template <class T>
void deviate(std::size_t n, const T* x, T* d) {
  if (n == 0) return;
  const T mean = mean_of(n, x);
  loops<T>().subtract.forward(n, x, 1, &mean, 0, d);
  const T rest = mean_of(n, static_cast<const T*>(d));
  loops<T>().subtract.forward(n, d, 1, &rest, 0, d);
}

template <class T>
array<T> deviations(std::size_t n, const T* x) {
  array<T> d(shape{n});
  deviate(n, x, d.writable());
  return d;
}

template <class T>
T largest_size(std::size_t n, const T* x, T* sizes) {
  loops<T>().abs.forward(n, x, sizes);
  return plain<T>().max(n, sizes);
}

template <class T>
T euclidean(std::size_t n, const T* x) {
  using limits = std::numeric_limits<T>;
  const T squares = plain<T>().dot(n, x, x);
  // Neither did a square overflow, nor did one that counts underflow.
  if (squares >= limits::min() / limits::epsilon() && squares <= limits::max())
    return std::sqrt(squares);
  if (n == 0) return T(0);
  array<T> scratch(shape{n});
  T* const sizes = scratch.writable();
  const T largest = largest_size(n, x, sizes);
  if (largest == T(0) || !(largest < limits::infinity())) return largest;
  loops<T>().divide.forward(n, sizes, 1, &largest, 0, sizes);
  return largest * std::sqrt(plain<T>().dot(n, sizes, sizes));
}

struct variance_fold {
  static constexpr operation_rule rule{"variance", "y = Σ (x − mean)² / f, f = n − correction",
                                       "x̄ = 2 ȳ (x − mean) / f"};

  correction c;

  template <class T>
  T value(std::size_t n, const T* x) const {
    const array<T> d = deviations(n, x);
    return plain<T>().dot(n, d.data(), d.data()) / freedom<T>(n, c);
  }
  template <class T>
  void pull(std::size_t n, const T* x, const T&, const T& dy, T* dx) const {
    const T factor(dy * T(2) / freedom<T>(n, c));
    deviate(n, x, dx);
    for (std::size_t i = 0; i < n; ++i) dx[i] = T(factor * dx[i]);
  }
};

struct deviation_fold {
  static constexpr operation_rule rule{"stddev", "y = √(Σ (x − mean)² / f), f = n − correction",
                                       "x̄ = ȳ (x − mean) / (f y)"};

  correction c;

  template <class T>
  T value(std::size_t n, const T* x) const {
    return euclidean(n, deviations(n, x).data()) / std::sqrt(freedom<T>(n, c));
  }
  template <class T>
  void pull(std::size_t n, const T* x, const T& y, const T& dy, T* dx) const {
    const T factor(dy / freedom<T>(n, c));
    deviate(n, x, dx);
    for (std::size_t i = 0; i < n; ++i) dx[i] = y == T(0) ? T(0) : T(factor * (dx[i] / y));
  }
  static std::string_view kinks() { return "0 where all are equal"; }
  template <class T>
  bool is_kink(std::size_t n, const T*, const T& y) const {
    return n > 1 && y == T(0);  // of one element it is 0 everywhere
  }
};

struct norm_fold {
  static constexpr operation_rule rule{"norm", "y = (Σ |x|ᵖ)¹ᐟᵖ", "x̄ = ȳ sign(x) ⊙ (|x| / y)ᵖ⁻¹"};

  double p;

  template <class T>
  T value(std::size_t n, const T* x) const {
    if (p == 2) return euclidean(n, x);
    if (n == 0) return T(0);
    array<T> scratch(shape{n});
    T* const sizes = scratch.writable();
    const T largest = largest_size(n, x, sizes);
    if (p == 1) return plain<T>().sum(n, sizes);
    if (std::isinf(p) || largest == T(0) || !(largest < std::numeric_limits<T>::infinity()))
      return largest;
    const T power = static_cast<T>(p);
    loops<T>().divide.forward(n, sizes, 1, &largest, 0, sizes);
    loops<T>().pow.forward(n, sizes, 1, &power, 0, sizes);
    return largest * std::pow(plain<T>().sum(n, sizes), T(1) / power);
  }

  /// The slope by x of size(x / y)^(p - 1), signed.
  template <class T>
  T slope(const T& x, const T& y) const {
    const T ratio = x / y;
    return p == 2 ? ratio : T(sign(ratio) * pow(abs(ratio), T(p - 1)));
  }

  template <class T>
  void pull(std::size_t n, const T* x, const T& y, const T& dy, T* dx) const {
    const auto count = [&](auto&& which) {
      return static_cast<double>(std::count_if(x, x + n, which));
    };
    if (p == 1) {
      for (std::size_t i = 0; i < n; ++i) dx[i] = T(dy * sign(x[i]));
    } else if (y == T(0)) {
      std::fill_n(dx, n, T(0));
    } else if (std::isinf(p)) {
      const auto is_largest = [&](const T& v) { return abs(v) == y; };
      const T share(dy / T(count(is_largest)));
      for (std::size_t i = 0; i < n; ++i) dx[i] = is_largest(x[i]) ? T(share * sign(x[i])) : T(0);
    } else if (isinf(y)) {
      const auto infinite = [](const T& v) { return isinf(v); };
      // One has the direction to itself; of several there is none.
      const T share = count(infinite) > 1 ? T(std::numeric_limits<double>::quiet_NaN()) : dy;
      for (std::size_t i = 0; i < n; ++i) dx[i] = infinite(x[i]) ? T(share * sign(x[i])) : T(0);
    } else {
      for (std::size_t i = 0; i < n; ++i) dx[i] = T(dy * slope(x[i], y));
    }
  }

  std::string_view kinks() const {
    if (p == 1) return "0 by an element that is 0";
    return std::isinf(p) ? "1/k each of k largest ones, 0 at the origin" : "0 at the origin";
  }
  template <class T>
  bool is_kink(std::size_t n, const T* x, const T& y) const {
    if (p == 1) return std::count(x, x + n, T(0)) > 0;
    const auto is_largest = [&](const T& v) { return abs(v) == y; };
    return (n > 0 && y == T(0)) || (std::isinf(p) && std::count_if(x, x + n, is_largest) > 1);
  }
};

}  // namespace

template <class T>
tensor<T> variance(const tensor<T>& x, const axes& over, correction c, bool keep_dims) {
  return reduce_lines(x, over, keep_dims, variance_fold{c});
}

template <class T>
tensor<T> stddev(const tensor<T>& x, const axes& over, correction c, bool keep_dims) {
  return reduce_lines(x, over, keep_dims, deviation_fold{c});
}

template <class T>
tensor<T> norm(const tensor<T>& x, double p, const axes& over, bool keep_dims) {
  if (!(p >= 1)) {
    throw domain_error("norm", fmt::format("p = {}", p),
                       "choose p from 1 to infinity; below 1 it is no norm");
  }
  return reduce_lines(x, over, keep_dims, norm_fold{p});
}

#define INSTANTIATE(T)                                                          \
  template tensor<T> variance(const tensor<T>&, const axes&, correction, bool); \
  template tensor<T> stddev(const tensor<T>&, const axes&, correction, bool);   \
  template tensor<T> norm(const tensor<T>&, double, const axes&, bool);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
