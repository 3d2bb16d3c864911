#pragma once
// What a delta report says, without a word about how it is set: lines of symbols, numbers and
// words, tables, and the document that they make up. The walk over a report (nn/delta/document.hpp)
// puts it together, the writers of nn/delta/format.hpp put it down.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nn {

/// What a line is made of.
struct piece {
  enum class kind {
    words,       ///< of a sentence
    number,      ///< "-3.66e-03", "nan", "-inf"
    symbol,      ///< "delta" with its layer and units: delta^(2)_1
    derivative,  ///< of E by such a symbol: dE/dw^(2)_1,3
    function,    ///< "tanh", "softmax" of some unit
    slope,       ///< of the function named: tanh'
    sum,         ///< over the index named
    sign,        ///< one of = + - * / ( ) [ ] and ... for terms left out
    tag,         ///< the number of an equation, "(5)"
    turn,        ///< a place to break a line that is too long
  };
  kind what;
  std::string text = {};
  std::string layer = {};  ///< "2", "l"; empty for none
  std::string units = {};  ///< "1,3", "k"; empty for none
};

/// Pieces one after another.
class line {
 public:
  line() = default;
  explicit line(std::string_view words) { this->words(words); }

  line& words(std::string_view text) { return add({piece::kind::words, std::string(text)}); }
  line& number(std::string text) { return add({piece::kind::number, std::move(text)}); }
  line& symbol(const char* text, std::string layer, std::string units) {
    return add({piece::kind::symbol, text, std::move(layer), std::move(units)});
  }
  line& derivative(const char* by, std::string layer, std::string units) {
    return add({piece::kind::derivative, by, std::move(layer), std::move(units)});
  }
  line& function(std::string_view name, std::string units = {}) {
    return add({piece::kind::function, std::string(name), {}, std::move(units)});
  }
  line& slope(std::string_view name) { return add({piece::kind::slope, std::string(name)}); }
  line& sum(const char* index) { return add({piece::kind::sum, index}); }
  line& sign(const char* text) { return add({piece::kind::sign, text}); }
  line& tag(const char* text) { return add({piece::kind::tag, text}); }
  line& turn() { return add({piece::kind::turn}); }

  bool empty() const noexcept { return pieces_.empty(); }
  auto begin() const noexcept { return pieces_.begin(); }
  auto end() const noexcept { return pieces_.end(); }

 private:
  line& add(piece&& p) {
    pieces_.push_back(std::move(p));
    return *this;
  }

  std::vector<piece> pieces_;
};

/// How a row of a table stands out.
enum class mark { none, largest, differs, differs_most, differs_first };
/// "", "largest", "differs", "differs most", "differs first": words, so that no reader depends on a
/// colour.
std::string_view to_string(mark m);

struct table {
  struct column {
    line heading;
    bool numbers = true;  ///< set flush right
  };
  struct row {
    std::vector<line> cells = {};
    nn::mark mark = mark::none;
    std::string left_out = {};  ///< instead of cells: "12 rows left out"
  };
  line caption;
  std::vector<column> columns;
  std::vector<row> rows = {};

  /// Whether there is a row that stands out, and so a column for the words that say how.
  bool has_marks() const;
};

/// Lines of mathematics, one below the other.
struct equations {
  std::vector<line> lines;
};

using block = std::variant<line, equations, table>;

struct part {
  std::string heading;
  std::string state = {};  ///< in a few words; empty where nothing is compared
  bool agrees = true;
  bool is_short = true;  ///< or better shown on demand
  std::vector<block> blocks = {};
};

struct delta_document {
  std::string title;
  std::string verdict;  ///< one sentence
  bool agrees = true;
  std::vector<block> opening;
  std::vector<part> parts;  ///< the forward pass, then the layers from the last to the first
};

/// Text that may come from anywhere, without control characters and as valid UTF-8.
std::string clean(std::string_view text);

/// Calls one(bytes, code_point) for each character of valid UTF-8.
template <class One>
void for_each_character(std::string_view text, One&& one) {
  for (std::size_t i = 0, length = 1; i < text.size(); i += length) {
    const auto first = static_cast<unsigned char>(text[i]);
    length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? first : first & (0xFFu >> (length + 1));
    for (std::size_t j = 1; j < length; ++j)
      point = point << 6 | (static_cast<unsigned char>(text[i + j]) & 0x3Fu);
    one(text.substr(i, length), point);
  }
}

}  // namespace nn
