#include <autodiff/part_file.hpp>

#include <autodiff/error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

namespace autodiff {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view extension = ".part";

/// Whether it is ".name.12-3.part", a part of the file `name`.
bool is_part_of(std::string_view name, std::string_view part) {
  const std::string prefix = fmt::format(".{}.", name);
  if (part.size() < prefix.size() + extension.size() || !part.starts_with(prefix) ||
      !part.ends_with(extension))
    return false;
  const std::string_view numbers =
      part.substr(prefix.size(), part.size() - prefix.size() - extension.size());
  return numbers.find_first_not_of("0123456789-") == numbers.npos;
}

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
  remove_abandoned();
  static std::atomic<unsigned> count{0};
  do {
    part_ = folder() /
            fmt::format(".{}.{}-{}{}", target_.filename().string(), getpid(), count++, extension);
  } while (!begin());
}

/// Whether there is a part of this name now, this writer's own. A writer at work holds a lock,
/// which no death survives: a part that can be locked is abandoned.
bool part_file::begin() {
  descriptor_ = open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0 && errno == EEXIST) return false;
  if (descriptor_ < 0) refuse(errno);
  // Until then another writer may have taken it for an abandoned one. Where there are no locks
  // nobody can.
  const bool is_taken = flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  std::error_code ignored;
  if (!is_taken && fs::exists(part_, ignored)) return true;
  close(std::exchange(descriptor_, -1));
  return false;
}

void part_file::remove_abandoned() const {
  std::error_code ignored;
  const fs::directory_iterator end;
  for (fs::directory_iterator entry(folder(), ignored); entry != end; entry.increment(ignored)) {
    if (!is_part_of(target_.filename().string(), entry->path().filename().string())) continue;
    const int part = open(entry->path().c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (part < 0) continue;
    if (flock(part, LOCK_EX | LOCK_NB) == 0) fs::remove(entry->path(), ignored);
    close(part);
  }
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
  std::error_code failure;
  fs::rename(part_, target_, failure);  // still locked
  if (failure) refuse(failure.value());
  kept_ = true;
  close(std::exchange(descriptor_, -1));
  synchronise_folder();
}

fs::path part_file::folder() const {
  return target_.has_parent_path() ? target_.parent_path() : fs::path(".");
}

// The new name is in the folder, whose own pages a power cut may lose. Not every file system can
// synchronise a folder; the file is complete in any case, so that is no error.
void part_file::synchronise_folder() const {
  const int descriptor = open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

void part_file::refuse(int code) const {
  throw io_error(operation_,
                 fmt::format("\"{}\" cannot be written ({})", target_.string(),
                             std::generic_category().message(code)),
                 "check the folder, its permissions and its space");
}

}  // namespace autodiff
