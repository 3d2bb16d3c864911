#include <autodiff/part_file.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <autodiff/error.hpp>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace autodiff {

namespace fs = std::filesystem;

namespace {

/// What a link leads to is to be replaced, not the link.
fs::path behind_links(const fs::path& file) {
  std::error_code failure;
  if (!fs::is_symlink(file, failure)) return file;
  const fs::path found = fs::canonical(file, failure);
  return failure ? file : found;
}

}  // namespace

part_file::part_file(std::string_view operation, const fs::path& file)
    : operation_(operation), target_(behind_links(file)) {
  // Renamed over a device, a file would take its place; over a folder it would fail, but late.
  std::error_code ignored;
  const fs::file_status there = fs::status(file, ignored);
  if (fs::exists(there) && !fs::is_regular_file(there)) {
    throw io_error(operation_,
                   fmt::format("\"{}\" is {}", file.string(),
                               fs::is_directory(there) ? "a directory" : "a device or a pipe"),
                   "name a file");
  }
  static std::atomic<unsigned> count{0};
  // A program that was killed may have left a part behind, and had this one's number.
  do {
    part_ = target_.parent_path() /
            fmt::format(".{}.{}-{}.part", target_.filename().string(), getpid(), count++);
    descriptor_ = open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) refuse(errno);
}

part_file::~part_file() {
  if (descriptor_ >= 0) close(descriptor_);
  std::error_code ignored;
  if (!kept_) fs::remove(part_, ignored);
}

void part_file::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written < 0 && errno != EINTR) refuse(errno);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void part_file::keep() {
  // A full disk or a lost network folder may speak up only now.
  if (fsync(descriptor_) != 0) refuse(errno);
  const int closed = close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) refuse(errno);
  std::error_code failure;
  fs::rename(part_, target_, failure);
  if (failure) refuse(failure.value());
  kept_ = true;
  synchronise_folder();
}

// The new name is in the folder, whose own pages a power cut may lose. Not every file system can
// synchronise a folder; the file is complete in any case, so that is no error.
void part_file::synchronise_folder() const {
  const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

void part_file::refuse(int code) const {
  throw io_error(operation_,
                 fmt::format("\"{}\" cannot be written ({})", target_.string(),
                             std::generic_category().message(code)),
                 "check the folder and its permissions");
}

}  // namespace autodiff
