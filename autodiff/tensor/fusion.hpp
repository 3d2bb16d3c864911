#pragma once
// Fusion: a chain of elementwise operations as one recorded operation and one pass over memory.
//
//   auto y = autodiff::fuse([](auto x, auto y, auto b) { return tanh(x * y + b) / (1.0 + x); },
//                           x, y, b);
//
// The function is called once, with symbols in place of the tensors. Rows of ops.def and operators
// on symbols compute nothing: they write a program (program.hpp), which then runs over the tensors.

#include <autodiff/tensor/bridge.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/program.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace autodiff {

/// A value of a program that is being written. Copies mean the same value. It serves inside of the
/// function given to fuse() only.
template <class T>
class symbol {
 public:
  using value_type = T;

  symbol(program<T>& p, std::uint32_t index) noexcept : program_(&p), index_(index) {}

  /// The program that it belongs to; that of the other one too. Throws argument_error when they are
  /// of different calls of fuse().
  program<T>& home() const noexcept { return *program_; }
  std::uint32_t index() const noexcept { return index_; }

 private:
  program<T>* program_;
  std::uint32_t index_;
};

namespace fusion_errors {
[[noreturn]] void foreign_symbol();
}  // namespace fusion_errors

template <class T>
symbol<T> apply(const unary_loops<T>& f, const symbol<T>& x) {
  return {x.home(), x.home().apply(f, x.index())};
}
template <class T>
symbol<T> apply(const binary_loops<T>& f, const symbol<T>& a, const symbol<T>& b) {
  if (&a.home() != &b.home()) fusion_errors::foreign_symbol();
  return {a.home(), a.home().apply(f, a.index(), b.index())};
}
template <class T>
symbol<T> symbol_beside(const symbol<T>& x, const T& number) {
  return {x.home(), x.home().constant(number)};
}

#define UNARY(NAME, ...)               \
  template <class T>                   \
  symbol<T> NAME(const symbol<T>& x) { \
    return apply(loops<T>().NAME, x);  \
  }
#define BINARY(NAME, ...)                                        \
  template <class T>                                             \
  symbol<T> NAME(const symbol<T>& a, const symbol<T>& b) {       \
    return apply(loops<T>().NAME, a, b);                         \
  }                                                              \
  template <class T, number_beside<T> U>                         \
  symbol<T> NAME(const symbol<T>& a, const U& b) {               \
    return apply(loops<T>().NAME, a, symbol_beside<T>(a, T(b))); \
  }                                                              \
  template <class T, number_beside<T> U>                         \
  symbol<T> NAME(const U& a, const symbol<T>& b) {               \
    return apply(loops<T>().NAME, symbol_beside<T>(b, T(a)), b); \
  }
#include <autodiff/ops.def>

#define AUTODIFF_SYMBOL_OPERATOR(SYMBOL, NAME)                        \
  template <class T>                                                  \
  symbol<T> operator SYMBOL(const symbol<T>& a, const symbol<T>& b) { \
    return NAME(a, b);                                                \
  }                                                                   \
  template <class T, number_beside<T> U>                              \
  symbol<T> operator SYMBOL(const symbol<T>& a, const U& b) {         \
    return NAME(a, b);                                                \
  }                                                                   \
  template <class T, number_beside<T> U>                              \
  symbol<T> operator SYMBOL(const U& a, const symbol<T>& b) {         \
    return NAME(a, b);                                                \
  }                                                                   \
  template <class T, class U>                                         \
  symbol<T>& operator SYMBOL##=(symbol<T>& a, const U& b) {           \
    return a = a SYMBOL b;                                            \
  }
AUTODIFF_SYMBOL_OPERATOR(+, add)
AUTODIFF_SYMBOL_OPERATOR(-, subtract)
AUTODIFF_SYMBOL_OPERATOR(*, multiply)
AUTODIFF_SYMBOL_OPERATOR(/, divide)
#undef AUTODIFF_SYMBOL_OPERATOR

template <class T>
symbol<T> operator-(const symbol<T>& x) {
  return negate(x);
}
template <class T>
symbol<T> operator+(const symbol<T>& x) {
  return x;
}

/// y = f(x...) element by element, with the tensors broadcast to one shape: recorded as a single
/// operation. f is called once with a symbol for each tensor and composes them of rows of ops.def,
/// operators and numbers; it may have loops and variables of its own, but no branches on values.
/// What it keeps for the pullback is the inputs alone, where slopes need them, and their values are
/// computed again there. Throws shape_error with the shapes that do not fit.
template <class Function, class T, std::same_as<tensor<T>>... More>
tensor<T> fuse(Function&& f, const tensor<T>& first, const More&... more) {
  constexpr std::size_t count = 1 + sizeof...(More);
  const std::array<const tensor<T>*, count> tensors{&first, &more...};
  std::array<array<T>, count> inputs{first.stored(), more.stored()...};
  std::array<bool, count> active{first.is_recorded(), more.is_recorded()...};
  program<T> p(count);
  // A recorded tensor that is given twice is one input: its adjoint has one place.
  const auto placeholder = [&](std::size_t k) {
    std::size_t same = 0;
    while (same < k && !(active[k] && tensors[same]->tag() == tensors[k]->tag())) ++same;
    return symbol<T>(p, static_cast<std::uint32_t>(same));
  };
  const auto result = [&]<std::size_t... k>(std::index_sequence<k...>) {
    return std::forward<Function>(f)(placeholder(k)...);
  }
  (std::make_index_sequence<count>{});
  static_assert(std::same_as<std::remove_const_t<decltype(result)>, symbol<T>>,
                "fuse: the function must return an expression of its arguments");
  if (&result.home() != &p) fusion_errors::foreign_symbol();
  p.finish(result.index());
  array<T> y = p.evaluate(inputs);
  if (!(first.is_recorded() || ... || more.is_recorded())) return tensor<T>(std::move(y));
  p.drop_unread(inputs, active);
  auto pullback = [p = std::move(p), active, kept = std::move(inputs)](
                      const array<T>& dy, const std::same_as<input_adjoint<T>> auto&... adjoints) {
    p.pull(dy, kept, active, std::array{adjoints...});
  };
  return record("fuse", std::move(y), std::move(pullback), first, more...);
}

}  // namespace autodiff
