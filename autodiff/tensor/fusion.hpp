#pragma once
// Fusion: a chain of elementwise operations as one recorded operation and one pass over memory.
//
//   auto y = autodiff::fuse([](auto x, auto y, auto b) { return tanh(x * y + b) / (1.0 + x); },
//                           x, y, b);
//
// The function is called with symbols in place of the tensors. Rows of ops.def and operators on
// symbols compute nothing: they write a program (program.hpp), which then runs over the tensors
// (block_run.hpp). Small tensors take the function as it is: it works on them, too.

#include <autodiff/tensor/block_run.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/operand.hpp>
#include <autodiff/tensor/program.hpp>
#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/tensor/ternary.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
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

  /// The program that it is a value of.
  program<T>& home() const noexcept { return *program_; }
  std::uint32_t index() const noexcept { return index_; }

 private:
  program<T>* program_;
  std::uint32_t index_;
};

namespace fusion_errors {
[[noreturn]] void foreign_symbol();
}  // namespace fusion_errors

/// The number type of the first symbol among these; void where there is none.
template <class... U>
struct symbol_number {
  using type = void;
};
template <class T, class... Rest>
struct symbol_number<symbol<T>, Rest...> {
  using type = T;
};
template <class U, class... Rest>
struct symbol_number<U, Rest...> : symbol_number<Rest...> {};

template <class... U>
using symbol_number_of = typename symbol_number<U...>::type;

/// Operands of which at least one is a symbol and the others are such symbols or numbers.
template <class... U>
concept symbol_operands =
    !std::is_void_v<symbol_number_of<U...>> && ((std::same_as<U, symbol<symbol_number_of<U...>>> ||
                                                 number_beside<U, symbol_number_of<U...>>)&&...);

/// The program of the first symbol among these.
template <class X, class... Rest>
auto& home_of(const X& x, const Rest&... rest) {
  if constexpr (std::is_void_v<symbol_number_of<X>>)
    return home_of(rest...);
  else
    return x.home();
}

/// The index of an operand in the program; a number becomes a constant there.
template <class T, class X>
std::uint32_t index_in(program<T>& home, const X& x) {
  if constexpr (std::is_void_v<symbol_number_of<X>>) {
    return home.constant(T(x));
  } else {
    if (&x.home() != &home) fusion_errors::foreign_symbol();
    return x.index();
  }
}

/// Appends a row of ops.def to the program of its operands.
template <class Loops, class... X>
auto append(const Loops& f, const X&... x) {
  auto& home = home_of(x...);
  return symbol<symbol_number_of<X...>>(home, home.apply(f, index_in(home, x)...));
}

// Overloads for symbols alone beat std::max(const X&, const X&) after `using std::max`.
#define UNARY(NAME, ...)               \
  template <class T>                   \
  symbol<T> NAME(const symbol<T>& x) { \
    return append(loops<T>().NAME, x); \
  }
#define BINARY(NAME, ...)                                                                          \
  template <class A, class B>                                                                      \
  requires symbol_operands<A, B>                                                                   \
  auto NAME(const A& a, const B& b) { return append(loops<symbol_number_of<A, B>>().NAME, a, b); } \
  template <class T>                                                                               \
  symbol<T> NAME(const symbol<T>& a, const symbol<T>& b) {                                         \
    return append(loops<T>().NAME, a, b);                                                          \
  }
#define TERNARY(NAME, ...)                                                     \
  template <class A, class B, class C>                                         \
  requires symbol_operands<A, B, C>                                            \
  auto NAME(const A& a, const B& b, const C& c) {                              \
    return append(loops<symbol_number_of<A, B, C>>().NAME##_ternary, a, b, c); \
  }                                                                            \
  template <class T>                                                           \
  symbol<T> NAME(const symbol<T>& a, const symbol<T>& b, const symbol<T>& c) { \
    return append(loops<T>().NAME##_ternary, a, b, c);                         \
  }
#include <autodiff/ops.def>

#define AUTODIFF_SYMBOL_OPERATOR(SYMBOL, NAME)                        \
  template <class A, class B>                                         \
  requires symbol_operands<A, B>                                      \
  auto operator SYMBOL(const A& a, const B& b) { return NAME(a, b); } \
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

/// fuse() without a choice: a single operation at any size.
template <class Function, class T, std::same_as<tensor<T>>... More>
tensor<T> fuse_always(Function&& f, const tensor<T>& first, const More&... more) {
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
  array<T> y = evaluate<T>(p, inputs);
  if (!(first.is_recorded() || ... || more.is_recorded())) return tensor<T>(std::move(y));
  drop_unread<T>(p, inputs, active);
  auto pullback = [p = std::move(p), active, kept = std::move(inputs)](
                      const array<T>& dy, const std::same_as<input_adjoint<T>> auto&... adjoints) {
    pull<T>(p, dy, kept, std::array{adjoints...}, active);
  };
  static constexpr operation_rule rule{"fuse", "y = f(a, b, ...)",
                                       "ā = ȳ ⊙ ∂f/∂a, b̄ = ȳ ⊙ ∂f/∂b, ..."};
  return record(rule, std::move(y), std::move(pullback), first, more...);
}

/// Bytes of a result below which everything stays in a first-level cache, and a program takes
/// longer to write than it saves.
inline constexpr std::size_t worth_a_program = 16 << 10;

/// y = f(x...) element by element, with the tensors broadcast to one shape: recorded as a single
/// operation where that saves time, from some thousand elements on, below operation by operation,
/// and so on an explained tape at any size.
/// f composes its arguments of rows of ops.def, operators and numbers; it may have loops and
/// variables of its own, but no branches on values. It is called with a symbol for each tensor, or
/// with the tensors themselves, which a function of symbols alone need not take. What the single
/// operation keeps for the pullback is the inputs alone, where slopes need them, and their values
/// are computed again there: chains of costly functions gain on tensors beyond the caches alone.
/// Throws shape_error with the shapes that do not fit.
template <class Function, class T, std::same_as<tensor<T>>... More>
tensor<T> fuse(Function&& f, const tensor<T>& first, const More&... more) {
  if constexpr (std::is_invocable_r_v<tensor<T>, Function&, const tensor<T>&, const More&...>) {
    shape whole = first.shape();
    ((whole = broadcast(whole, more.shape(), "fuse")), ...);
    if (whole.size() * sizeof(T) < worth_a_program || is_explained()) {
      tensor<T> y = f(first, more...);
      // An operation has a place of its own and the shape of all arguments, whatever f reads.
      const bool is_argument = ((y.tag() == first.tag()) || ... || (y.tag() == more.tag()));
      if (y.shape() == whole && !(y.is_recorded() && is_argument)) return y;
    }
  }
  return fuse_always(f, first, more...);
}

}  // namespace autodiff
