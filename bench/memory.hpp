#pragma once
// How much memory a piece of work takes at its peak, above what the process had before.

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <string>

namespace bench {

/// A figure of /proc/self/status in bytes; NaN where there is none.
inline double process_figure(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kib;
    if (word == name + ":" && status >> kib) return kib * 1024;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

/// Makes a tool and lets it do so many steps, in a process of its own, which starts with what this
/// one has resident; to be called before this one has freed memory that the tool could take over.
/// Bytes; NaN where the system does not tell.
template <class Make>
double peak_memory(Make&& make, int times) {
  int ends[2];
  if (pipe(ends) != 0) return std::numeric_limits<double>::quiet_NaN();
  const pid_t child = fork();
  if (child == 0) {
    // What is freed goes back at once, or the making of a tool would count as its use.
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    mallopt(M_TOP_PAD, 0);
    const double before = process_figure("VmRSS");
    const auto tool = make();
    std::ofstream("/proc/self/clear_refs") << "5";  // its making does not count, what it holds does
    for (int i = 0; i < times; ++i) tool->step();
    const double bytes = process_figure("VmHWM") - before;
    _exit(write(ends[1], &bytes, sizeof(bytes)) == sizeof(bytes) ? 0 : 1);
  }
  double bytes = std::numeric_limits<double>::quiet_NaN();
  close(ends[1]);
  if (child < 0 || read(ends[0], &bytes, sizeof(bytes)) != sizeof(bytes)) bytes = NAN;
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  return bytes;
}

}  // namespace bench
