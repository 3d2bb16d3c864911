#include <nn/data/idx_format.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace nn {
namespace {

constexpr std::uint8_t unsigned_byte = 0x08;

/// The name of an IDX type code; empty where the format knows no such code.
std::string_view type_name(std::uint8_t code) {
  switch (code) {
    case unsigned_byte: return "unsigned byte";
    case 0x09: return "signed byte";
    case 0x0B: return "short";
    case 0x0C: return "int";
    case 0x0D: return "float";
    case 0x0E: return "double";
    default: return {};
  }
}

[[noreturn]] void refuse_magic(byte_source& file, std::span<const std::uint8_t> magic) {
  std::array<std::uint8_t, 16> first{};
  const auto rest = std::copy(magic.begin(), magic.end(), first.begin());
  const std::size_t size = magic.size() + file.read({rest, first.end()});
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += first[i] >= 0x20 && first[i] < 0x7F ? static_cast<char>(first[i]) : '.';
  }
  file.refuse(fmt::format("is not an IDX file: it begins with {:02x} (\"{}\")",
                          fmt::join(first.begin(), first.begin() + size, " "), text),
              "IDX begins with 00 00 08, then the rank; give an IDX file, plain or gzip");
}

/// Reads the magic number and leaves the rank, 1 to 255.
std::size_t read_rank(byte_source& file) {
  std::array<std::uint8_t, 4> magic{};
  const std::size_t size = file.read(magic);
  if (size == 0) file.refuse("is empty", fetch_again);
  if (magic[0] != 0 || magic[1] != 0) refuse_magic(file, {magic.data(), size});
  if (size < magic.size()) {
    file.refuse(fmt::format("ends inside its header, after {} of at least 8 bytes", size),
                fetch_again);
  }
  const std::string_view type = type_name(magic[2]);
  if (type.empty() || magic[3] == 0) refuse_magic(file, magic);
  if (magic[2] != unsigned_byte) {
    file.refuse(fmt::format("holds values of type {} (type code 0x{:02X})", type, magic[2]),
                "only unsigned bytes (type code 0x08) are read; convert the file");
  }
  return magic[3];
}

}  // namespace

std::vector<std::size_t> read_idx_header(byte_source& file) {
  const std::size_t rank = read_rank(file);
  std::vector<std::uint8_t> bytes(4 * rank);
  const std::size_t size = file.read(bytes);
  if (size < bytes.size()) {
    file.refuse(fmt::format("ends inside its header, after {} of {} bytes (rank {})", 4 + size,
                            4 + bytes.size(), rank),
                fetch_again);
  }
  std::vector<std::size_t> extents(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    for (std::size_t byte = 4 * i; byte < 4 * i + 4; ++byte) {
      extents[i] = (extents[i] << 8U) | bytes[byte];
    }
  }
  return extents;
}

}  // namespace nn
