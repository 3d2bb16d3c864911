#pragma once
// Bytes that come one after the other, from a file or from an entry of an archive, for the readers
// of formats. Every refusal names the operation and the place that the bytes come from.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nn {

inline constexpr std::string_view fetch_again = "fetch or copy it again";

/// Text of a file as messages show it: short, and nothing that a terminal would obey.
std::string shown(std::string_view text);

class byte_source {
 public:
  byte_source(std::string_view operation, std::string name)
      : operation_(operation), name_(std::move(name)) {}
  virtual ~byte_source() = default;

  /// Fills `to`; fewer bytes come back only at the end, and then the source is proven whole. Throws
  /// autodiff::io_error for one that is damaged or cannot be read.
  virtual std::size_t read(std::span<std::uint8_t> to) = 0;

  /// Throws io_error: operation: "name" happened; remedy.
  [[noreturn]] void refuse(std::string_view happened, std::string_view remedy) const;

  const std::string& operation() const noexcept { return operation_; }
  const std::string& name() const noexcept { return name_; }

 private:
  std::string operation_;
  std::string name_;
};

/// A plain or a gzip file, told apart by its content.
class input_file : public byte_source {
 public:
  /// Throws io_error when there is no such file, when it is a directory, when it cannot be opened.
  /// `kind` says what was looked for: "IDX file".
  input_file(std::string_view operation, const std::filesystem::path& path, std::string_view kind);
  ~input_file() override;

  /// Bytes that follow a complete gzip stream are zlib's to ignore, as gzip does.
  std::size_t read(std::span<std::uint8_t> to) override;

 private:
  struct handle;

  void check() const;

  std::unique_ptr<handle> file_;
};

/// The product of the extents, or nothing where it does not fit a std::size_t.
std::optional<std::size_t> product(std::span<const std::size_t> extents);

/// Throws io_error: a header `promise` ("[2, 3]") promised so many bytes of values, fewer came.
[[noreturn]] void refuse_truncated(const byte_source& source, std::string_view promise,
                                   std::size_t promised, std::size_t came);
/// So many bytes. Memory grows with what really comes, whatever was promised. Throws io_error for
/// fewer.
std::vector<std::uint8_t> read_promised(byte_source& source, std::size_t bytes,
                                        std::string_view promise);
/// Throws io_error unless the source is at its end, behind `bytes` of promised values.
void require_end(byte_source& source, std::size_t bytes, std::string_view promise);

}  // namespace nn
