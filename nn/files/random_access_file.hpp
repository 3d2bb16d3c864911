#pragma once
// A file of which any bytes can be read.

#include <nn/files/named_file.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace nn {

/// An open file. Every member throws io_error through its name.
class random_access_file {
 public:
  /// Throws where there is no such file, or a directory, a device or a pipe.
  explicit random_access_file(named_file name);
  random_access_file(const random_access_file&) = delete;
  random_access_file& operator=(const random_access_file&) = delete;
  ~random_access_file();

  const named_file& name() const noexcept { return name_; }
  /// Bytes that it had when it was opened.
  std::uint64_t size() const noexcept { return size_; }
  /// Fills `to` with the bytes that begin at `from`. Throws where the file ends before.
  void read(std::uint64_t from, std::span<std::byte> to) const;

 private:
  /// Owned apart from the rest, so that a constructor that throws closes it.
  class descriptor {
   public:
    explicit descriptor(int number) : number(number) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor();
    const int number;
  };

  [[noreturn]] void refuse(int code) const;

  named_file name_;
  descriptor descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace nn
