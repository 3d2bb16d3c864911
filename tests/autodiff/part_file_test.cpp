#include <tests/catch.hpp>
#include <tests/files.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <autodiff/part_file.hpp>

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sighandler_t is of the system
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) {
  autodiff::part_file file("test", path);
  file.write(text);
  file.keep();
}

std::string refusal(const fs::path& path) {
  return reference::message<autodiff::io_error>([&] { write(path, "new"); });
}

/// While it lives no file of this program grows beyond so many bytes, as on a full disk.
class full_disk {
 public:
  explicit full_disk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit now = before_;
    now.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~full_disk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;

 private:
  sighandler_t handler_ = signal(SIGXFSZ, SIG_IGN);
  rlimit before_{};
};

}  // namespace

TEST_CASE("a file appears when it is kept, and else not at all") {
  const temporary_folder folder;
  write_file(folder / "f", "before");
  {
    autodiff::part_file dropped("test", folder / "f");
    dropped.write("half");
  }
  CHECK(content_of(folder / "f") == "before");
  autodiff::part_file kept("test", folder / "f");
  kept.write("af");
  kept.write("ter");
  CHECK(content_of(folder / "f") == "before");
  kept.keep();
  CHECK(content_of(folder / "f") == "after");
  CHECK(folder.files() == 1);
}

TEST_CASE("what a writer that was killed left behind goes with the next one of the same file") {
  const temporary_folder folder;
  // As a death leaves them: nobody has them locked.
  for (const char* part : {".f.12345-0.part", ".f.1-17.part"}) write_file(folder / part, "half");
  // No parts of this file.
  for (const char* other :
       {".g.1-0.part", ".f.part", ".f.old.part", ".f.1-0.part.txt", "f.1-0.part", ".f.g.1-0.part"})
    write_file(folder / other, "mine");
  fs::create_symlink(folder / "g", folder / ".f.2-2.part");
  write_file(folder / "g", "mine");
  autodiff::part_file next("test", folder / "f");
  CHECK(!fs::exists(folder / ".f.12345-0.part"));
  CHECK(!fs::exists(folder / ".f.1-17.part"));
  next.keep();
  CHECK(folder.files() == 9);
  CHECK(content_of(folder / "g") == "mine");
}

TEST_CASE("a writer at work keeps its part while others of the same file come and go") {
  const temporary_folder folder;
  autodiff::part_file first("test", folder / "f");
  first.write("first");
  {
    autodiff::part_file second("test", folder / "f");
    second.write("second");
    autodiff::part_file third("test", folder / "f");
    second.keep();
  }
  CHECK(content_of(folder / "f") == "second");
  first.write(" at last");
  first.keep();
  CHECK(content_of(folder / "f") == "first at last");
  CHECK(folder.files() == 1);
}

TEST_CASE("a disk that is full is told, and leaves the file as it was") {
  const temporary_folder folder;
  write_file(folder / "f", "before");
  const std::string text = reference::message<autodiff::io_error>([&] {
    const full_disk full(1000);
    autodiff::part_file large("test", folder / "f");
    large.write(std::string(5000, 'x'));
    large.keep();
  });
  CHECK(reference::says(text, "test: \"", "/f\" cannot be written (",
                        "check the folder, its permissions and its space"));
  CHECK(content_of(folder / "f") == "before");
  CHECK(folder.files() == 1);
}

TEST_CASE("a folder that is not there is told before anything is written") {
  const temporary_folder folder;
  CHECK(reference::says(reference::message<autodiff::io_error>(
                            [&] { autodiff::part_file("test", folder / "none/f"); }),
                        "/none/f\" cannot be written (No such file or directory)"));
}

TEST_CASE("behind a link, the file is replaced and not the link") {
  const temporary_folder folder;
  fs::create_directory(folder / "there");
  write_file(folder / "there/a", "old");
  fs::create_symlink("there/a", folder / "link");
  write(folder / "link", "new");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(content_of(folder / "there/a") == "new");
}

TEST_CASE("what is no file is refused before anything is written, and stays") {
  const temporary_folder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  fs::create_symlink("pipe", folder / "link");
  CHECK(refusal(folder / "pipe") ==
        "test: \"" + (folder / "pipe").string() + "\" is a device or a pipe; name a file");
  CHECK(reference::says(refusal(folder / "link"), "link\" is a device or a pipe"));
  CHECK(fs::is_fifo(folder / "pipe"));
  CHECK(reference::says(refusal(folder.path()), "is a directory; name a file"));
  CHECK(reference::says(refusal(folder / "none/a"), "cannot be written (No such file"));
  CHECK(folder.files() == 2);
}
