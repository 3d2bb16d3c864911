// Batched products, dot, outer and einsum, each with a line of the gradient-check table. The
// reference sums over all values of all letters, in long double.

#include <autodiff/tensor/einsum.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/tensor/gradient_table.hpp>

#include <map>
#include <string>

namespace {

using namespace gradient_table;

/// The offset of the element that the letters pick, row-major.
std::size_t place(const std::string& letters, const std::map<char, std::size_t>& extents,
                  const std::map<char, std::size_t>& at) {
  std::size_t offset = 0;
  for (const char letter : letters) offset = offset * extents.at(letter) + at.at(letter);
  return offset;
}

/// result[...] += product of the operands, over every value of every letter.
reals sum_of_products(const std::vector<std::string>& inputs, const std::string& result,
                      const std::map<char, std::size_t>& extents, const operands& x) {
  std::size_t size = 1, steps = 1;
  for (const char letter : result) size *= extents.at(letter);
  std::map<char, std::size_t> at;
  for (const auto& [letter, extent] : extents) {
    at[letter] = 0;
    steps *= extent;
  }
  reals y(size);
  for (; steps > 0; --steps) {
    real term = 1;
    for (std::size_t k = 0; k < inputs.size(); ++k) term *= x[k][place(inputs[k], extents, at)];
    y[place(result, extents, at)] += term;
    for (auto& [letter, index] : at) {
      if (++index < extents.at(letter)) break;
      index = 0;
    }
  }
  return y;
}

/// A line whose reference is a sum over letters, with the extents 2, 3, 4, 5 of a, b, c, d ...
template <class Call>
structured_operation by_letters(std::string name, std::vector<std::string> inputs,
                                std::string result, Call call) {
  std::map<char, std::size_t> extents;
  std::vector<shape> shapes;
  for (const std::string& letters : inputs) {
    std::vector<std::size_t> sizes;
    for (const char letter : letters) {
      extents[letter] = static_cast<std::size_t>(letter - 'a' + 2);
      sizes.push_back(extents[letter]);
    }
    shapes.emplace_back(std::span<const std::size_t>(sizes));
  }
  return line(std::move(name), shapes, call,
              [=](const operands& x) { return sum_of_products(inputs, result, extents, x); });
}

/// The same through einsum.
structured_operation by_einsum(const std::string& a, const std::string& b,
                               const std::string& result) {
  const std::string indices = a + "," + b + "->" + result;
  return by_letters("einsum " + indices, {a, b}, result,
                    [=](auto x) { return einsum(indices, x[0], x[1]); });
}

structured_operation by_einsum(const std::string& a, const std::string& result) {
  const std::string indices = a + "->" + result;
  return by_letters("einsum " + indices, {a}, result,
                    [=](auto x) { return einsum(indices, x[0]); });
}

std::vector<structured_operation> products() {
  const auto matmul_of = [](std::string name, const std::string& a, const std::string& b,
                            const std::string& result) {
    return by_letters(std::move(name), {a, b}, result, [](auto x) { return matmul(x[0], x[1]); });
  };
  return {
      matmul_of("matmul, batches", "dab", "dbc", "dac"),
      matmul_of("matmul, one right factor", "dab", "bc", "dac"),
      matmul_of("matmul, one left factor", "ab", "dbc", "dac"),
      matmul_of("matmul, batch and vector", "dab", "b", "da"),
      matmul_of("matmul, vector and batch", "b", "dbc", "dc"),
      matmul_of("matmul, outer batch of the first alone", "edab", "dbc", "edac"),
      line(
          "matmul, each broadcast along the other", {{2, 1, 2, 3}, {3, 3, 2}},
          [](auto x) { return matmul(x[0], x[1]); },
          [](const operands& x) {
            return sum_of_products({"eab", "dbc"}, "edac",
                                   {{'a', 2}, {'b', 3}, {'c', 2}, {'d', 3}, {'e', 2}}, x);
          }),
      line(
          "matmul, a batch by itself", {{2, 3, 3}}, [](auto x) { return matmul(x[0], x[0]); },
          [](const operands& x) {
            return sum_of_products({"dab", "dbc"}, "dac", {{'a', 3}, {'b', 3}, {'c', 3}, {'d', 2}},
                                   {x[0], x[0]});
          }),
      by_letters("dot", {"d", "d"}, "", [](auto x) { return dot(x[0], x[1]); }),
      by_letters("outer", {"b", "c"}, "bc", [](auto x) { return outer(x[0], x[1]); }),
  };
}

/// The operands reach einsum as views, whose elements lie in another order.
std::vector<structured_operation> sums_over_letters_of_views() {
  return {
      by_letters("einsum of transposes", {"ba", "cb"}, "ac",
                 [](auto x) { return einsum("ab,bc->ac", transpose(x[0]), transpose(x[1])); }),
      line(
          "einsum of a permuted batch and itself", {{5, 2, 3}},
          [](auto x) {
            const auto view = permute(x[0], {2, 0, 1});
            return einsum("bda,bda->db", view, view);
          },
          [](const operands& x) {
            return sum_of_products({"dab", "dab"}, "db", {{'a', 2}, {'b', 3}, {'d', 5}},
                                   {x[0], x[0]});
          }),
      by_letters("einsum of one transpose", {"ab"}, "a",
                 [](auto x) { return einsum("ba->a", transpose(x[0])); }),
  };
}

std::vector<structured_operation> sums_over_letters() {
  return {
      by_einsum("ab", "bc", "ac"),   by_einsum("dab", "dbc", "dac"),
      by_einsum("ab", "cb", "ca"),   by_einsum("ba", "cb", "ac"),
      by_einsum("a", "c", "ac"),     by_einsum("c", "c", ""),
      by_einsum("ab", "ab", "ab"),   by_einsum("ab", "ab", "b"),
      by_einsum("aab", "bc", "ac"),  by_einsum("aa", "b", "b"),
      by_einsum("abc", "bd", "d"),   by_einsum("ab", "", "ba"),
      by_einsum("abcd", "bd", "ca"), by_einsum("ab", ""),
      by_einsum("ab", "ba"),         by_einsum("aa", ""),
      by_einsum("aab", "ba"),        by_einsum("abc", "abc"),
      by_einsum("abc", "cb"),        by_einsum("abcb", "ac"),
  };
}

}  // namespace

TEST_CASE("products of batches and vectors have the values and derivatives of their sums") {
  gradient_table::check_table(products());
}

TEST_CASE("sums over letters have the values and derivatives of their sums") {
  gradient_table::check_table(sums_over_letters());
}

TEST_CASE("sums over letters of views have the values and derivatives of their sums") {
  gradient_table::check_table(sums_over_letters_of_views());
}
