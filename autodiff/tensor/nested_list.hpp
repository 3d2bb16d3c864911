#pragma once
// Numbers in nested braces, as a tensor is written down: {{1.0, 2.0}, {3.0, 4.0}}. One type for
// every depth, so that the compiler has nothing to choose between: {{{1.0}}, {{2.0}}} has the depth
// of its braces.

#include <concepts>
#include <initializer_list>

namespace autodiff {

// clang before 17 leaves out the store of what a consteval constructor makes in a list.
#if defined(__clang__) && __clang_major__ < 17
#define AUTODIFF_OF_CONSTANTS constexpr
#else
#define AUTODIFF_OF_CONSTANTS consteval
#endif

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
  /// A constant may be rounded, as in any braces: {0.1, 1} are floats. A variable may not: write
  /// static_cast<float>(x) for an x of type double.
  template <std::convertible_to<T> N>
  requires(!exactly_convertible<N, T>) AUTODIFF_OF_CONSTANTS nested_list(N constant)
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
#undef AUTODIFF_OF_CONSTANTS

}  // namespace autodiff
