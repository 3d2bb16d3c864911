#include <nn/data/npy_format.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <utility>

namespace nn {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
/// Far beyond what any array of numbers needs.
constexpr std::size_t most_header_bytes = 1U << 16;
constexpr std::string_view save_again =
    "save it with numpy.save as an array of bool, int8 to int64, uint8 to uint64, float32 or "
    "float64";

constexpr std::array types{element_type::boolean, element_type::int8,   element_type::int16,
                           element_type::int32,   element_type::int64,  element_type::uint8,
                           element_type::uint16,  element_type::uint32, element_type::uint64,
                           element_type::float32, element_type::float64};

/// The kind of NumPy's type strings; the bytes of an element follow it.
char kind_of(element_type type) {
  const std::string_view full = name(type);
  return full.starts_with("uint") ? 'u' : full[0];
}

/// The header is a Python dictionary: text keys, and values that are a text, a truth value or a
/// tuple of whole numbers.
class dictionary {
 public:
  dictionary(const byte_source& source, std::string_view text) : source_(source), text_(text) {}

  npy_header read() {
    expect('{');
    while (!take('}')) {
      read_entry();
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (!text_.empty()) refuse();
    if (!type_ || !fortran_order_ || !extents_) refuse();
    return {*type_, big_endian_, *fortran_order_, std::move(*extents_)};
  }

 private:
  void read_entry() {
    const std::string_view key = text();
    expect(':');
    if (key == "descr") {
      read_type();
    } else if (key == "fortran_order") {
      fortran_order_ = truth();
    } else if (key == "shape") {
      extents_ = tuple();
    } else {
      refuse();
    }
  }

  void read_type() {
    skip_spaces();
    if (text_.starts_with('[')) {
      source_.refuse("holds records with several fields", save_again);
    }
    const std::string_view name = text();
    const std::string_view sized = name.substr(name.find_first_not_of("<>=|") == 1 ? 1 : 0);
    const auto found = std::find_if(types.begin(), types.end(), [&](element_type type) {
      return sized.size() == 2 && sized[0] == kind_of(type) &&
             sized[1] == static_cast<char>('0' + size(type));
    });
    if (found == types.end()) {
      source_.refuse(fmt::format("holds elements of type '{}'", shown(name)), save_again);
    }
    type_ = *found;
    big_endian_ = name[0] == '>' || (name[0] != '<' && std::endian::native == std::endian::big);
  }

  void skip_spaces() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\n')) text_.remove_prefix(1);
  }
  bool take(char c) {
    skip_spaces();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) refuse();
  }
  std::string_view text() {
    skip_spaces();
    const char quote = text_.empty() ? '\0' : text_[0];
    if (quote != '\'' && quote != '"') refuse();
    const std::size_t end = text_.find(quote, 1);
    if (end == std::string_view::npos) refuse();
    const std::string_view found = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return found;
  }
  bool truth() {
    skip_spaces();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true},
                                      std::pair<std::string_view, bool>{"False", false}}) {
      if (!text_.starts_with(word)) continue;
      text_.remove_prefix(word.size());
      return value;
    }
    refuse();
  }
  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> numbers;
    expect('(');
    while (!take(')')) {
      skip_spaces();
      std::size_t number = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
      if (error != std::errc{}) refuse();
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      numbers.push_back(number);
      take('L');  // a long of Python 2
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return numbers;
  }

  [[noreturn]] void refuse() const {
    source_.refuse(
        fmt::format("has a header that is not of the .npy format, before \"{}\"", shown(text_)),
        fetch_again);
  }

  const byte_source& source_;
  std::string_view text_;
  std::optional<element_type> type_;
  bool big_endian_ = false;
  std::optional<bool> fortran_order_;
  std::optional<std::vector<std::size_t>> extents_;
};

/// Row-major bytes of an array that has its first dimension fastest.
std::vector<std::uint8_t> in_rows(const number_array& columns) {
  const std::size_t size = nn::size(columns.type), rank = columns.extents.size();
  std::vector<std::size_t> strides(rank, size), index(rank, 0);
  for (std::size_t axis = 1; axis < rank; ++axis) {
    strides[axis] = strides[axis - 1] * columns.extents[axis - 1];
  }
  std::vector<std::uint8_t> rows(columns.bytes.size());
  std::size_t from = 0;
  for (std::size_t to = 0; to < rows.size(); to += size) {
    std::copy_n(&columns.bytes[from], size, &rows[to]);
    for (std::size_t axis = rank; axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < columns.extents[axis]) break;
      from -= index[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return rows;
}

}  // namespace

npy_header read_npy_header(byte_source& source) {
  std::array<std::uint8_t, 8> start{};
  const std::size_t got = source.read(start);
  if (got == 0) source.refuse("is empty", fetch_again);
  const auto same = [](std::uint8_t byte, char c) { return byte == static_cast<std::uint8_t>(c); };
  if (!std::equal(magic.begin(), magic.end(), start.begin(),
                  [&](char c, std::uint8_t byte) { return same(byte, c); })) {
    source.refuse("is not a .npy file: it does not begin with \\x93NUMPY",
                  "give a file that numpy.save wrote");
  }
  const unsigned version = start[6];
  if (got == start.size() && (version < 1 || version > 3)) {
    source.refuse(fmt::format("is of version {} of the .npy format", version),
                  "versions 1 to 3 are read; save it again with another NumPy");
  }
  const std::size_t bytes_of_length = version == 1 ? 2 : 4;
  std::array<std::uint8_t, 4> length_bytes{};
  std::size_t length = 0;
  if (source.read(std::span(length_bytes).first(bytes_of_length)) < bytes_of_length) {
    source.refuse("ends inside its header", fetch_again);
  }
  for (std::size_t i = bytes_of_length; i-- > 0;) length = length << 8U | length_bytes[i];
  if (length > most_header_bytes) {
    source.refuse(fmt::format("claims a header of {} bytes", length), fetch_again);
  }
  std::string text(length, '\0');
  if (source.read({reinterpret_cast<std::uint8_t*>(text.data()), length}) < length) {
    source.refuse("ends inside its header", fetch_again);
  }
  return dictionary(source, text).read();
}

void to_native_order(const npy_header& header, std::span<std::uint8_t> bytes) {
  const std::size_t size = nn::size(header.type);
  if (size == 1 || header.big_endian == (std::endian::native == std::endian::big)) return;
  for (std::size_t i = 0; i + size <= bytes.size(); i += size) {
    std::reverse(&bytes[i], &bytes[i] + size);
  }
}

number_array read_npy_array(byte_source& source) {
  const npy_header header = read_npy_header(source);
  number_array array{header.type, header.extents, {}};
  std::vector<std::size_t> all = header.extents;
  all.push_back(size(header.type));
  const std::string shape = printed(header.extents);
  const std::optional<std::size_t> bytes = product(all);
  if (!bytes) {
    source.refuse(fmt::format("claims {} values, more than any memory holds", shape), fetch_again);
  }
  array.bytes = read_promised(source, *bytes, shape);
  require_end(source, *bytes, shape);
  to_native_order(header, array.bytes);
  if (header.fortran_order && array.extents.size() > 1) array.bytes = in_rows(array);
  array.origin = fmt::format("\"{}\"", source.name());
  return array;
}

std::string npy_text(std::string_view operation, const number_array& array) {
  std::vector<std::size_t> all = array.extents;
  all.push_back(size(array.type));
  if (product(all) != array.bytes.size()) {
    throw autodiff::shape_error(operation,
                                fmt::format("{} bytes of {} values {}", array.bytes.size(),
                                            name(array.type), printed(array.extents)),
                                "make the array with number_array::of");
  }
  const std::size_t bytes = size(array.type);
  const char order = bytes == 1 ? '|' : std::endian::native == std::endian::big ? '>' : '<';
  std::string header =
      fmt::format("{{'descr': '{}{}{}', 'fortran_order': False, 'shape': ({}{}), }}", order,
                  kind_of(array.type), bytes, fmt::join(array.extents, ", "),
                  array.extents.size() == 1 ? "," : "");
  // What comes before the values is a multiple of 64 bytes and ends a line.
  constexpr std::size_t before = 10;
  header.resize((before + header.size() + 64) / 64 * 64 - before - 1, ' ');
  header += '\n';
  std::string text(magic);
  text += '\x01';
  text += '\0';
  text += static_cast<char>(header.size() & 0xFFU);
  text += static_cast<char>(header.size() >> 8U);
  text += header;
  text.append(array.bytes.begin(), array.bytes.end());
  return text;
}

}  // namespace nn
