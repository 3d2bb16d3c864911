#pragma once
// Tensors in the notes of an explained tape.

#include <autodiff/notes.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <memory>

namespace autodiff {

/// These values, shared; null where there are none.
template <class T>
std::shared_ptr<const noted_values> noted(const array<T>& values);

/// x as an operand.
template <class T>
noted_operand noted_input(const tape& t, const tensor<T>& x) {
  noted_operand operand{.values = noted(x.stored())};
  if (x.is_recorded()) operand.operation = static_cast<std::size_t>(x.tag() - t.tag_at(0));
  return operand;
}

}  // namespace autodiff
