#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <autodiff/part_file.hpp>

#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void put(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

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
  put(folder / "f", "before");
  {
    autodiff::part_file dropped("test", folder / "f");
    dropped.write("half");
  }
  CHECK(content(folder / "f") == "before");
  autodiff::part_file kept("test", folder / "f");
  kept.write("af");
  kept.write("ter");
  CHECK(content(folder / "f") == "before");
  kept.keep();
  CHECK(content(folder / "f") == "after");
  CHECK(folder.files() == 1);
}

TEST_CASE("what a writer that was killed left behind goes with the next one of the same file") {
  const temporary_folder folder;
  // As a death leaves them: nobody has them locked.
  for (const char* part : {".f.12345-0.part", ".f.1-17.part"}) put(folder / part, "half");
  // No parts of this file.
  for (const char* other :
       {".g.1-0.part", ".f.part", ".f.old.part", ".f.1-0.part.txt", "f.1-0.part", ".f.g.1-0.part"})
    put(folder / other, "mine");
  fs::create_symlink(folder / "g", folder / ".f.2-2.part");
  put(folder / "g", "mine");
  autodiff::part_file next("test", folder / "f");
  CHECK(!fs::exists(folder / ".f.12345-0.part"));
  CHECK(!fs::exists(folder / ".f.1-17.part"));
  next.keep();
  CHECK(folder.files() == 9);
  CHECK(content(folder / "g") == "mine");
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
  CHECK(content(folder / "f") == "second");
  first.write(" at last");
  first.keep();
  CHECK(content(folder / "f") == "first at last");
  CHECK(folder.files() == 1);
}

TEST_CASE("a disk that is full is told, and leaves the file as it was") {
  const temporary_folder folder;
  put(folder / "f", "before");
  const std::string text = reference::message<autodiff::io_error>([&] {
    const full_disk full(1000);
    autodiff::part_file large("test", folder / "f");
    large.write(std::string(5000, 'x'));
    large.keep();
  });
  CHECK(reference::says(text, "test: \"", "/f\" cannot be written (",
                        "check the folder, its permissions and its space"));
  CHECK(content(folder / "f") == "before");
  CHECK(folder.files() == 1);
}

TEST_CASE("a folder that is not there is told before anything is written") {
  const temporary_folder folder;
  CHECK(reference::says(reference::message<autodiff::io_error>(
                            [&] { autodiff::part_file("test", folder / "none/f"); }),
                        "/none/f\" cannot be written (No such file or directory)"));
}
