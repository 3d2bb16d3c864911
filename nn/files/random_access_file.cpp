#include <nn/files/random_access_file.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace nn {

// Opening a pipe would wait for somebody to write, were it not for O_NONBLOCK.
random_access_file::random_access_file(named_file name)
    : name_(std::move(name)),
      descriptor_(open(name_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  struct stat status;
  if (descriptor_.number < 0 || fstat(descriptor_.number, &status) != 0) refuse(errno);
  if (!S_ISREG(status.st_mode)) {
    name_.refuse(S_ISDIR(status.st_mode) ? "is a directory" : "is a device or a pipe",
                 "name a file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

random_access_file::~random_access_file() = default;

random_access_file::descriptor::~descriptor() {
  if (number >= 0) close(number);
}

void random_access_file::read(std::uint64_t from, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t got = pread(descriptor_.number, to.data(), to.size(), static_cast<off_t>(from));
    if (got == 0) name_.refuse("became shorter while it was read", "let no program write it then");
    if (got < 0 && errno != EINTR) refuse(errno);
    if (got > 0) {
      to = to.subspan(static_cast<std::size_t>(got));
      from += static_cast<std::uint64_t>(got);
    }
  }
}

void random_access_file::refuse(int code) const {
  if (code == ENOENT) name_.refuse("does not exist", "check the path");
  name_.refuse(fmt::format("cannot be read ({})", std::generic_category().message(code)),
               "check the file and its permissions");
}

}  // namespace nn
