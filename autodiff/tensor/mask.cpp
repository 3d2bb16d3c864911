#include <autodiff/tensor/mask.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/strides.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <ostream>

namespace autodiff {
namespace {

template <class Answers>
array<std::uint8_t> stored_answers(const shape& s, const Answers& answers) {
  if (answers.size() != s.size()) {
    throw shape_error("mask",
                      fmt::format("{} values for shape {}, which holds {}", answers.size(),
                                  to_string(s), s.size()),
                      "pass one value per element, row by row");
  }
  array<std::uint8_t> values(s);
  std::copy(answers.begin(), answers.end(), values.writable());
  return values;
}

template <class Join>
mask join(std::string_view operation, const mask& a, const mask& b, Join join_one) {
  const shape whole = broadcast(a.shape(), b.shape(), operation);
  const auto walk = broadcast_walk<3>(whole, {&a.shape(), &b.shape(), &whole});
  array<std::uint8_t> y(whole);
  std::uint8_t* out = y.writable();
  const std::ptrdiff_t step_a = walk.stride(0), step_b = walk.stride(1);
  walk.for_each_row([&](const auto& at) {
    const std::uint8_t *from_a = a.values().data() + at[0], *from_b = b.values().data() + at[1];
    for (std::size_t i = 0; i < walk.row_size(); ++i) {
      const auto step = static_cast<std::ptrdiff_t>(i);
      out[at[2] + step] =
          static_cast<std::uint8_t>(join_one(from_a[step * step_a], from_b[step * step_b]));
    }
  });
  return mask(std::move(y));
}

}  // namespace

mask::mask(const autodiff::shape& s, std::initializer_list<bool> values)
    : values_(stored_answers(s, values)) {}

mask::mask(const autodiff::shape& s, const std::vector<bool>& values)
    : values_(stored_answers(s, values)) {}

std::size_t mask::count() const {
  return std::accumulate(values().begin(), values().end(), std::size_t{0});
}

mask operator&(const mask& a, const mask& b) { return join("&", a, b, std::bit_and<>()); }
mask operator|(const mask& a, const mask& b) { return join("|", a, b, std::bit_or<>()); }
mask operator^(const mask& a, const mask& b) { return join("^", a, b, std::bit_xor<>()); }

mask operator!(const mask& a) { return a ^ mask(shape(), true); }

std::string to_string(const mask& m) {
  tensor<float> numbers(array<float>(m.shape()));
  std::copy(m.values().begin(), m.values().end(), numbers.mutable_values().begin());
  return to_string(numbers);
}

std::ostream& operator<<(std::ostream& out, const mask& m) { return out << to_string(m); }

}  // namespace autodiff
