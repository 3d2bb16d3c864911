#include <nn/data/csv_cell.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <system_error>
#include <utility>

namespace nn {

template <class T>
std::optional<T> read_number(std::string_view cell) {
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  const auto read = [&](auto& number) {
    const auto [rest, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
    return rest == cell.data() + cell.size() ? error : std::errc::invalid_argument;
  };
  T number = 0;
  const std::errc error = read(number);
  if (error == std::errc{} && std::isfinite(number)) return number;
  if (error != std::errc::result_out_of_range) return std::nullopt;
  // Too large is no number, too small is one.
  long double wide = 0;
  if (read(wide) != std::errc{} || std::fabs(wide) >= 1) return std::nullopt;
  return static_cast<T>(wide);
}

bool is_number_with_comma(std::string_view cell) {
  const std::size_t comma = cell.find(',');
  if (comma == cell.npos) return false;
  std::string with_point(cell);
  with_point[comma] = '.';
  return read_number<double>(with_point).has_value();
}

void refuse_number(const csv_reader& reader, std::size_t column, std::string_view cell) {
  reader.refuse(
      column, fmt::format("\"{}\" is no finite number", shown(cell)),
      fmt::format("correct it, or list \"{}\" as categorical", shown(reader.columns()[column])));
}

void refuse_missing(const csv_reader& reader, std::size_t column) {
  reader.refuse(column, "the value is missing",
                "fill it in, or have such rows skipped (missing_values)");
}

missing_words::missing_words(std::vector<std::string> words) : words_(std::move(words)) {
  for (const std::string& word : words_) {
    if (word.empty()) {
      holds_empty_ = true;
    } else {
      begins_[static_cast<unsigned char>(word[0])] = true;
    }
  }
}

bool missing_words::find(std::string_view cell) const {
  return std::find(words_.begin(), words_.end(), cell) != words_.end();
}

template std::optional<float> read_number(std::string_view);
template std::optional<double> read_number(std::string_view);

}  // namespace nn
