// The bar on a pseudo-terminal, read back through a small model of a terminal.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <nn/training/progress.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

struct close_file {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using file = std::unique_ptr<std::FILE, close_file>;

/// A terminal of so many columns, whose program side is a FILE.
class pseudo_terminal {
 public:
  explicit pseudo_terminal(unsigned short columns) : master_(posix_openpt(O_RDWR | O_NOCTTY)) {
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) {
      throw std::runtime_error("no pseudo-terminal");
    }
    const int slave = open(ptsname(master_), O_RDWR | O_NOCTTY);
    if (slave < 0) throw std::runtime_error("no pseudo-terminal");
    winsize size{};
    size.ws_row = 24;
    size.ws_col = columns;
    ioctl(slave, TIOCSWINSZ, &size);
    out_.reset(fdopen(slave, "w"));
    // Nothing may be lost in a buffer, nor the writer wait for the reader.
    fcntl(master_, F_SETFL, O_NONBLOCK);
  }
  pseudo_terminal(const pseudo_terminal&) = delete;
  pseudo_terminal& operator=(const pseudo_terminal&) = delete;
  ~pseudo_terminal() { close(master_); }

  std::FILE* out() const { return out_.get(); }
  /// What was written since the last call.
  std::string read_back() const {
    std::string text;
    char block[4096];
    while (true) {
      const ssize_t count = read(master_, block, sizeof block);
      if (count <= 0) return text;
      text.append(block, static_cast<std::size_t>(count));
    }
  }

 private:
  int master_;
  file out_;
};

/// What a terminal shows of carriage returns, line ends and "erase to the end of the line".
struct screen {
  std::vector<std::string> lines{""};
  std::size_t column = 0;
  std::size_t longest = 0;  ///< of all lines at any time

  void show(const std::string& text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, 3, "\x1b[K") == 0) {
        lines.back().resize(std::min(column, lines.back().size()));
        i += 2;
      } else if (text[i] == '\r') {
        column = 0;
      } else if (text[i] == '\n') {
        lines.emplace_back();
      } else {
        if (lines.back().size() <= column) lines.back().resize(column + 1, ' ');
        lines.back()[column++] = text[i];
        longest = std::max(longest, lines.back().size());
      }
    }
  }
};

std::string drawn_by(const pseudo_terminal& terminal,
                     nn::progress wanted = nn::progress::automatic) {
  nn::progress_bar bar(wanted, 3, 20, terminal.out());
  bar.advance(0, 4, 0.5, 64);
  return terminal.read_back();
}

}  // namespace

TEST_CASE("progress is silent where there is no terminal") {
  const file out(std::tmpfile());
  REQUIRE(out);
  {
    nn::progress_bar bar(nn::progress::automatic, 2, 3, out.get());
    for (std::size_t e = 0; e < 2; ++e) {
      for (std::size_t b = 0; b < 3; ++b) bar.advance(e, b, 1.0, 10);
    }
  }
  CHECK(std::ftell(out.get()) == 0);

  int ends[2];
  REQUIRE(pipe(ends) == 0);
  {
    const file into(fdopen(ends[1], "w"));
    nn::progress_bar bar(nn::progress::automatic, 1, 1, into.get());
    bar.advance(0, 0, 1.0, 10);
  }
  char byte;
  CHECK(read(ends[0], &byte, 1) == 0);
  close(ends[0]);
}

TEST_CASE("progress that is switched off is silent on a terminal") {
  const pseudo_terminal terminal(80);
  CHECK(drawn_by(terminal, nn::progress::off).empty());
  CHECK(terminal.read_back().empty());
}

TEST_CASE("progress on a terminal tells epoch, batch, loss, samples per second and time left") {
  const pseudo_terminal terminal(200);
  screen shown;
  shown.show(drawn_by(terminal));
  const std::string& line = shown.lines.back();
  CAPTURE(line);
  CHECK(reference::says(line, "epoch 1/3", "batch 5/20", "loss 0.5000", " samples/s", " s left"));
  // 5 of 60 batches are done: a twelfth of the bar.
  CHECK(reference::says(line, "[==                      ]"));
}

TEST_CASE("progress stays on one line of the terminal, which it leaves empty") {
  const pseudo_terminal terminal(200);
  screen shown;
  {
    nn::progress_bar bar(nn::progress::automatic, 2, 5, terminal.out());
    for (std::size_t e = 0; e < 2; ++e) {
      for (std::size_t b = 0; b < 5; ++b) {
        bar.advance(e, b, 1e6 / static_cast<double>(1 + e * 5 + b), 10);
        shown.show(terminal.read_back());
      }
    }
    CHECK(shown.lines.size() == 1);
    // The last batch is drawn however soon it follows.
    CHECK(reference::says(shown.lines.back(), "epoch 2/2", "batch 5/5",
                          "[========================]", "loss 1.000e+05", " 0 s left"));
  }
  shown.show(terminal.read_back());
  // What the program prints next starts at the left of an empty line.
  CHECK(shown.column == 0);
  CHECK(shown.lines.back().empty());
}

TEST_CASE("a bar that never advanced writes nothing") {
  const pseudo_terminal terminal(80);
  { const nn::progress_bar bar(nn::progress::automatic, 2, 5, terminal.out()); }
  CHECK(terminal.read_back().empty());
}

TEST_CASE("progress is not redrawn for every batch") {
  const pseudo_terminal terminal(200);
  nn::progress_bar bar(nn::progress::automatic, 10, 10000, terminal.out());
  std::size_t bytes = 0;
  for (std::size_t b = 0; b < 10000; ++b) {
    bar.advance(0, b, 1.0, 1);
    bytes += terminal.read_back().size();
  }
  // One line for the first batch and a few for each second; every batch would be a million bytes.
  CHECK(bytes > 0);
  CHECK(bytes < 100000);
}

TEST_CASE("progress fits the width of its terminal: a wrapped line cannot be redrawn") {
  for (const unsigned short columns : {200, 100, 80, 60, 40, 20, 1, 0}) {
    CAPTURE(columns);
    const pseudo_terminal terminal(columns);
    screen shown;
    {
      nn::progress_bar bar(nn::progress::automatic, 1000, 1000, terminal.out());
      bar.advance(998, 997, 123456.789, 1000000000);
      shown.show(terminal.read_back());
    }
    // A terminal that does not know its width counts as one of 80 columns.
    const std::size_t width = columns == 0 ? 80 : columns;
    CHECK(shown.longest < std::max<std::size_t>(width, 2));
    if (width >= 60) CHECK(reference::says(shown.lines.back(), "epoch 999/1000", "batch 998/1000"));
    if (width >= 80) CHECK(reference::says(shown.lines.back(), "loss 1.235e+05"));
  }
}
