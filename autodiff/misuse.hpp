#pragma once
// What is said to somebody who uses a variable or a tape where it cannot serve; kept out of line,
// so that the checks themselves stay one compare.

#include <autodiff/error.hpp>
#include <autodiff/expression.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace autodiff::tape_errors {
[[noreturn]] void out_of_memory(std::size_t bytes, std::size_t limit);
[[noreturn]] void out_of_places();
[[noreturn]] void foreign(std::string_view operation, tag_type tag, tag_type tape,
                          std::uint64_t places);
[[noreturn]] void passive(std::string_view operation);
[[noreturn]] void no_sweep_yet(std::string_view operation);
[[noreturn]] void recorded_after_sweep(std::string_view operation);
[[noreturn]] void foreign_mark(std::string_view operation);
[[noreturn]] void nothing_to_resume(std::string_view operation);
[[noreturn]] void cotangent_count(std::string_view operation, std::size_t outputs,
                                  std::size_t cotangents);
[[noreturn]] void variable_count(std::string_view operation, std::size_t from, std::size_t to);
}  // namespace autodiff::tape_errors
