#pragma once
// Tensors as the tests write and read them: using namespace tensors.

#include <autodiff/dual.hpp>
#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <tests/reference.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tensors {

using autodiff::dual;
using autodiff::shape;
using autodiff::shape_error;
using autodiff::tape;
using autodiff::tensor;
using reference::message;
using reference::says;

using doubles = std::vector<double>;

/// The values, row by row.
template <class T>
std::vector<T> numbers(const tensor<T>& x) {
  return {x.values().begin(), x.values().end()};
}

/// Equal bit by bit, any NaN being any other.
inline bool same(const tensor<double>& a, const tensor<double>& b) {
  return a.shape() == b.shape() && reference::all_close(a.values(), b.values(), 0);
}

/// Numbers between -1 and 1.
template <class T = double>
tensor<T> drawn(const shape& s, std::uint64_t seed) {
  return tensor<T>(s, std::span<const T>(reference::random(seed).uniform<T>(s.size(), -1, 1)));
}

/// Whether call(y) keeps the values of y, a variable of t that has those of x.
template <class Call>
bool keeps_operand(tape& t, const tensor<double>& x, Call&& call) {
  tensor<double> y = t.variable(tensor<double>(x.shape(), x.values()));
  const tensor<double> z = call(std::as_const(y));
  tensor<double> values = std::exchange(y, {}).detached();
  // Values that something else shares are copied before they are written.
  const double* before = values.values().data();
  return values.mutable_values().data() != before;
}

/// Numbers between `from` and `to`, the next ones of a sequence.
template <class T = double>
autodiff::tensor<T> drawn(reference::random& random, const autodiff::shape& s, double from = -1,
                          double to = 1) {
  return autodiff::tensor<T>(s, std::span<const T>(random.uniform<T>(s.size(), from, to)));
}

/// The element of an operand that meets element `flat` of the broadcast result.
inline std::size_t meeting(const shape& operand, const shape& whole, std::size_t flat) {
  std::size_t offset = 0, stride = 1;
  for (std::size_t i = 1; i <= whole.rank(); ++i) {
    const std::size_t at = flat % whole[whole.rank() - i];
    flat /= whole[whole.rank() - i];
    if (i > operand.rank()) continue;
    const std::size_t extent = operand[operand.rank() - i];
    offset += (extent == 1 ? 0 : at) * stride;
    stride *= extent;
  }
  return offset;
}

}  // namespace tensors
