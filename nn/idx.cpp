#include <nn/idx.hpp>

#include <algorithm>
#include <array>
#include <autodiff/error.hpp>
#include <cerrno>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <zlib.h>

namespace nn {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t first_block = std::size_t{1} << 20;

constexpr std::string_view fetch_again = "fetch or copy it again";

/// A plain or gzip file as one stream of bytes; every refusal names the operation and the path.
class source {
 public:
  source(std::string_view operation, const fs::path& path)
      : operation_(operation), name_(path.string()) {
    std::error_code ignored;
    const fs::file_status status = fs::status(path, ignored);
    if (status.type() == fs::file_type::not_found) refuse("does not exist", neighbour(path));
    if (status.type() == fs::file_type::directory) {
      refuse("is a directory", "name the IDX file inside it");
    }
    errno = 0;
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) {
      const int code = errno == 0 ? ENOMEM : errno;
      refuse(fmt::format("cannot be opened ({})", std::generic_category().message(code)),
             "check its permissions");
    }
    gzbuffer(file_.get(), 1U << 17);
  }

  /// Fills `to`; fewer bytes come back only at the end of the stream, whose checksum has then been
  /// compared. Bytes that follow a complete gzip stream are zlib's to ignore, as gzip does.
  std::size_t read(std::span<std::uint8_t> to) {
    std::size_t filled = 0;
    while (filled < to.size()) {
      constexpr std::size_t most = std::numeric_limits<int>::max();
      const auto ask = static_cast<unsigned>(std::min(to.size() - filled, most));
      const int got = gzread(file_.get(), to.data() + filled, ask);
      if (got <= 0) break;
      filled += static_cast<std::size_t>(got);
    }
    if (filled < to.size()) check();
    return filled;
  }

  [[noreturn]] void refuse(std::string_view happened, std::string_view remedy) const {
    throw autodiff::io_error(operation_, fmt::format("\"{}\" {}", name_, happened), remedy);
  }

 private:
  /// Asked at the end of the stream: zlib reports a gzip stream cut short here, not in gzread.
  void check() const {
    int code = Z_OK;
    std::string_view why = gzerror(file_.get(), &code);
    if (code == Z_OK || code == Z_STREAM_END) return;
    if (why.starts_with(name_ + ": ")) why.remove_prefix(name_.size() + 2);
    if (code == Z_ERRNO) refuse(fmt::format("cannot be read ({})", why), "check the device");
    if (code == Z_MEM_ERROR) refuse("cannot be read (out of memory)", "free some memory");
    if (code == Z_BUF_ERROR) {
      refuse("is a gzip file cut short before the end of its stream", fetch_again);
    }
    refuse(fmt::format("is a damaged gzip file (zlib: {})", why), fetch_again);
  }

  /// MNIST comes with and without .gz, so the file next door is worth a look.
  static std::string neighbour(const fs::path& path) {
    fs::path other = path;
    if (other.extension() == ".gz") {
      other.replace_extension();
    } else {
      other += ".gz";
    }
    std::error_code ignored;
    if (!fs::exists(other, ignored)) return "check the path";
    return fmt::format("did you mean \"{}\"?", other.string());
  }

  struct closer {
    void operator()(gzFile file) const { gzclose_r(file); }
  };

  std::string operation_;
  std::string name_;
  std::unique_ptr<gzFile_s, closer> file_;
};

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

[[noreturn]] void refuse_magic(source& file, std::span<const std::uint8_t> magic) {
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
std::size_t read_rank(source& file) {
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

std::vector<std::size_t> read_extents(source& file, std::size_t rank) {
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

/// The number of values, or nothing where it does not fit a std::size_t.
std::optional<std::size_t> product(const std::vector<std::size_t>& extents) {
  if (std::find(extents.begin(), extents.end(), 0U) != extents.end()) return 0;
  std::size_t total = 1;
  for (const std::size_t extent : extents) {
    if (total > std::numeric_limits<std::size_t>::max() / extent) return std::nullopt;
    total *= extent;
  }
  return total;
}

std::vector<std::uint8_t> read_values(source& file, const std::vector<std::size_t>& extents) {
  const std::string shape = fmt::format("[{}]", fmt::join(extents, ", "));
  const std::optional<std::size_t> expected = product(extents);
  if (!expected) {
    file.refuse(fmt::format("claims {} values, more than any memory holds", shape), fetch_again);
  }
  std::vector<std::uint8_t> values;
  while (values.size() < *expected) {
    // Doubles what has really come, so that a lying header cannot ask for memory.
    const std::size_t have = values.size();
    const std::size_t block = std::min(std::max(first_block, have), *expected - have);
    values.reserve(have + block);
    values.resize(have + block);
    const std::size_t got = file.read(std::span(values).subspan(have));
    if (got < block) {
      file.refuse(fmt::format("is truncated: its header {} promises {} bytes of values, {} follow",
                              shape, *expected, have + got),
                  fetch_again);
    }
  }
  // This read also carries a gzip stream to its end, where its checksum stands.
  std::array<std::uint8_t, 4096> more{};
  const std::size_t left = file.read(more);
  if (left > 0) {
    file.refuse(fmt::format("has {}{} bytes after the {} that its header {} promises",
                            left == more.size() ? "at least " : "", left, *expected, shape),
                "the header does not belong to these values; fetch or write the file again");
  }
  return values;
}

void check_rank(const source& file, const std::vector<std::size_t>& extents, std::size_t wanted,
                std::string_view wanted_name) {
  const std::size_t rank = extents.size();
  if (rank == wanted) return;
  const std::string shape = fmt::format("[{}]", fmt::join(extents, ", "));
  if (rank == 1 || rank == 3) {
    file.refuse(fmt::format("holds {} (rank {}, {}), {} (rank {}) were asked for",
                            rank == 1 ? "labels" : "images", rank, shape, wanted_name, wanted),
                "did you swap the two paths?");
  }
  file.refuse(fmt::format("holds values of rank {}, {}, {} (rank {}) were asked for", rank, shape,
                          wanted_name, wanted),
              fmt::format("give the file with the {}", wanted_name));
}

/// With wanted == 0 any rank serves.
idx_array read(std::string_view operation, const fs::path& path, std::size_t wanted,
               std::string_view wanted_name) {
  source file(operation, path);
  idx_array result{read_extents(file, read_rank(file)), {}};
  if (wanted != 0) check_rank(file, result.extents, wanted, wanted_name);
  result.values = read_values(file, result.extents);
  return result;
}

}  // namespace

idx_array read_idx(const fs::path& path) { return read("read_idx", path, 0, {}); }

idx_array read_idx_images(const fs::path& path) {
  return read("read_idx_images", path, 3, "images");
}

idx_array read_idx_labels(const fs::path& path) {
  return read("read_idx_labels", path, 1, "labels");
}

}  // namespace nn
