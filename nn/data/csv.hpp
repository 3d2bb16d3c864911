#pragma once
// Tables in CSV files as numbers. How the columns become numbers is learned once, from the file to
// train on, and kept: later files are read in the same way, so that entry 7 of a row means the same
// for the network. Quoting is that of RFC 4180.

#include <autodiff/tensor/tensor.hpp>

#include <nn/data/data.hpp>
#include <nn/data/row_stream.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace nn {

/// What becomes of a row in which a value is missing.
enum class missing_values {
  refused,  ///< an error that names row and column
  skipped,  ///< the row is left out
  as_nan,   ///< of a number NaN, of a category no entry 1; missing targets are refused
};

struct csv_format {
  char delimiter = ',';
  bool header = true;  ///< without one the columns are named "1", "2", ...
  missing_values missing = missing_values::refused;
  /// Cells that stand for a missing value.
  std::vector<std::string> missing_words{"", "NA", "N/A", "NaN", "nan", "null", "?"};
};

/// Which columns to read, by name.
struct csv_columns {
  std::vector<std::string> targets = {};
  std::vector<std::string> inputs = {};  ///< none: all that are no targets and not ignored
  std::vector<std::string> ignored = {};
  /// Become one-hot entries even if they hold numbers. Columns that hold none do so unasked.
  std::vector<std::string> categorical = {};
  std::size_t most_categories = 1000;  ///< of a column; more are refused
};

/// What becomes of a column.
struct csv_column {
  std::string name;
  std::vector<std::string> categories;  ///< an entry each, in this order; none: it is a number

  std::size_t width() const noexcept { return categories.empty() ? 1 : categories.size(); }
};

struct csv_encoding {
  csv_format format;
  std::vector<csv_column> inputs, targets;

  std::size_t features() const noexcept;
  std::size_t outputs() const noexcept;
};

/// Learns the columns, reading the whole file, plain or gzip. A column is what its first value
/// says: a number or, sorted, categories. Throws io_error: a file that cannot be read or is no such
/// table; a column that is not there; a value that is missing, not finite, a number with a comma
/// or of another kind than the first, by row and column; more than most_categories.
csv_encoding fit_csv(const std::filesystem::path& path, const csv_columns& columns,
                     const csv_format& format = {});

/// Reads a file as the one that was learned from. Columns are found by name, further ones do not
/// matter; without a header by place. Throws io_error as fit_csv, and for a category that is not
/// known.
template <class T>
dataset<T> read_csv(const std::filesystem::path& path, const csv_encoding& encoding);
/// The inputs alone, [n, features], of a file that need not have the targets.
template <class T>
autodiff::tensor<T> read_csv_inputs(const std::filesystem::path& path,
                                    const csv_encoding& encoding);

/// The rows of a file that may be larger than memory. They are counted, and so verified, at once.
template <class T>
class csv_rows : public row_stream<T> {
 public:
  csv_rows(std::filesystem::path path, csv_encoding encoding);
  ~csv_rows() override;

  std::size_t samples() const override { return samples_; }
  std::size_t features() const override { return encoding_.features(); }
  std::size_t outputs() const override { return encoding_.outputs(); }
  void rewind() override;
  bool next(std::span<T> inputs, std::span<T> targets) override;

 private:
  struct decoder;

  std::filesystem::path path_;
  csv_encoding encoding_;
  std::size_t samples_ = 0;
  std::unique_ptr<decoder> decoder_;
};

}  // namespace nn
