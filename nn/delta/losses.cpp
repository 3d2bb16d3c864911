#include <nn/delta/losses.hpp>

#include <nn/delta/activations.hpp>
#include <nn/delta/terms.hpp>

#include <array>
#include <cmath>
#include <limits>

namespace nn::textbook {
namespace {

constexpr std::array<std::string_view, 6> loss_names{"half_squared_error",
                                                     "mean_squared_error",
                                                     "binary_cross_entropy",
                                                     "softmax_cross_entropy",
                                                     "binary_cross_entropy_of_probabilities",
                                                     "cross_entropy_of_probabilities"};

/// weight * log p and its slope by p. As in the library, a weight of 0 adds nothing, but a negative
/// p has no slope.
template <class T>
T weighted_log(T weight, T p, T log_p) {
  return p < 0 && weight == 0 ? T(0) : weighted(weight, log_p);
}
template <class T>
T weighted_log_slope(T weight, T p) {
  return p < 0 ? std::numeric_limits<T>::quiet_NaN() : weighted(weight, 1 / p);
}

}  // namespace

std::string_view to_string(loss e) { return loss_names[static_cast<std::size_t>(e)]; }
std::optional<loss> loss_of(std::string_view name) { return named<loss>(loss_names, name); }

template <class T>
T loss_scale(loss e, std::size_t n, std::size_t k) {
  switch (e) {
    case loss::half_squared_error: return T(0.5);
    case loss::softmax_cross_entropy:
    case loss::cross_entropy_of_probabilities: return 1 / static_cast<T>(n);
    default: return 1 / static_cast<T>(n * k);
  }
}

template <class T>
T error(loss e, const matrix<T>& y, const matrix<T>& t) {
  require_alike("error", "outputs", y, "targets", t);
  const bool of_logits = e == loss::softmax_cross_entropy;
  const matrix<T> log_p = of_logits ? activate(activation::log_softmax, y) : matrix<T>();
  T sum = 0;
  for (std::size_t n = 0; n < y.rows; ++n) {
    for (std::size_t k = 0; k < y.columns; ++k) {
      const T y_k = y(n, k), t_k = t(n, k);
      switch (e) {
        case loss::half_squared_error:
        case loss::mean_squared_error: sum += (y_k - t_k) * (y_k - t_k); break;
        case loss::binary_cross_entropy:
          sum += weighted(t_k, value(activation::softplus, -y_k)) +
                 weighted(1 - t_k, value(activation::softplus, y_k));
          break;
        case loss::softmax_cross_entropy: sum -= weighted(t_k, log_p(n, k)); break;
        case loss::binary_cross_entropy_of_probabilities:
          sum -= weighted_log(t_k, y_k, std::log(y_k)) +
                 weighted_log(1 - t_k, 1 - y_k, std::log1p(-y_k));
          break;
        case loss::cross_entropy_of_probabilities:
          sum -= weighted_log(t_k, y_k, std::log(y_k));
          break;
      }
    }
  }
  return sum * loss_scale<T>(e, y.rows, y.columns);
}

template <class T>
matrix<T> error_slope(loss e, const matrix<T>& y, const matrix<T>& t) {
  require_alike("error_slope", "outputs", y, "targets", t);
  const T scale = loss_scale<T>(e, y.rows, y.columns);
  matrix<T> slopes(y.rows, y.columns);
  const bool of_logits = e == loss::softmax_cross_entropy;
  const matrix<T> p = of_logits ? activate(activation::softmax, y) : matrix<T>();
  for (std::size_t n = 0; n < y.rows; ++n) {
    T total = 0;
    for (std::size_t k = 0; k < y.columns; ++k) total += t(n, k);
    for (std::size_t k = 0; k < y.columns; ++k) {
      const T y_k = y(n, k), t_k = t(n, k);
      T slope = 0;
      switch (e) {
        case loss::half_squared_error:
        case loss::mean_squared_error: slope = 2 * (y_k - t_k); break;
        case loss::binary_cross_entropy:
          slope =
              (1 - t_k) * value(activation::sigmoid, y_k) - t_k * value(activation::sigmoid, -y_k);
          break;
        case loss::softmax_cross_entropy: slope = p(n, k) * total - t_k; break;
        case loss::binary_cross_entropy_of_probabilities:
          slope = weighted_log_slope(1 - t_k, 1 - y_k) - weighted_log_slope(t_k, y_k);
          break;
        case loss::cross_entropy_of_probabilities: slope = -weighted_log_slope(t_k, y_k); break;
      }
      slopes(n, k) = scale * slope;
    }
  }
  return slopes;
}

#define INSTANTIATE(T)                                        \
  template T loss_scale(loss, std::size_t, std::size_t);      \
  template T error(loss, const matrix<T>&, const matrix<T>&); \
  template matrix<T> error_slope(loss, const matrix<T>&, const matrix<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(long double)

}  // namespace nn::textbook
