#pragma once
// What a cell of a table says, and how one is refused that says nothing.

#include <nn/data/csv_reader.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nn {

/// A decimal number, also with a plus or an exponent; nothing for one that is not finite as T and
/// for what is no number.
template <class T>
std::optional<T> read_number(std::string_view cell);

/// Whether a cell is a number that somebody wrote with a comma: "1,5", "1,234".
bool is_number_with_comma(std::string_view cell);

[[noreturn]] void refuse_number(const csv_reader& reader, std::size_t column,
                                std::string_view cell);
[[noreturn]] void refuse_missing(const csv_reader& reader, std::size_t column);

/// The cells that stand for a missing value.
class missing_words {
 public:
  explicit missing_words(std::vector<std::string> words);

  bool hold(std::string_view cell) const {
    return (cell.empty() ? holds_empty_ : begins_[static_cast<unsigned char>(cell[0])]) &&
           find(cell);
  }

 private:
  bool find(std::string_view cell) const;

  std::vector<std::string> words_;
  // Most cells are ruled out by their first byte.
  bool holds_empty_ = false;
  std::array<bool, 256> begins_{};
};

}  // namespace nn
