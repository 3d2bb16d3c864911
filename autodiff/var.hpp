#pragma once
// A scalar and its place on the tape. Computing with vars builds expressions (expression.hpp);
// turning one into a var records it. A copy shares the place of its original and records nothing; a
// var made from a number is passive and costs nothing on the tape.

#include <autodiff/expression.hpp>
#include <autodiff/tape.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <iosfwd>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace autodiff {

template <class T>
class basic_var {
 public:
  using value_type = T;

  constexpr basic_var() = default;
  /// A passive value.
  template <class U>
  requires(std::convertible_to<U, T> &&
           !same_level<U, basic_var>) constexpr basic_var(const U& value)
      : value_(value) {}
  /// Records the statement. Throws tape_error when a variable in it is not of the active tape.
  template <expression E>
  requires std::same_as<typename E::value_type, T>
  [[gnu::always_inline]] basic_var(const E& e) : value_(e.value()), tag_(record<T>(e)) {}
  /// A value at a place; for makers of variables.
  constexpr basic_var(const T& value, tag_type tag) : value_(value), tag_(tag) {}

  [[gnu::always_inline]] constexpr const T& value() const { return value_; }
  [[gnu::always_inline]] constexpr tag_type tag() const { return tag_; }
  /// Whether this value depends on a variable of some tape.
  constexpr bool is_recorded() const { return tag_ != 0; }

  template <class U>
  [[gnu::always_inline]] basic_var& operator+=(const U& other) {
    return *this = *this + other;
  }
  template <class U>
  [[gnu::always_inline]] basic_var& operator-=(const U& other) {
    return *this = *this - other;
  }
  template <class U>
  [[gnu::always_inline]] basic_var& operator*=(const U& other) {
    return *this = *this * other;
  }
  template <class U>
  [[gnu::always_inline]] basic_var& operator/=(const U& other) {
    return *this = *this / other;
  }

  basic_var& operator++() { return *this += T(1); }
  basic_var& operator--() { return *this -= T(1); }
  basic_var operator++(int) {
    const basic_var before = *this;
    ++*this;
    return before;
  }
  basic_var operator--(int) {
    const basic_var before = *this;
    --*this;
    return before;
  }

  /// Structurally zero: the value 0 that depends on nothing.
  friend constexpr bool is_zero(const basic_var& x) { return x.tag_ == 0 && is_zero(x.value_); }
  friend std::ostream& operator<<(std::ostream& out, const basic_var& x) { return out << x.value_; }

 private:
  T value_{};
  tag_type tag_ = 0;
};

using var = basic_var<double>;

/// Classification is on values, as in <cmath>.
template <recordable X>
bool isnan(const X& x) {
  return isnan(x.value());
}
template <recordable X>
bool isinf(const X& x) {
  return isinf(x.value());
}
template <recordable X>
bool isfinite(const X& x) {
  return isfinite(x.value());
}
template <recordable X>
bool signbit(const X& x) {
  return signbit(x.value());
}

/// An expression prints its value; it is not recorded by that.
template <expression E>
std::ostream& operator<<(std::ostream& out, const E& e) {
  return out << e.value();
}

// The hooks through which a tape makes, seeds and reads scalars.

template <class T, class U>
requires std::convertible_to<U, T> basic_var<T> make_variable(basic_tape<T>& t, const U& value) {
  const basic_var<T> x(T(value), t.add_inputs(1));
  if (t.is_explained()) [[unlikely]]
    t.notes().add_inputs(x.tag() - t.tag_at(0), std::span<const T>(&x.value(), 1));
  return x;
}
template <class T>
void make_variables(basic_tape<T>& t, std::span<const T> values, std::span<basic_var<T>> out) {
  if (values.size() != out.size())
    tape_errors::variable_count("variables", values.size(), out.size());
  if (values.empty()) return;
  tag_type tag = t.add_inputs(static_cast<std::uint32_t>(values.size()));
  if (t.is_explained()) [[unlikely]]
    t.notes().add_inputs(tag - t.tag_at(0), values);
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = basic_var<T>(values[i], tag++);
}
template <class T>
std::vector<basic_var<T>> make_variable(basic_tape<T>& t, std::span<const T> values) {
  std::vector<basic_var<T>> variables(values.size());
  make_variables(t, values, std::span(variables));
  return variables;
}
template <class T>
std::vector<basic_var<T>> make_variable(basic_tape<T>& t, const std::vector<T>& values) {
  return make_variable(t, std::span<const T>(values));
}
template <class T, std::size_t N>
std::array<basic_var<T>, N> make_variable(basic_tape<T>& t, const std::array<T, N>& values) {
  std::array<basic_var<T>, N> variables;
  make_variables(t, std::span<const T>(values), std::span<basic_var<T>>(variables));
  return variables;
}

template <class T>
const basic_var<T>& as_recorded(const basic_var<T>& y) {
  return y;
}
template <expression E>
basic_var<typename E::value_type> as_recorded(const E& y) {
  return y;
}

// Checks the output, in the name of `what`, and returns what puts its cotangent in place, so that a
// backward that is refused has not touched the adjoints of the last one.
template <class T, class U>
requires std::convertible_to<U, T>
auto seed(basic_tape<T>& t, std::string_view what, const basic_var<T>& y, const U& cotangent) {
  const std::uint32_t place = t.place(y.tag(), what);
  return [&t, place, cotangent] { t.adjoint_at(place) += T(cotangent); };
}
template <class T>
auto seed(basic_tape<T>& t, std::string_view what, const basic_var<T>& y) {
  return seed(t, what, y, T(1));
}

// Several outputs at once: the sum of their sweeps. A passive one has no share in it.
template <class T, class U>
requires std::convertible_to<U, T>
auto seed(basic_tape<T>& t, std::string_view what, std::span<const basic_var<T>> outputs,
          std::span<const U> cotangents) {
  if (outputs.size() != cotangents.size()) {
    tape_errors::cotangent_count(what, outputs.size(), cotangents.size());
  }
  for (const basic_var<T>& y : outputs) {
    if (y.is_recorded()) t.place(y.tag(), what);
  }
  return [&t, what, outputs, cotangents] {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].is_recorded()) continue;
      t.adjoint_at(t.place(outputs[i].tag(), what)) += T(cotangents[i]);
    }
  };
}
template <class T, class U>
auto seed(basic_tape<T>& t, std::string_view what, const std::vector<basic_var<T>>& outputs,
          const std::vector<U>& cotangents) {
  return seed(t, what, std::span<const basic_var<T>>(outputs), std::span<const U>(cotangents));
}
template <class T, class U, std::size_t N>
auto seed(basic_tape<T>& t, std::string_view what, const std::array<basic_var<T>, N>& outputs,
          const std::array<U, N>& cotangents) {
  return seed(t, what, std::span<const basic_var<T>>(outputs), std::span<const U>(cotangents));
}
// Throws tape_error, in the name of `what`, unless x has an adjoint.
template <class T>
void require_adjoint(const basic_tape<T>& t, std::string_view what, const basic_var<T>& x) {
  static_cast<void>(t.swept_adjoint(x.tag(), what));
}
template <class T>
void require_adjoint(const basic_tape<T>& t, std::string_view what,
                     const std::vector<basic_var<T>>& variables) {
  for (const basic_var<T>& x : variables) require_adjoint(t, what, x);
}
template <class T, std::size_t N>
void require_adjoint(const basic_tape<T>& t, std::string_view what,
                     const std::array<basic_var<T>, N>& variables) {
  for (const basic_var<T>& x : variables) require_adjoint(t, what, x);
}

template <class T>
const std::vector<basic_var<T>>& as_recorded(const std::vector<basic_var<T>>& outputs) {
  return outputs;
}
template <class T, std::size_t N>
const std::array<basic_var<T>, N>& as_recorded(const std::array<basic_var<T>, N>& outputs) {
  return outputs;
}

template <class T>
T adjoint_of(const basic_tape<T>& t, const basic_var<T>& x) {
  return t.swept_adjoint(x.tag());
}
template <class T, expression E>
T adjoint_of(const basic_tape<T>&, const E&) {
  static_assert(!expression<E>,
                "an expression has no place on the tape: keep it in a var, `var y = x * x` in the "
                "place of `auto y = x * x`, and ask for the adjoint of that");
}

template <class T>
void give_name(basic_tape<T>& t, const basic_var<T>& x, std::string_view name) {
  t.notes().name_scalar(t.place(x.tag(), "name"), name);
}
template <class T, expression E>
void give_name(basic_tape<T>&, const E&, std::string_view) {
  static_assert(!expression<E>,
                "an expression has no place on the tape: keep it in a var, `var y = x * x` in the "
                "place of `auto y = x * x`, and name that");
}

/// Whether these variables, one at least, own consecutive places, as those do that were made
/// together.
template <class T>
bool are_neighbours(std::span<const basic_var<T>> variables) {
  const tag_type first = variables.front().tag();
  if (variables.back().tag() != first + variables.size() - 1) return false;
  tag_type apart = 0;
  for (std::size_t i = 0; i < variables.size(); ++i) apart |= variables[i].tag() - (first + i);
  return apart == 0;
}
template <class T>
void read_adjoints(const basic_tape<T>& t, std::span<const basic_var<T>> variables,
                   std::span<T> out) {
  // A few are read sooner one by one.
  if (!checked_build && variables.size() >= 16 && are_neighbours(variables)) {
    // Where the last one has an adjoint, all have.
    t.swept_adjoint(variables.back().tag());
    std::copy_n(&t.swept_adjoint(variables.front().tag()), out.size(), out.data());
    return;
  }
  for (std::size_t i = 0; i < variables.size(); ++i) out[i] = t.swept_adjoint(variables[i].tag());
}
template <class T>
void adjoints_of(const basic_tape<T>& t, std::span<const basic_var<T>> variables,
                 std::span<T> out) {
  if (variables.size() != out.size())
    tape_errors::variable_count("adjoints", variables.size(), out.size());
  // Block by block, so that what was tested is still in the cache when it is copied.
  constexpr std::size_t block = 512;
  for (std::size_t from = 0; from < variables.size(); from += block) {
    const std::size_t count = std::min(block, variables.size() - from);
    read_adjoints(t, variables.subspan(from, count), out.subspan(from, count));
  }
}
template <class T>
std::vector<T> adjoint_of(const basic_tape<T>& t, const std::vector<basic_var<T>>& variables) {
  std::vector<T> adjoints(variables.size());
  adjoints_of(t, std::span<const basic_var<T>>(variables), std::span(adjoints));
  return adjoints;
}
template <class T, std::size_t N>
std::array<T, N> adjoint_of(const basic_tape<T>& t, const std::array<basic_var<T>, N>& variables) {
  std::array<T, N> adjoints;
  adjoints_of(t, std::span<const basic_var<T>>(variables), std::span<T>(adjoints));
  return adjoints;
}

}  // namespace autodiff

template <class T>
struct std::numeric_limits<autodiff::basic_var<T>> : std::numeric_limits<T> {};
