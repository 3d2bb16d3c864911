#pragma once
// What an operation takes that serves tensors and numbers alike.

#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <concepts>
#include <type_traits>

namespace autodiff {

/// Values that a pullback keeps of an operand: a share of a tensor's storage, or a number.
template <class T>
struct kept_operand {
  storage<T> values;
  T number{};

  const T* data() const noexcept { return values.data() ? values.data() : &number; }
};

/// A tensor, or a number that is the same constant at every element and takes no memory. Refers to
/// the tensor, so it lives no longer than the call it is an argument of.
template <class T>
class tensor_or_number {
 public:
  tensor_or_number(const tensor<T>& x) : tensor_(&x) {}
  tensor_or_number(const T& number) : tensor_(&none_), number_(number), is_number_(true) {}
  tensor_or_number(const tensor_or_number&) = delete;
  tensor_or_number& operator=(const tensor_or_number&) = delete;

  /// Rank 0 for a number.
  const autodiff::shape& shape() const noexcept {
    static constexpr autodiff::shape scalar;
    return is_number_ ? scalar : tensor_->shape();
  }
  const T* data() const noexcept { return is_number_ ? &number_ : tensor_->values().data(); }
  bool is_recorded() const noexcept { return tensor_->is_recorded(); }
  /// What is handed to record(): passive for a number.
  const tensor<T>& recorded() const noexcept { return *tensor_; }
  kept_operand<T> kept() const noexcept {
    return is_number_ ? kept_operand<T>{{}, number_} : kept_operand<T>{tensor_->stored().share()};
  }

 private:
  tensor<T> none_;
  const tensor<T>* tensor_;
  T number_{};
  bool is_number_ = false;
};

/// A constant beside a tensor<T>.
template <class U, class T>
concept number_beside = std::convertible_to<U, T> && !recordable<U>;
/// What may stand beside a tensor<T>: a tensor of the same kind of number, a number, or a scalar
/// variable, which is repeated and gets its derivative.
template <class U, class T>
concept operand_beside = std::same_as<U, tensor<T>> || number_beside<U, T> ||
    (std::floating_point<T>&& recordable<U>);

/// u as what makes a tensor_or_number<T>.
template <class T, operand_beside<T> U>
decltype(auto) as_operand(const U& u) {
  if constexpr (std::same_as<U, tensor<T>>) {
    return (u);
  } else if constexpr (recordable<U>) {
    return to_tensor<T>(u);
  } else {
    return static_cast<T>(u);
  }
}

/// The number type of the first tensor among these; void where there is none.
template <class... U>
struct tensor_number {
  using type = void;
};
template <class T, class... Rest>
struct tensor_number<tensor<T>, Rest...> {
  using type = T;
};
template <class U, class... Rest>
struct tensor_number<U, Rest...> : tensor_number<Rest...> {};

template <class... U>
using tensor_number_of = typename tensor_number<U...>::type;

/// Operands of which at least one is a tensor and the others fit beside it.
template <class... U>
concept tensor_operands =
    !std::is_void_v<tensor_number_of<U...>> && (operand_beside<U, tensor_number_of<U...>> && ...);

}  // namespace autodiff
