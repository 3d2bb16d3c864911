#include <nn/data/csv_reader.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace nn {
namespace {

constexpr std::size_t block = std::size_t{1} << 16;
// Beyond these a file is something else than a table, or a quote is never closed.
constexpr std::size_t most_row_bytes = std::size_t{1} << 24;
constexpr std::size_t most_columns = std::size_t{1} << 20;

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

csv_reader::csv_reader(std::string_view operation, const std::filesystem::path& path,
                       char delimiter, bool header)
    : file_(operation, path, "CSV file"),
      delimiter_(static_cast<unsigned char>(delimiter)),
      buffer_(block) {
  if (delimiter == '"' || delimiter == '\n' || delimiter == '\r' || delimiter == '\0') {
    throw autodiff::domain_error(operation, "a delimiter that is a quote or ends a line",
                                 "use ',', ';', '|' or '\\t'");
  }
  for (const int c : {delimiter_, int{'"'}, int{'\n'}, int{'\r'}, int{'\0'}}) {
    means_something_[static_cast<std::size_t>(c)] = true;
  }
  constexpr std::array<std::uint8_t, 3> byte_order_mark{0xEF, 0xBB, 0xBF};
  peek();
  if (filled_ >= byte_order_mark.size() &&
      std::equal(byte_order_mark.begin(), byte_order_mark.end(), buffer_.begin())) {
    at_ = byte_order_mark.size();
  }
  if (!read_row()) file_.refuse("is empty", "give a file with a row per sample");
  for (std::size_t i = 0; i < cell_count_; ++i) {
    columns_.push_back(header ? std::string(trimmed(cells_[i])) : fmt::format("{}", i + 1));
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!places_.emplace(columns_[i], i).second) {
      file_.refuse(fmt::format("has two columns named \"{}\"", shown(columns_[i])),
                   "give each column a name of its own");
    }
  }
  is_ahead_ = !header;
}

std::size_t csv_reader::column(std::string_view name) const {
  const auto found = places_.find(name);
  if (found != places_.end()) return found->second;
  constexpr std::size_t most = 20;
  std::string names;
  for (std::size_t i = 0; i < std::min(columns_.size(), most); ++i) {
    names += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", shown(columns_[i]));
  }
  if (columns_.size() > most) names += ", ...";
  file_.refuse(fmt::format("has no column \"{}\"", shown(name)), "its columns are " + names);
}

bool csv_reader::next() {
  if (!std::exchange(is_ahead_, false) && !read_row()) return false;
  ++row_;
  if (cell_count_ != columns_.size()) {
    refuse_row(fmt::format("{} cells in a table of {} columns", cell_count_, columns_.size()),
               "correct the row; cells that hold the delimiter stand in double quotes");
  }
  return true;
}

void csv_reader::refuse(std::size_t column, std::string_view happened,
                        std::string_view remedy) const {
  file_.refuse(fmt::format("row {} (line {}), column \"{}\": {}", row_, first_line_,
                           shown(columns_[column]), happened),
               remedy);
}

void csv_reader::refuse_row(std::string_view happened, std::string_view remedy) const {
  file_.refuse(fmt::format("line {}: {}", first_line_, happened), remedy);
}

int csv_reader::peek() {
  if (at_ == filled_) {
    at_ = 0;
    filled_ = file_.read(buffer_);
    if (filled_ == 0) return end;
  }
  return buffer_[at_];
}

int csv_reader::get() {
  const int c = peek();
  if (c != end) ++at_;
  return c;
}

/// Of CR LF both belong to the end of the line.
void csv_reader::end_line(int c) {
  if (c == '\r' && peek() == '\n') get();
  ++line_;
}

std::string& csv_reader::open_cell() {
  ++cell_count_;
  if (cells_.size() < cell_count_) {
    if (cells_.size() == most_columns) {
      refuse_row(fmt::format("more than {} cells", most_columns), "give a table");
    }
    cells_.emplace_back();
  }
  std::string& cell = cells_[cell_count_ - 1];
  cell.clear();
  return cell;
}

void csv_reader::add(std::string& cell, std::span<const std::uint8_t> text) {
  row_bytes_ += text.size();
  if (row_bytes_ > most_row_bytes) {
    refuse_row(fmt::format("a row of more than {} bytes", most_row_bytes),
               "look for a quote that is never closed");
  }
  cell.append(text.begin(), text.end());
}

/// Of the bytes read so far, those up to one that means something.
std::span<const std::uint8_t> csv_reader::plain_text() {
  const auto from = buffer_.begin() + static_cast<std::ptrdiff_t>(at_),
             last = buffer_.begin() + static_cast<std::ptrdiff_t>(filled_);
  const auto stop = std::find_if(from, last, [&](std::uint8_t c) { return means_something_[c]; });
  at_ += static_cast<std::size_t>(stop - from);
  return {from, stop};
}

void csv_reader::read_plain(std::string& cell) {
  while (true) {
    const int c = peek();
    if (c == delimiter_ || c == '\n' || c == '\r' || c == end) return;
    if (c == '\0') refuse_zero();
    if (c == '"') {
      refuse_row(fmt::format("a quote within cell {}, \"{}\"", cell_count_, shown(cell)),
                 "put the whole cell in double quotes and double those inside");
    }
    add(cell, plain_text());
  }
}

void csv_reader::refuse_zero() const {
  refuse_row("a byte 0, which no text has", "save the table as UTF-8 text");
}

void csv_reader::read_quoted(std::string& cell) {
  const std::size_t opened = line_;
  get();
  while (true) {
    const int c = get();
    if (c == end) {
      file_.refuse(
          fmt::format("line {}: the quote that opens cell {} is never closed", opened, cell_count_),
          "close it");
    }
    if (c == '"') {
      if (peek() != '"') break;
      get();
    }
    if (c == '\0') refuse_zero();
    if (c == '\n' || (c == '\r' && peek() != '\n')) ++line_;
    const auto byte = static_cast<std::uint8_t>(c);
    add(cell, {&byte, 1});
  }
  const int c = peek();
  if (c != delimiter_ && c != '\n' && c != '\r' && c != end) {
    refuse_row(
        fmt::format("text behind the quote that closes cell {}, \"{}\"", cell_count_, shown(cell)),
        "double the quotes inside a cell that stands in quotes");
  }
}

bool csv_reader::read_row() {
  for (int c = peek(); c == '\n' || c == '\r'; c = peek()) end_line(get());
  if (peek() == end) return false;
  first_line_ = line_;
  cell_count_ = row_bytes_ = 0;
  while (true) {
    std::string& cell = open_cell();
    if (peek() == '"') {
      read_quoted(cell);
    } else {
      read_plain(cell);
    }
    const int c = get();
    if (c == end) return true;
    if (c != delimiter_) {
      end_line(c);
      return true;
    }
  }
}

}  // namespace nn
