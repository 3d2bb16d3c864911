#pragma once
// Activations with their slopes as mathematics gives them, worked out by hand and written down once
// more: nothing here knows the tables of autodiff, so that these numbers can be held against those
// of the tape. The losses are in losses.hpp.
//
// Sources: Santi, A Primer on Backpropagation (2025), section 4.2, eq. (3), for tanh and the
// principle; C. Bishop and H. Bishop, Deep Learning (2024), section 6.4, for those of the output;
// the others where they stand below.

#include <nn/delta/matrix.hpp>

#include <optional>
#include <string_view>

namespace nn::textbook {

/// z = h(a). At a kink, the slope that the library takes there as well.
enum class activation {
  identity,     ///< a
  tanh,         ///< slope 1 - tanh^2(a)
  sigmoid,      ///< s(a) = 1 / (1 + exp(-a)), slope s(a) s(-a)
  relu,         ///< a or 0, slope 0 at 0
  softmax,      ///< exp(a_k) / sum exp(a_j)
  log_softmax,  ///< a_k - log sum exp(a_j)
  leaky_relu,   ///< a or 0.01 a, slope 0.01 at 0
  elu,          ///< a or exp(a) - 1. Clevert, Unterthiner, Hochreiter (ICLR 2016)
  selu,         ///< 1.0507 a or 1.7581 (exp(a) - 1). Klambauer et al. (NIPS 2017)
  gelu,         ///< a Phi(a), Phi the normal distribution. Hendrycks, Gimpel (2016)
  gelu_tanh,    ///< a s(2 u), u = sqrt(2 / pi) (a + 0.044715 a^3). Ibidem
  silu,         ///< a s(a). Elfwing, Uchibe, Doya (2018)
  mish,         ///< a tanh(softplus(a)). Misra (BMVC 2020)
  softplus,     ///< log(1 + exp(a)), slope s(a). Dugas et al. (NIPS 2000)
  softsign,     ///< a / (1 + |a|), slope 1 / (1 + |a|)^2
  hard_tanh,    ///< a, -1 or 1, slope 0 at -1 and 1
  log_sigmoid,  ///< log s(a), slope s(-a)
};
/// "leaky_relu"
std::string_view to_string(activation h);
/// The activation of this name, if there is one.
std::optional<activation> activation_of(std::string_view name);

/// Whether every z depends on every a of the layer: softmax and its logarithm.
bool couples_units(activation h);

/// h(a) and h'(a) of one unit. Throws domain_error for those that need the whole layer.
template <class T>
T value(activation h, T a);
template <class T>
T slope(activation h, T a);

/// z = h(a), [n, K] -> [n, K].
template <class T>
matrix<T> activate(activation h, const matrix<T>& a);

/// dE/da of a layer whose outputs z = h(a) have the derivatives dE/dz, all [n, K]: eq. (3),
/// dE/da_k = h'(a_k) dE/dz_k; for softmax, with its Jacobian dz_j/da_k = z_j ([j = k] - z_k),
/// dE/da_k = z_k (dE/dz_k - sum_j z_j dE/dz_j); for its logarithm, with dz_j/da_k = [j = k] -
/// exp(z_k), dE/da_k = dE/dz_k - exp(z_k) sum_j dE/dz_j.
template <class T>
matrix<T> through_activation(activation h, const matrix<T>& a, const matrix<T>& z,
                             const matrix<T>& de_dz);

}  // namespace nn::textbook
