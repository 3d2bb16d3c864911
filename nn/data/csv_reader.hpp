#pragma once
// A CSV file row by row, quoted as RFC 4180 says: a cell in double quotes may hold delimiters, line
// ends and, doubled, quotes. Lines end with LF, CR LF or CR; lines with nothing in them are
// skipped.

#include <nn/data/byte_source.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nn {

class csv_reader {
 public:
  /// Reads the names of the columns: the first row, or "1", "2", ... where there is no header.
  /// Throws io_error when there is no first row or two columns have one name, domain_error for a
  /// delimiter that is a quote or ends a line.
  csv_reader(std::string_view operation, const std::filesystem::path& path, char delimiter,
             bool header);

  const std::vector<std::string>& columns() const noexcept { return columns_; }
  /// Throws io_error, listing the columns, when there is none of this name.
  std::size_t column(std::string_view name) const;

  /// Reads a row, with a cell for each column; false after the last one. Throws io_error for more
  /// or fewer cells, for a quote that opens or closes within a cell or is never closed.
  bool next();
  const std::vector<std::string>& cells() const noexcept { return cells_; }
  /// The number of this row, the header not counted, from 1.
  std::size_t row() const noexcept { return row_; }

  /// Throws io_error: operation: "file" row 7 (line 8), column "name": happened; remedy.
  [[noreturn]] void refuse(std::size_t column, std::string_view happened,
                           std::string_view remedy) const;
  [[noreturn]] void refuse_file(std::string_view happened, std::string_view remedy) const {
    file_.refuse(happened, remedy);
  }

 private:
  static constexpr int end = -1;

  int peek();
  int get();
  void end_line(int c);
  std::string& open_cell();
  void add(std::string& cell, std::span<const std::uint8_t> text);
  std::span<const std::uint8_t> plain_text();
  void read_plain(std::string& cell);
  void read_quoted(std::string& cell);
  bool read_row();
  [[noreturn]] void refuse_zero() const;
  [[noreturn]] void refuse_row(std::string_view happened, std::string_view remedy) const;

  input_file file_;
  int delimiter_;
  std::array<bool, 256> means_something_{};  // bytes that end a cell or may not stand there
  std::vector<std::uint8_t> buffer_;
  std::size_t at_ = 0, filled_ = 0;
  std::size_t line_ = 1, first_line_ = 1;  // now, and where the row began
  std::size_t row_ = 0;
  std::size_t cell_count_ = 0, row_bytes_ = 0;
  bool is_ahead_ = false;  // the first row is read already, for its number of cells
  std::vector<std::string> columns_, cells_;
  std::unordered_map<std::string_view, std::size_t> places_;  // of the columns
};

/// Without spaces and tabs around it.
std::string_view trimmed(std::string_view text);

}  // namespace nn
