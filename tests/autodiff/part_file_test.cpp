#include <tests/catch.hpp>
#include <tests/nn/files.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <autodiff/part_file.hpp>

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

}  // namespace

TEST_CASE("a file that is kept replaces the one of its name, another one leaves it") {
  const temporary_folder folder;
  write(folder / "a", "old");
  {
    autodiff::part_file dropped("test", folder / "a");
    dropped.write("half of the n");
  }
  CHECK(content_of(folder / "a") == "old");
  write(folder / "a", "new");
  CHECK(content_of(folder / "a") == "new");
  CHECK(folder.files() == 1);
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
