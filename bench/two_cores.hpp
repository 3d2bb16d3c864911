#pragma once
// Where a program may run: one core for most of what it measures, two for what has threads.

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

namespace bench {

/// While it lives, this thread and those it starts may run on two cores: the one that the suite is
/// pinned to and another one, no second thread of the same core where the system tells.
class two_cores {
 public:
  two_cores() {
    sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t cpus = before_;
    const std::size_t own = first_of(cpus), other = far_from(own);
    CPU_SET(other, &cpus);
    found_ = other != own;
    sched_setaffinity(0, sizeof(cpus), &cpus);
  }
  ~two_cores() { sched_setaffinity(0, sizeof(before_), &before_); }
  two_cores(const two_cores&) = delete;
  two_cores& operator=(const two_cores&) = delete;

  explicit operator bool() const { return found_; }
  /// What the process might run on when it started.
  static cpu_set_t& allowed() {
    static cpu_set_t cpus;
    return cpus;
  }

 private:
  static std::size_t first_of(const cpu_set_t& cpus) {
    std::size_t cpu = 0;
    while (cpu + 1 < CPU_SETSIZE && !CPU_ISSET(cpu, &cpus)) ++cpu;
    return cpu;
  }
  /// Virtual machines may hide which CPUs share a core, and number those that do side by side: the
  /// search starts half way round.
  static std::size_t far_from(std::size_t own) {
    std::vector<std::size_t> cpus;
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &allowed())) cpus.push_back(cpu);
    }
    const auto at = std::find(cpus.begin(), cpus.end(), own) - cpus.begin();
    for (std::size_t i = 0; i < cpus.size(); ++i) {
      const std::size_t cpu =
          cpus[(static_cast<std::size_t>(at) + cpus.size() / 2 + i) % cpus.size()];
      if (cpu != own && core_of(cpu) != core_of(own)) return cpu;
    }
    return own;
  }
  /// The CPUs that share its core, as the system writes them.
  static std::string core_of(std::size_t cpu) {
    std::ifstream file(
        fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
    std::string text;
    return file >> text ? text : std::to_string(cpu);
  }

  cpu_set_t before_;
  bool found_ = false;
};

}  // namespace bench
