#pragma once
// Numbers in nested braces, as a tensor is written down: {{1.0, 2.0}, {3.0, 4.0}}. One type for
// every depth, so that the compiler has nothing to choose between: {{{1.0}}, {{2.0}}} has the depth
// of its braces.

#include <concepts>
#include <initializer_list>

namespace autodiff {

/// Whether braces turn an N into a T: not from double to float, nor from int to double.
template <class N, class T>
concept exactly_convertible = requires(const N& number) {
  T{number};
};

/// A number or a list of these. It refers to the braces and lives no longer than their statement.
template <class T>
class nested_list {
 public:
  template <exactly_convertible<T> N>
  constexpr nested_list(const N& number) : number_(number) {}
  /// A constant may be rounded, as in the braces of numbers: {0.1, 1} are floats, {x} is none where
  /// x is a variable of type double.
  template <std::convertible_to<T> N>
  requires(!exactly_convertible<N, T>) consteval nested_list(N constant)
      : number_(static_cast<T>(constant)) {}
  constexpr nested_list(std::initializer_list<nested_list> list) : list_(list), is_list_(true) {}

  bool is_number() const noexcept { return !is_list_; }
  const T& number() const noexcept { return number_; }
  const std::initializer_list<nested_list>& list() const noexcept { return list_; }

 private:
  T number_{};
  std::initializer_list<nested_list> list_{};
  bool is_list_ = false;
};

}  // namespace autodiff
