#pragma once
// A terminal that nobody looks at in place of standard error, so that what programs draw on one is
// part of what is measured.

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace bench {

/// Standard error is a terminal while it lives.
class unwatched_terminal {
 public:
  unwatched_terminal() : master_(posix_openpt(O_RDWR | O_NOCTTY)), before_(dup(STDERR_FILENO)) {
    const bool is_open = master_ >= 0 && grantpt(master_) == 0 && unlockpt(master_) == 0;
    const int slave = is_open ? open(ptsname(master_), O_RDWR | O_NOCTTY) : -1;
    if (slave < 0) throw std::runtime_error("no terminal can be opened");
    dup2(slave, STDERR_FILENO);
    close(slave);
    // Reads until the last one who could write has closed it.
    reader_ = std::thread([master = master_] {
      char text[4096];
      while (read(master, text, sizeof text) > 0) {
      }
    });
  }
  unwatched_terminal(const unwatched_terminal&) = delete;
  unwatched_terminal& operator=(const unwatched_terminal&) = delete;
  ~unwatched_terminal() {
    dup2(before_, STDERR_FILENO);
    close(before_);
    reader_.join();
    close(master_);
  }

 private:
  int master_, before_;
  std::thread reader_;
};

}  // namespace bench
