#pragma once
// The gradients of the tape beside the formulas of the textbook (nn/delta/delta.hpp), or beside
// formulas of your own: every preactivation, output, delta and gradient of a network by both ways.
// A delta is the adjoint of a preactivation.

#include <autodiff/tensor/tensor.hpp>

#include <nn/delta/delta.hpp>
#include <nn/delta/matrix.hpp>
#include <nn/delta/report.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/network.hpp>

#include <concepts>
#include <functional>
#include <span>
#include <type_traits>
#include <vector>

namespace nn {

/// How far apart formula and tape may be, relative to the largest entry of a matrix.
template <class T>
inline constexpr double delta_tolerance = std::same_as<T, float> ? 5e-6 : 1e-14;

/// The layers of a network as the textbook writes them, weights transposed to [out, in]. An
/// activation that it does not know stands as identity.
template <class T>
std::vector<textbook::layer<T>> textbook_layers(const network<T>& net);

/// A backpropagation to compare: from the layers, the inputs [n, M] and the targets [n, K].
template <class T>
using delta_formulas = std::function<textbook::backpropagation<T>(
    std::span<const textbook::layer<T>> layers, const matrix<T>& x, const matrix<T>& t)>;

/// One forward and backward pass of the network on inputs x [n, in] and targets t [n, out], or [in]
/// and [out] for one sample, by textbook::backpropagate() and by the tape. The network stays as it
/// is. Throws shape_error when x and t do not fit the network, domain_error for a layer, an
/// activation or a loss that the textbook does not know and for a tolerance below 0.
template <class T>
delta_report compare_deltas(const network<T>& net, const autodiff::tensor<T>& x,
                            const autodiff::tensor<T>& t, const loss& e,
                            double tolerance = delta_tolerance<T>);

/// The same with formulas of your own in place of the textbook's, and any activation and loss.
/// Throws shape_error as well where they leave out a matrix or give it another shape.
template <class T>
delta_report compare_deltas(const network<T>& net, const autodiff::tensor<T>& x,
                            const autodiff::tensor<T>& t, const loss& e,
                            const std::type_identity_t<delta_formulas<T>>& formulas,
                            double tolerance = delta_tolerance<T>);

}  // namespace nn
