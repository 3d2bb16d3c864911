#include <nn/delta/activations.hpp>

#include <nn/delta/terms.hpp>

#include <autodiff/error.hpp>  // exceptions alone

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace nn::textbook {
namespace {

constexpr std::array<std::string_view, 17> activation_names{
    "identity",   "tanh",     "sigmoid",  "relu",      "softmax",    "log_softmax",
    "leaky_relu", "elu",      "selu",     "gelu",      "gelu_tanh",  "silu",
    "mish",       "softplus", "softsign", "hard_tanh", "log_sigmoid"};

constexpr double leak = 0.01;
constexpr long double selu_scale = 1.0507009873554804934L, selu_shift = 1.7580993408473768599L;

template <class T>
T sigmoid(T a) {
  // The exponential of a positive number would overflow.
  const T e = std::exp(-std::abs(a));
  return (a >= 0 ? T(1) : e) / (1 + e);
}

template <class T>
T softplus(T a) {
  return std::max(a, T(0)) + std::log1p(std::exp(-std::abs(a)));
}

template <class T>
T normal_distribution(T a) {
  return std::erfc(-a / std::numbers::sqrt2_v<T>) / 2;
}

template <class T>
T normal_density(T a) {
  return std::exp(-a * a / 2) * std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>;
}

/// 2 u and its slope: 1 + tanh(u) = 2 s(2 u), which does not cancel where u is negative.
template <class T>
constexpr T two_root_two_over_pi = 2 * std::numbers::sqrt2_v<T>* std::numbers::inv_sqrtpi_v<T>;
template <class T>
T twice_u(T a) {
  return two_root_two_over_pi<T> * (a + T(0.044715) * a * a * a);
}
template <class T>
T twice_u_slope(T a) {
  return two_root_two_over_pi<T> * (1 + 3 * T(0.044715) * a * a);
}

/// 1 - tanh^2(a) = 1 / cosh^2(a), where tanh(a) is near 1 too.
template <class T>
T tanh_slope(T a) {
  const T c = std::cosh(a);
  return 1 / c / c;
}

[[noreturn]] void refuse_one_unit(activation h) {
  throw autodiff::domain_error(to_string(h), "asked for one unit",
                               "it needs the whole layer: activate() and through_activation()");
}

/// a - b, and 0 for infinities of one sign.
template <class T>
T above(T a, T b) {
  return a == b ? T(0) : a - b;
}

/// sum exp(a_j - largest) of one sample: taking the largest off keeps the exponentials finite.
/// Infinite ones share; where all are -infinity none has a share, as if the sum were infinite.
template <class T>
T sum_below(std::size_t k, const T* a, T largest) {
  T sum = 0;
  for (std::size_t i = 0; i < k; ++i) sum += std::exp(above(a[i], largest));
  const bool none = largest == -std::numeric_limits<T>::infinity() && !std::isnan(sum);
  return none ? std::numeric_limits<T>::infinity() : sum;
}

/// exp(a_k) / sum exp(a_j) of one sample.
template <class T>
void softmax(std::size_t k, const T* a, T* z) {
  const T largest = *std::max_element(a, a + k), sum = sum_below(k, a, largest);
  for (std::size_t i = 0; i < k; ++i) z[i] = std::exp(above(a[i], largest)) / sum;
}

/// a_k - log sum exp(a_j) of one sample. The difference of the logits comes first: beside a large
/// one, the logarithm of the sum would be lost.
template <class T>
void log_softmax(std::size_t k, const T* a, T* z) {
  const T largest = *std::max_element(a, a + k), sum = sum_below(k, a, largest);
  for (std::size_t i = 0; i < k; ++i) z[i] = above(a[i], largest) - std::log(sum);
}

}  // namespace

std::string_view to_string(activation h) { return activation_names[static_cast<std::size_t>(h)]; }
std::optional<activation> activation_of(std::string_view name) {
  return named<activation>(activation_names, name);
}
bool couples_units(activation h) {
  return h == activation::softmax || h == activation::log_softmax;
}

template <class T>
T value(activation h, T a) {
  switch (h) {
    case activation::tanh: return std::tanh(a);
    case activation::sigmoid: return sigmoid(a);
    case activation::softmax:
    case activation::log_softmax: refuse_one_unit(h);
    case activation::relu: return a <= 0 ? T(0) : a;
    case activation::leaky_relu: return a > 0 ? a : T(leak) * a;
    case activation::elu: return a > 0 ? a : std::expm1(a);
    case activation::selu: return a > 0 ? T(selu_scale) * a : T(selu_shift) * std::expm1(a);
    case activation::gelu: return weighted(normal_distribution(a), a);
    case activation::gelu_tanh: return weighted(sigmoid(twice_u(a)), a);
    case activation::silu: return weighted(sigmoid(a), a);
    case activation::mish: return weighted(std::tanh(softplus(a)), a);
    case activation::softplus: return softplus(a);
    case activation::softsign:
      return std::isinf(a) ? std::copysign(T(1), a) : a / (1 + std::abs(a));
    case activation::hard_tanh: return a > 1 ? T(1) : a < -1 ? T(-1) : a;
    case activation::log_sigmoid: return -softplus(-a);
    default: return a;
  }
}

template <class T>
T slope(activation h, T a) {
  if (std::isnan(a) && h != activation::identity && !couples_units(h)) return a;
  switch (h) {
    case activation::tanh: return tanh_slope(a);
    case activation::sigmoid: return sigmoid(a) * sigmoid(-a);
    case activation::softmax:
    case activation::log_softmax: refuse_one_unit(h);
    case activation::relu: return a > 0 ? T(1) : T(0);
    case activation::leaky_relu: return a > 0 ? T(1) : T(leak);
    case activation::elu: return a > 0 ? T(1) : std::exp(a);
    case activation::selu: return a >= 0 ? T(selu_scale) : T(selu_shift) * std::exp(a);
    case activation::gelu: return normal_distribution(a) + weighted(normal_density(a), a);
    case activation::gelu_tanh: {
      const T u = twice_u(a), s = sigmoid(u);
      return s + weighted(s * sigmoid(-u), a * twice_u_slope(a));
    }
    case activation::silu: return sigmoid(a) + weighted(sigmoid(a) * sigmoid(-a), a);
    case activation::mish: {
      const T s = softplus(a);
      return std::tanh(s) + weighted(tanh_slope(s) * sigmoid(a), a);
    }
    case activation::softplus: return sigmoid(a);
    case activation::softsign: {
      const T inverse = 1 / (1 + std::abs(a));  // whose square does not overflow
      return inverse * inverse;
    }
    case activation::hard_tanh: return std::abs(a) < 1 ? T(1) : T(0);
    case activation::log_sigmoid: return sigmoid(-a);
    default: return T(1);
  }
}

template <class T>
matrix<T> activate(activation h, const matrix<T>& a) {
  matrix<T> z(a.rows, a.columns);
  for (std::size_t n = 0; n < a.rows; ++n) {
    if (h == activation::softmax) {
      softmax(a.columns, &a(n, 0), &z(n, 0));
    } else if (h == activation::log_softmax) {
      log_softmax(a.columns, &a(n, 0), &z(n, 0));
    } else {
      for (std::size_t k = 0; k < a.columns; ++k) z(n, k) = value(h, a(n, k));
    }
  }
  return z;
}

template <class T>
matrix<T> through_activation(activation h, const matrix<T>& a, const matrix<T>& z,
                             const matrix<T>& de_dz) {
  require_alike("through_activation", "a", a, "z", z);
  require_alike("through_activation", "a", a, "dE/dz", de_dz);
  matrix<T> de_da(a.rows, a.columns);
  for (std::size_t n = 0; n < a.rows; ++n) {
    if (h == activation::softmax) {
      T mean = 0;
      for (std::size_t j = 0; j < a.columns; ++j) mean += z(n, j) * de_dz(n, j);
      for (std::size_t k = 0; k < a.columns; ++k) de_da(n, k) = z(n, k) * (de_dz(n, k) - mean);
    } else if (h == activation::log_softmax) {
      T sum = 0;
      for (std::size_t j = 0; j < a.columns; ++j) sum += de_dz(n, j);
      for (std::size_t k = 0; k < a.columns; ++k)
        de_da(n, k) = de_dz(n, k) - std::exp(z(n, k)) * sum;
    } else {
      for (std::size_t k = 0; k < a.columns; ++k) de_da(n, k) = slope(h, a(n, k)) * de_dz(n, k);
    }
  }
  return de_da;
}

#define INSTANTIATE(T)                                                                  \
  template T value(activation, T);                                                      \
  template T slope(activation, T);                                                      \
  template matrix<T> activate(activation, const matrix<T>&);                            \
  template matrix<T> through_activation(activation, const matrix<T>&, const matrix<T>&, \
                                        const matrix<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(long double)

}  // namespace nn::textbook
