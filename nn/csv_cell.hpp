#pragma once
// What a cell of a table says, and how one is refused that says nothing.

#include <nn/csv_reader.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nn {

/// A decimal number, also with a plus or an exponent; nothing for one that is not finite as T and
/// for what is no number.
template <class T>
std::optional<T> read_number(std::string_view cell);

[[noreturn]] void refuse_number(const csv_reader& reader, std::size_t column,
                                std::string_view cell);
[[noreturn]] void refuse_missing(const csv_reader& reader, std::size_t column);

bool is_missing(std::string_view cell, std::span<const std::string> missing_words);

}  // namespace nn
