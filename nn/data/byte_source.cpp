#include <nn/data/byte_source.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <system_error>

namespace nn {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t first_block = std::size_t{1} << 20;

/// Data sets come with and without .gz, so the file next door is worth a look.
std::string neighbour(const fs::path& path) {
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

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t most = 40;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80; };
  std::size_t end = std::min(most, text.size());
  // A character of UTF-8 has up to three bytes more than its first, and is not cut in two.
  if (end < text.size()) {
    while (end > most - 3 && continues(end)) --end;
  }
  std::string result;
  for (std::size_t i = 0; i < end; ++i) {
    // C2 80 to C2 9F are controls, too: 9B begins the commands of a terminal.
    const bool is_control =
        byte(i) < ' ' || byte(i) == 0x7F ||
        (byte(i) == 0xC2 && i + 1 < end && continues(i + 1) && byte(i + 1) < 0xA0);
    result += is_control ? '.' : text[i];
    if (is_control && byte(i) == 0xC2) ++i;
  }
  if (end < text.size()) result += "...";
  return result;
}

void byte_source::refuse(std::string_view happened, std::string_view remedy) const {
  throw autodiff::io_error(operation_, fmt::format("\"{}\" {}", name_, happened), remedy);
}

struct input_file::handle {
  explicit handle(const fs::path& path) : stream(gzopen(path.c_str(), "rb")) {}
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  ~handle() {
    if (stream) gzclose_r(stream);
  }

  gzFile stream;
};

input_file::input_file(std::string_view operation, const fs::path& path, std::string_view kind)
    : byte_source(operation, path.string()) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (status.type() == fs::file_type::not_found) refuse("does not exist", neighbour(path));
  if (status.type() == fs::file_type::directory) {
    refuse("is a directory", fmt::format("name the {} inside it", kind));
  }
  errno = 0;
  file_ = std::make_unique<handle>(path);
  if (!file_->stream) {
    const int code = errno == 0 ? ENOMEM : errno;
    refuse(fmt::format("cannot be opened ({})", std::generic_category().message(code)),
           "check its permissions");
  }
  gzbuffer(file_->stream, 1U << 17);
}

input_file::~input_file() = default;

std::size_t input_file::read(std::span<std::uint8_t> to) {
  std::size_t filled = 0;
  while (filled < to.size()) {
    constexpr std::size_t most = std::numeric_limits<int>::max();
    const auto ask = static_cast<unsigned>(std::min(to.size() - filled, most));
    const int got = gzread(file_->stream, to.data() + filled, ask);
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled < to.size()) check();
  return filled;
}

/// Asked at the end of the stream: zlib reports a gzip stream cut short here, not in gzread.
void input_file::check() const {
  int code = Z_OK;
  std::string_view why = gzerror(file_->stream, &code);
  if (code == Z_OK || code == Z_STREAM_END) return;
  if (why.starts_with(name() + ": ")) why.remove_prefix(name().size() + 2);
  if (code == Z_ERRNO) refuse(fmt::format("cannot be read ({})", why), "check the device");
  if (code == Z_MEM_ERROR) refuse("cannot be read (out of memory)", "free some memory");
  if (code == Z_BUF_ERROR) {
    refuse("is a gzip file cut short before the end of its stream", fetch_again);
  }
  refuse(fmt::format("is a damaged gzip file (zlib: {})", why), fetch_again);
}

std::optional<std::size_t> product(std::span<const std::size_t> extents) {
  if (std::find(extents.begin(), extents.end(), 0U) != extents.end()) return 0;
  std::size_t total = 1;
  for (const std::size_t extent : extents) {
    if (total > std::numeric_limits<std::size_t>::max() / extent) return std::nullopt;
    total *= extent;
  }
  return total;
}

void refuse_truncated(const byte_source& source, std::string_view promise, std::size_t promised,
                      std::size_t came) {
  source.refuse(fmt::format("is truncated: its header {} promises {} bytes of values, {} follow",
                            promise, promised, came),
                fetch_again);
}

std::vector<std::uint8_t> read_promised(byte_source& source, std::size_t bytes,
                                        std::string_view promise) {
  std::vector<std::uint8_t> values;
  while (values.size() < bytes) {
    // Doubles what has really come, so that a lying header cannot ask for memory.
    const std::size_t have = values.size();
    const std::size_t block = std::min(std::max(first_block, have), bytes - have);
    values.reserve(have + block);
    values.resize(have + block);
    const std::size_t got = source.read(std::span(values).subspan(have));
    if (got < block) refuse_truncated(source, promise, bytes, have + got);
  }
  return values;
}

void require_end(byte_source& source, std::size_t bytes, std::string_view promise) {
  // This read also carries a compressed stream to its end, where its checksum stands.
  std::array<std::uint8_t, 4096> more{};
  const std::size_t left = source.read(more);
  if (left == 0) return;
  source.refuse(fmt::format("has {}{} bytes after the {} that its header {} promises",
                            left == more.size() ? "at least " : "", left, bytes, promise),
                "the header does not belong to these values; fetch or write the file again");
}

}  // namespace nn
