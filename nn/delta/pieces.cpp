#include <nn/delta/pieces.hpp>

#include <algorithm>

namespace nn {
namespace {

/// Bytes of the character at the front of the text, 0 where they are not UTF-8 (RFC 3629).
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Longer than needed, half of a surrogate pair, beyond the last code point.
  const unsigned second = byte(1);
  const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return wrong ? 0 : length;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  if (character.size() == 2)
    return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
  // What turns the direction of writing, and the two that XML does not have.
  constexpr std::string_view unwanted[] = {"\u2028", "\u2029", "\u202A", "\u202B", "\u202C",
                                           "\u202D", "\u202E", "\u2066", "\u2067", "\u2068",
                                           "\u2069", "\uFFFE", "\uFFFF"};
  return std::find(std::begin(unwanted), std::end(unwanted), character) != std::end(unwanted);
}

}  // namespace

std::string_view to_string(mark m) {
  switch (m) {
    case mark::none: return "";
    case mark::largest: return "largest";
    case mark::differs: return "differs";
    case mark::differs_most: return "differs most";
    case mark::differs_first: return "differs first";
  }
  return "";
}

bool table::has_marks() const {
  return std::any_of(rows.begin(), rows.end(), [](const row& r) { return r.mark != mark::none; });
}

std::string clean(std::string_view text) {
  std::string cleaned;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0)
      cleaned += '?';
    else if (is_control(character))
      cleaned += ' ';
    else
      cleaned += character;
    text.remove_prefix(character.size());
  }
  return cleaned;
}

}  // namespace nn
