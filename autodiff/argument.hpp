#pragma once
// What functions are differentiated by. An argument is a number, a tensor, or something that holds
// arguments: the containers and tuples of the standard library, and every class template over its
// number type for which map_numbers() is declared in its namespace:
//
//   template <class T> struct camera { std::array<T, 3> rotation; T focal; };
//
//   template <class T, class F>
//   auto map_numbers(const camera<T>& c, F&& f) {
//     using U = decltype(f(c.focal));
//     return camera<U>{f(c.rotation), f(c.focal)};
//   }
//
// f takes numbers and everything that is an argument itself, so structs nest. In braces the members
// are visited in order. Variables, duals, gradients, sizes and differences of an argument all
// follow from this one function.

#include <autodiff/dual.hpp>
#include <autodiff/error.hpp>
#include <autodiff/expression.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <autodiff/var.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace autodiff {

/// A scalar of any kind: plain, var, expression or dual.
template <class A>
concept number = std::is_arithmetic_v<A> || recordable<A> || is_dual<A>;

template <class A>
inline constexpr bool is_tensor = false;
template <class T>
inline constexpr bool is_tensor<tensor<T>> = true;
template <class A>
inline constexpr bool is_array = false;
template <class A, std::size_t N>
inline constexpr bool is_array<std::array<A, N>> = true;

// The same argument with f(x) in the place of each x that it holds.

template <class A, std::size_t N, class F>
auto map_numbers(const std::array<A, N>& x, F&& f) {
  std::array<decltype(f(std::declval<const A&>())), N> mapped{};
  for (std::size_t i = 0; i < N; ++i) mapped[i] = f(x[i]);
  return mapped;
}
template <class A, std::size_t Extent, class F>
auto map_numbers(std::span<A, Extent> x, F&& f) {
  std::vector<decltype(f(std::declval<const A&>()))> mapped;
  mapped.reserve(x.size());
  for (const A& one : x) mapped.push_back(f(one));
  return mapped;
}
template <class A, class Allocator, class F>
auto map_numbers(const std::vector<A, Allocator>& x, F&& f) {
  std::vector<decltype(f(std::declval<const A&>()))> mapped;
  mapped.reserve(x.size());
  for (const A& one : x) mapped.push_back(f(one));
  return mapped;
}
template <class... A, class F>
auto map_numbers(const std::tuple<A...>& x, F&& f) {
  return std::apply([&](const auto&... one) { return std::tuple<decltype(f(one))...>{f(one)...}; },
                    x);
}
template <class A, class B, class F>
auto map_numbers(const std::pair<A, B>& x, F&& f) {
  return std::pair<decltype(f(x.first)), decltype(f(x.second))>{f(x.first), f(x.second)};
}

/// Hands every number and tensor of an argument to `visit`, in order, and rebuilds the argument
/// from what it returns. Vectors and spans are announced to visit.open(size) where it has that.
template <class Visit>
class number_mapper {
 public:
  explicit number_mapper(Visit& visit) : visit_(visit) {}
  template <class A>
  auto operator()(const A& x) const {
    if constexpr (number<A> || is_tensor<A>) {
      return visit_(x);
    } else if constexpr (requires { map_numbers(x, *this); }) {
      if constexpr (requires { visit_.open(x.size()); } && !is_array<A>) visit_.open(x.size());
      return map_numbers(x, *this);
    } else {
      static_assert(number<A>,
                    "this type is no argument: pass numbers, tensors, std::array, std::vector, "
                    "std::span, std::tuple or std::pair of them, or declare map_numbers(x, f) in "
                    "the namespace of your class template (autodiff/argument.hpp)");
    }
  }

 private:
  Visit& visit_;
};

template <class A, class Visit>
auto map_leaves(const A& x, Visit&& visit) {
  return number_mapper<std::remove_reference_t<Visit>>(visit)(x);
}

/// The number type that an argument holds: that of a class template is the one of its type
/// parameters, or of its value_type. Plain numbers count as double.
struct no_number {};
struct numbers_that_do_not_mix {};
template <class A>
struct number_type {
  using type = no_number;
};
template <class A>
using number_in = typename number_type<std::remove_cvref_t<A>>::type;

/// Where two kinds meet, the one to which the other converts: the deeper of nested types.
template <class A, class B>
struct deeper_number {
  using type = std::conditional_t<
      std::same_as<A, B> || std::same_as<B, no_number>, A,
      std::conditional_t<
          std::same_as<A, no_number> || std::convertible_to<A, B>, B,
          std::conditional_t<std::convertible_to<B, A>, A, numbers_that_do_not_mix>>>;
};
template <class... A>
struct deepest_number {
  using type = no_number;
};
template <class A, class... Rest>
struct deepest_number<A, Rest...>
    : deeper_number<number_in<A>, typename deepest_number<Rest...>::type> {};

template <class A>
requires std::is_arithmetic_v<A>
struct number_type<A> {
  using type = double;
};
template <recordable A>
struct number_type<A> {
  using type = basic_var<number_of<A>>;
};
template <class T, std::size_t N>
struct number_type<dual<T, N>> {
  using type = dual<T, N>;
};
// Tensors of every kind are recorded on a plain tape.
template <class T>
struct number_type<tensor<T>> {
  using type = double;
};
template <class A>
requires(!number<A> && !is_tensor<A> && requires { typename A::value_type; }) struct number_type<A>
    : number_type<std::remove_cvref_t<typename A::value_type>> {
};
template <template <class...> class Holder, class... A>
requires(!number<Holder<A...>> && !is_tensor<Holder<A...>> && !requires {
  typename Holder<A...>::value_type;
}) struct number_type<Holder<A...>> : deepest_number<A...> {
};
template <template <class, auto...> class Holder, class A, auto First, auto... Rest>
requires(!is_dual<Holder<A, First, Rest...>> && !requires {
  typename Holder<A, First, Rest...>::value_type;
}) struct number_type<Holder<A, First, Rest...>> : number_type<A> {
};

template <class A>
inline constexpr bool holds_tensor = is_tensor<A>;
template <template <class...> class Holder, class... A>
inline constexpr bool holds_tensor<Holder<A...>> = is_tensor<Holder<A...>> ||
                                                   (holds_tensor<std::remove_cvref_t<A>> || ...);
template <class A, std::size_t N>
inline constexpr bool holds_tensor<std::array<A, N>> = holds_tensor<A>;

/// The number type of a list of arguments, on which a function of them is recorded or evaluated.
template <class... Args>
struct numbers_of_arguments {
  static_assert(sizeof...(Args) > 0, "a derivative needs an argument: pass it after the function");
  using deepest = typename deepest_number<Args...>::type;
  static_assert(!std::same_as<deepest, numbers_that_do_not_mix>,
                "the arguments hold numbers of which neither converts to the other, as dual and "
                "var do not: convert them to one type first");
  using type = std::conditional_t<std::same_as<deepest, no_number>, double, deepest>;
  static_assert(std::same_as<type, double> || !(holds_tensor<Args> || ...),
                "tensors do not stand beside vars or duals in one argument list: pass the numbers "
                "as tensors, too");
};
template <class... Args>
using common_number = typename numbers_of_arguments<std::remove_cvref_t<Args>...>::type;

/// The arguments as a tuple. One std::tuple stands for a list of arguments.
template <class... Args>
const std::tuple<Args...>& argument_list(const std::tuple<Args...>& args) {
  return args;
}
template <class... Args>
std::tuple<const Args&...> argument_list(const Args&... args) {
  return {args...};
}

template <class A>
inline constexpr bool is_tuple = false;
template <class... A>
inline constexpr bool is_tuple<std::tuple<A...>> = true;

/// What came for each argument, in the form that users see: that of numbers is a std::array, that
/// of one argument has its kind, that of several is a std::tuple.
template <class... Args, class... Results>
auto shaped_as(const std::tuple<Results...>& results) {
  if constexpr ((number<Args> && ...))
    return std::apply([](const auto&... one) { return std::array{one...}; }, results);
  else if constexpr (sizeof...(Args) == 1 && !(is_tuple<Args> && ...))
    return std::get<0>(results);
  else
    return results;
}

/// How many numbers an argument holds, and the sizes of its vectors, spans and tensors in order.
struct argument_layout {
  std::size_t numbers = 0;
  std::vector<shape> sizes;
};
/// Throws shape_error unless both hold as many numbers, in containers of the same sizes where they
/// have as many containers: the numbers of a struct may also come in one vector. `what` and `whose`
/// name them in the message.
void require_alike(std::string_view operation, std::string_view what, const argument_layout& x,
                   std::string_view whose, const argument_layout& dx);

/// The numbers of an argument one after the other, tensors row by row.
template <class T>
struct flat_argument {
  std::vector<T> numbers;
  std::vector<shape> sizes;

  void open(std::size_t size) { sizes.push_back(shape{size}); }
  template <class A>
  int operator()(const A& x) {
    if constexpr (is_tensor<A>) {
      sizes.push_back(x.shape());
      numbers.insert(numbers.end(), x.values().begin(), x.values().end());
    } else {
      numbers.push_back(T(x));
    }
    return 0;
  }
  argument_layout layout() const { return {numbers.size(), sizes}; }
};
template <class T, class A>
flat_argument<T> flattened(const A& x) {
  flat_argument<T> flat;
  map_leaves(x, flat);
  return flat;
}

}  // namespace autodiff
