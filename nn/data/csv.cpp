#include <nn/data/csv.hpp>

#include <autodiff/error.hpp>

#include <nn/data/csv_cell.hpp>
#include <nn/data/csv_reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace nn {
namespace {

std::size_t width_of(const std::vector<csv_column>& columns) {
  std::size_t width = 0;
  for (const csv_column& column : columns) width += column.width();
  return width;
}

/// So that a cell can be looked up without making a string of it.
struct text_hash : std::hash<std::string_view> {
  using is_transparent = void;
};

/// A column of the file at hand, and where its entries go.
class column_decoder {
 public:
  column_decoder(const csv_reader& reader, const csv_format& format, const csv_column& column,
                 bool is_target)
      : missing_(format.missing),
        words_(format.missing_words),
        place_(reader.column(column.name)),
        width_(column.width()),
        is_target_(is_target) {
    for (const std::string& category : column.categories) {
      entries_.emplace(category, entries_.size());
    }
  }

  std::size_t width() const { return width_; }

  bool is_missing(const csv_reader& reader) const {
    return words_.hold(trimmed(reader.cells()[place_]));
  }

  template <class T>
  void decode(const csv_reader& reader, std::span<T> to) const {
    const std::string_view cell = trimmed(reader.cells()[place_]);
    if (words_.hold(cell)) return decode_missing(reader, to);
    if (entries_.empty()) {
      const std::optional<T> number = read_number<T>(cell);
      if (!number) refuse_number(reader, place_, cell);
      to[0] = *number;
      return;
    }
    const auto found = entries_.find(cell);
    if (found == entries_.end()) {
      reader.refuse(place_, fmt::format("\"{}\" is none of its {} categories", shown(cell), width_),
                    "correct it, or learn the columns from a file that has it");
    }
    std::fill(to.begin(), to.end(), T(0));
    to[found->second] = 1;
  }

 private:
  template <class T>
  void decode_missing(const csv_reader& reader, std::span<T> to) const {
    if (missing_ != missing_values::as_nan || is_target_) refuse_missing(reader, place_);
    std::fill(to.begin(), to.end(), entries_.empty() ? std::numeric_limits<T>::quiet_NaN() : T(0));
  }

  missing_values missing_;
  missing_words words_;
  std::size_t place_;
  std::size_t width_;
  bool is_target_;
  std::unordered_map<std::string, std::size_t, text_hash, std::equal_to<>> entries_;
};

/// The rows of a file as numbers.
class table_decoder {
 public:
  table_decoder(std::string_view operation, const std::filesystem::path& path,
                const csv_encoding& encoding, bool with_targets)
      : reader_(operation, path, encoding.format.delimiter, encoding.format.header),
        missing_(encoding.format.missing) {
    for (const csv_column& column : encoding.inputs) {
      inputs_.emplace_back(reader_, encoding.format, column, false);
    }
    if (!with_targets) return;
    for (const csv_column& column : encoding.targets) {
      targets_.emplace_back(reader_, encoding.format, column, true);
    }
  }

  template <class T>
  bool next(std::span<T> inputs, std::span<T> targets) {
    do {
      if (!reader_.next()) return false;
    } while (is_skipped());
    decode(inputs_, inputs);
    decode(targets_, targets);
    return true;
  }

 private:
  bool is_skipped() const {
    const auto missing = [&](const column_decoder& column) { return column.is_missing(reader_); };
    return missing_ == missing_values::skipped &&
           (std::any_of(inputs_.begin(), inputs_.end(), missing) ||
            std::any_of(targets_.begin(), targets_.end(), missing));
  }
  template <class T>
  void decode(const std::vector<column_decoder>& columns, std::span<T> row) const {
    for (const column_decoder& column : columns) {
      column.decode(reader_, row.first(column.width()));
      row = row.subspan(column.width());
    }
  }

  csv_reader reader_;
  missing_values missing_;
  std::vector<column_decoder> inputs_, targets_;
};

template <class T>
dataset<T> read_table(std::string_view operation, const std::filesystem::path& path,
                      const csv_encoding& encoding, bool with_targets) {
  table_decoder table(operation, path, encoding, with_targets);
  const std::size_t features = encoding.features(), outputs = with_targets ? encoding.outputs() : 0;
  std::vector<T> inputs, targets, input_row(features), target_row(outputs);
  std::size_t n = 0;
  for (; table.next<T>(input_row, target_row); ++n) {
    inputs.insert(inputs.end(), input_row.begin(), input_row.end());
    targets.insert(targets.end(), target_row.begin(), target_row.end());
  }
  return {autodiff::tensor<T>(autodiff::shape{n, features}, inputs),
          autodiff::tensor<T>(autodiff::shape{n, outputs}, targets)};
}

}  // namespace

std::size_t csv_encoding::features() const noexcept { return width_of(inputs); }
std::size_t csv_encoding::outputs() const noexcept { return width_of(targets); }

template <class T>
dataset<T> read_csv(const std::filesystem::path& path, const csv_encoding& encoding) {
  return read_table<T>("read_csv", path, encoding, true);
}

template <class T>
autodiff::tensor<T> read_csv_inputs(const std::filesystem::path& path,
                                    const csv_encoding& encoding) {
  return read_table<T>("read_csv_inputs", path, encoding, false).inputs;
}

template <class T>
struct csv_rows<T>::decoder : table_decoder {
  using table_decoder::table_decoder;
};

template <class T>
csv_rows<T>::csv_rows(std::filesystem::path path, csv_encoding encoding)
    : path_(std::move(path)), encoding_(std::move(encoding)) {
  std::vector<T> inputs(features()), targets(outputs());
  for (rewind(); next(inputs, targets);) ++samples_;
  rewind();
}

template <class T>
csv_rows<T>::~csv_rows() = default;

template <class T>
void csv_rows<T>::rewind() {
  decoder_ = std::make_unique<decoder>("csv_rows", path_, encoding_, true);
}

template <class T>
bool csv_rows<T>::next(std::span<T> inputs, std::span<T> targets) {
  return decoder_->template next<T>(inputs, targets);
}

#define INSTANTIATE(T)                                                                             \
  template dataset<T> read_csv(const std::filesystem::path&, const csv_encoding&);                 \
  template autodiff::tensor<T> read_csv_inputs(const std::filesystem::path&, const csv_encoding&); \
  template class csv_rows<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
