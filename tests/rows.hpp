#pragma once
// The rows of ops.def as data. A test that visits them by for_each_unary_rule() is compiled once a
// row, checks, captures and all; a loop over these is compiled once.

#include <autodiff/ops.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

namespace rows {

/// A row called in one form: Signature is Y(X...), by value as it is written here.
template <class Signature>
class form;
template <class Y, class... X>
class form<Y(X...)> {
 public:
  template <class Rule>
  static form of() {
    return form([](const X&... x) { return Y(Rule::call(x...)); });
  }
  Y operator()(const X&... x) const { return function_(x...); }

 private:
  explicit form(Y (*function)(const X&...)) : function_(function) {}
  Y (*function_)(const X&...);
};

/// A row of N arguments called with an array of them.
template <class Y, class X, std::size_t N>
class form<Y(std::array<X, N>)> {
 public:
  template <class Rule>
  static form of() {
    return form([](const std::array<X, N>& x) {
      return std::apply([](const auto&... one) { return Y(Rule::call(one...)); }, x);
    });
  }
  Y operator()(const std::array<X, N>& x) const { return function_(x); }

 private:
  explicit form(Y (*function)(const std::array<X, N>&)) : function_(function) {}
  Y (*function_)(const std::array<X, N>&);
};

/// A row as functions of these forms; a call takes the one that its arguments fit.
template <class... Signatures>
struct row : form<Signatures>... {
  std::string_view name;
  std::span<const autodiff::interval> sampled;

  using form<Signatures>::operator()...;
};

template <class Rule, class... Signatures>
row<Signatures...> row_of(std::type_identity<row<Signatures...>>) {
  return {form<Signatures>::template of<Rule>()..., Rule::name, Rule::sampled};
}

/// The unary rows in the order of the table.
template <class Row>
std::vector<Row> unary() {
  std::vector<Row> all;
  autodiff::for_each_unary_rule(
      [&]<class Rule>() { all.push_back(row_of<Rule>(std::type_identity<Row>{})); });
  return all;
}

/// The binary ones.
template <class Row>
std::vector<Row> binary() {
  std::vector<Row> all;
  autodiff::for_each_binary_rule(
      [&]<class Rule>() { all.push_back(row_of<Rule>(std::type_identity<Row>{})); });
  return all;
}

/// The ternary ones.
template <class Row>
std::vector<Row> ternary() {
  std::vector<Row> all;
  autodiff::for_each_ternary_rule(
      [&]<class Rule>() { all.push_back(row_of<Rule>(std::type_identity<Row>{})); });
  return all;
}

}  // namespace rows
