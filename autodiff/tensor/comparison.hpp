#pragma once
// Comparisons of tensors give masks, and masks choose between tensors: where(x > 0.0, a, b).
// Comparing is on values and has no derivative; choosing hands the adjoint to the side that was
// chosen and never multiplies by a mask, so that a NaN or an infinity of the other side stays
// there.

#include <autodiff/tensor/mask.hpp>
#include <autodiff/tensor/operand.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>

namespace autodiff {

enum class relation { less, less_equal, greater, greater_equal, equal, not_equal };

/// Whether a and b, broadcast, are so related, element by element; not_equal alone holds for a NaN.
/// Throws shape_error when the shapes do not fit.
template <class T>
mask compare(relation r, const tensor_or_number<T>& a, const tensor_or_number<T>& b);

/// u for a comparison: the value of a scalar variable, without a record.
template <class T, operand_beside<T> U>
decltype(auto) compared(const U& u) {
  if constexpr (recordable<U>) {
    return static_cast<T>(u.value());
  } else {
    return as_operand<T>(u);
  }
}

// tensor < tensor, tensor < number, number < tensor; a scalar variable counts with its value.
#define AUTODIFF_TENSOR_COMPARISON(SYMBOL, RELATION)                            \
  template <class A, class B>                                                   \
  requires tensor_operands<A, B> mask operator SYMBOL(const A& a, const B& b) { \
    using T = tensor_number_of<A, B>;                                           \
    return compare<T>(relation::RELATION, compared<T>(a), compared<T>(b));      \
  }
AUTODIFF_TENSOR_COMPARISON(<, less)
AUTODIFF_TENSOR_COMPARISON(<=, less_equal)
AUTODIFF_TENSOR_COMPARISON(>, greater)
AUTODIFF_TENSOR_COMPARISON(>=, greater_equal)
AUTODIFF_TENSOR_COMPARISON(==, equal)
AUTODIFF_TENSOR_COMPARISON(!=, not_equal)
#undef AUTODIFF_TENSOR_COMPARISON

/// The kind of each element, as in <cmath>.
template <class T>
mask isnan(const tensor<T>& x);
template <class T>
mask isinf(const tensor<T>& x);
template <class T>
mask isfinite(const tensor<T>& x);
template <class T>
mask signbit(const tensor<T>& x);

/// 1 where m is true, 0 where it is not.
template <class T>
tensor<T> cast(const mask& m);

/// What choose() does, by this name.
constexpr operation_rule choice(std::string_view name) {
  return {name, "y = a where m, else b", "ā = ȳ where m, b̄ = ȳ where not m, else 0"};
}
/// m ? a : b for each element, all three broadcast; `operation` is static, and named by errors.
template <class T>
tensor<T> choose(const operation_rule& operation, const mask& m, const tensor_or_number<T>& a,
                 const tensor_or_number<T>& b);

/// The numbers that where(m, a, b) gives: those of a tensor among a and b, else of two equal
/// floating-point types, else double.
template <class A, class B>
using chosen_number =
    std::conditional_t<!std::is_void_v<tensor_number_of<A, B>>, tensor_number_of<A, B>,
                       std::conditional_t<std::floating_point<A> && std::same_as<A, B>, A, double>>;

/// a where m is true, b where it is not, all three broadcast. a and b are tensors, numbers or
/// scalar variables. Throws shape_error when the shapes do not fit.
template <class A, class B>
requires operand_beside<A, chosen_number<A, B>> && operand_beside<B, chosen_number<A, B>>
auto where(const mask& m, const A& a, const B& b) {
  using T = chosen_number<A, B>;
  static constexpr operation_rule rule = choice("where");
  return choose<T>(rule, m, as_operand<T>(a), as_operand<T>(b));
}

/// masked_fill with a value of any kind.
template <class T>
tensor<T> fill_chosen(const tensor<T>& x, const mask& m, const tensor_or_number<T>& value);

/// x with `value` where m is true; m (and a value that is no number) broadcasts to the shape of x.
/// Throws shape_error when it does not.
template <class T, operand_beside<T> U>
tensor<T> masked_fill(const tensor<T>& x, const mask& m, const U& value) {
  return fill_chosen<T>(x, m, as_operand<T>(value));
}

}  // namespace autodiff
