#include <autodiff/tensor/einsum_indices.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <string>

namespace autodiff {
namespace {

/// What an exception says about the call.
struct einsum_call {
  std::string_view indices;
  const shape* a;
  const shape* b;  // null for one operand

  std::string text() const {
    return b ? fmt::format("\"{}\" of {} and {}", indices, to_string(*a), to_string(*b))
             : fmt::format("\"{}\" of {}", indices, to_string(*a));
  }
  [[noreturn]] void refuse(const std::string& what, std::string_view remedy) const {
    throw shape_error("einsum", fmt::format("{} in {}", what, text()), remedy);
  }
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

letters letters_of(std::string_view text, const einsum_call& call) {
  letters found;
  for (const char c : text) {
    if (c == ' ') continue;
    if (!is_letter(c)) {
      call.refuse(fmt::format("there is '{}'", c),
                  "write one letter per axis, a comma between operands and -> before the result");
    }
    if (found.is_full()) call.refuse("there are too many letters", "a tensor has at most 8 axes");
    found.push(c);
  }
  return found;
}

/// Gives each letter of an operand the extent of its axis.
void give_extents(parsed_indices& p, const letters& list, const shape& s,
                  std::array<bool, 128>& bound, const einsum_call& call) {
  if (list.size() != s.rank()) {
    call.refuse(fmt::format("there are {} letters for shape {}", list.size(), to_string(s)),
                "write one letter for each axis");
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto at = static_cast<unsigned char>(list[i]);
    if (bound[at] && p.extents[at] != s[i]) {
      call.refuse(fmt::format("letter '{}' is both {} and {}", list[i], p.extents[at], s[i]),
                  "axes with one letter must have one extent");
    }
    bound[at] = true;
    p.extents[at] = s[i];
  }
}

void require_result(const parsed_indices& p, const einsum_call& call) {
  if (p.result.size() > most_dimensions)
    call.refuse("the result has too many letters", "a tensor has at most 8 axes");
  for (const char letter : p.result) {
    if (!p.a.has(letter) && !p.b.has(letter)) {
      call.refuse(fmt::format("letter '{}' of the result stands in no operand", letter),
                  "take it from an operand");
    }
    if (p.result.count(letter) != 1) {
      call.refuse(fmt::format("letter '{}' stands twice in the result", letter),
                  "name each axis of the result once");
    }
  }
}

}  // namespace

parsed_indices parse_indices(std::string_view indices, const shape& a, const shape* b) {
  const einsum_call call{indices, &a, b};
  parsed_indices p;
  const std::size_t arrow = call.indices.find("->");
  const std::string_view operands = call.indices.substr(0, arrow);
  const std::size_t comma = operands.find(',');
  if ((comma != std::string_view::npos) != (call.b != nullptr)) {
    call.refuse(call.b ? "there is no comma" : "there is a comma",
                "write letters for each operand, a comma between two");
  }
  std::array<bool, 128> bound{};
  p.a = letters_of(operands.substr(0, comma), call);
  give_extents(p, p.a, *call.a, bound, call);
  if (call.b) {
    p.b = letters_of(operands.substr(comma + 1), call);
    give_extents(p, p.b, *call.b, bound, call);
  }
  if (arrow != std::string_view::npos) {
    p.result = letters_of(call.indices.substr(arrow + 2), call);
  } else {
    for (int c = 'A'; c <= 'z'; ++c) {
      const char letter = static_cast<char>(c);
      if (p.a.count(letter) + p.b.count(letter) == 1) p.result.push(letter);
    }
  }
  require_result(p, call);
  return p;
}

}  // namespace autodiff
