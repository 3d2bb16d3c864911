#pragma once
// The notation of einsum, "ij,jk->ik": which letter stands for which axis.

#include <autodiff/tensor/shape.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace autodiff {

/// The letters of one operand or of the result, one per axis.
class letters {
 public:
  void push(char letter) { text_[count_++] = letter; }
  bool is_full() const { return count_ == text_.size(); }
  std::size_t size() const { return count_; }
  char operator[](std::size_t i) const { return text_[i]; }
  const char* begin() const { return text_.data(); }
  const char* end() const { return text_.data() + count_; }
  std::size_t count(char letter) const {
    return static_cast<std::size_t>(std::count(begin(), end(), letter));
  }
  bool has(char letter) const { return count(letter) != 0; }

 private:
  std::array<char, 2 * most_dimensions> text_{};
  std::size_t count_ = 0;
};

/// Indices taken apart, and the extent of each letter.
struct parsed_indices {
  letters a, b, result;
  std::array<std::size_t, 128> extents{};

  std::size_t extent(char letter) const { return extents[static_cast<unsigned char>(letter)]; }
  shape shape_of(const letters& list) const {
    std::array<std::size_t, most_dimensions> sizes{};
    std::transform(list.begin(), list.end(), sizes.begin(), [&](char l) { return extent(l); });
    return shape(std::span<const std::size_t>(sizes.data(), list.size()));
  }
};

/// Takes the indices of operands of shapes a and *b apart; b is null for one operand. Throws
/// shape_error, naming the letter and the shapes, for indices that do not fit them.
parsed_indices parse_indices(std::string_view indices, const shape& a, const shape* b);

}  // namespace autodiff
