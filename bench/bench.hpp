#pragma once
// Contestants timed side by side. Clocks of shared and virtual machines wander by tens of percent
// over seconds, so contestants take turns in one process, A B C A B C ..., each turn some
// milliseconds of inner repetitions, and figures are ratios within one run: fastest to fastest, and
// the median of the ratios of neighbouring turns. Where both agree the machine was calm.

#include <bench/two_cores.hpp>

#include <fmt/format.h>
#include <malloc.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));

namespace bench {

/// A figure that nobody has.
inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// Makes the compiler believe that the value is used and that all memory may have changed.
template <class T>
[[gnu::always_inline]] inline void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

/// A tool and its way to do the work once.
struct contestant {
  template <class Work>
  contestant(std::string name, Work work)
      : tool(std::move(name)), repeat([work](std::size_t times) mutable {
          for (; times > 0; --times) work();
        }) {}

  std::string tool;
  std::function<void(std::size_t times)> repeat;
};

/// Seconds a call, one entry a turn.
struct timing {
  std::vector<double> turns;

  double fastest() const { return *std::min_element(turns.begin(), turns.end()); }
  double median() const { return quantile(turns, 0.5); }
  /// Distance of the quartiles over the median.
  double spread() const { return (quantile(turns, 0.75) - quantile(turns, 0.25)) / median(); }

  static double quantile(std::vector<double> x, double q) {
    const std::ptrdiff_t at = std::lround(q * static_cast<double>(x.size() - 1));
    std::nth_element(x.begin(), x.begin() + at, x.end());
    return x[static_cast<std::size_t>(at)];
  }
};

/// How often a takes as long as b.
struct ratio {
  double fastest, median;

  ratio(const timing& a, const timing& b) : fastest(a.fastest() / b.fastest()) {
    std::vector<double> pairs;
    const std::size_t common = std::min(a.turns.size(), b.turns.size());
    for (std::size_t i = 0; i < common; ++i) pairs.push_back(a.turns[i] / b.turns[i]);
    median = timing::quantile(pairs, 0.5);
  }
};

/// A suite of cases: reads the command line, runs and prints.
class suite {
 public:
  /// Understands --json, --quick, --case NAME, --help; anything else ends the process with an
  /// error.
  suite(std::string name, int argc, char** argv) : name_(std::move(name)) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view option = argv[i];
      if (option == "--json") {
        json_ = true;
      } else if (option == "--quick") {
        quick_ = true;
      } else if (option == "--case" && i + 1 < argc) {
        only_ = argv[++i];
      } else if (option == "--help") {
        fmt::print("{}", usage());
        std::exit(0);
      } else {
        const std::string what = option == "--case" ? "--case needs the name of a case"
                                                    : fmt::format("unknown option '{}'", option);
        fmt::print(stderr, "error: {}\n{}", what, usage());
        std::exit(2);
      }
    }
    settle();
  }

  const std::string& name() const { return name_; }
  bool quick() const { return quick_; }
  /// Whether no --case was asked for.
  bool whole() const { return only_.empty(); }

  /// Whether to run this case; remembers its name for finish().
  bool wants(const std::string& a_case) {
    if (std::find(known_.begin(), known_.end(), a_case) == known_.end()) known_.push_back(a_case);
    return only_.empty() || only_ == a_case;
  }

  /// Turns of all contestants, in their order. One that is slow beside the others sits out when its
  /// share of the time is used up, with fewer turns than the rest. A race that is one of many takes
  /// `part` of the usual time.
  std::vector<timing> race(std::vector<contestant> contestants, double part = 1) const {
    const double share = part * (quick_ ? 0.5 : 6.0) / static_cast<double>(contestants.size());
    const std::size_t fewest = quick_ ? 3 : 5, most = quick_ ? 9 : 61;
    std::vector<std::size_t> times, turns;
    for (const contestant& c : contestants) {
      const auto [count, turn] = size_of_turn(c);
      times.push_back(count);
      turns.push_back(std::clamp(static_cast<std::size_t>(share / turn), fewest, most));
    }
    std::vector<timing> timings(contestants.size());
    for (std::size_t round = *std::max_element(turns.begin(), turns.end()); round > 0; --round) {
      for (std::size_t i = 0; i < contestants.size(); ++i) {
        if (timings[i].turns.size() == turns[i]) continue;
        const double turn = seconds(contestants[i], times[i]);
        timings[i].turns.push_back(turn / static_cast<double>(times[i]));
      }
    }
    return timings;
  }

  /// A figure for machines: printed with --json only.
  void figure(std::string_view a_case, std::string_view tool, std::string_view metric,
              double value) const {
    if (!json_) return;
    // JSON has no infinity and no NaN.
    const std::string number = std::isfinite(value) ? fmt::format("{:.6g}", value) : "null";
    fmt::print(R"({{"suite": "{}", "case": "{}", "tool": "{}", "metric": "{}", "value": {}}})"
               "\n",
               name_, a_case, tool, metric, number);
    std::fflush(stdout);
  }

  /// Tables for people: columns() begins one, row() adds to the last one.
  void columns(std::vector<std::string> names) { tables_.push_back({std::move(names)}); }
  void row(std::vector<std::string> cells) { tables_.back().push_back(std::move(cells)); }

  /// A remark beside the figures, on standard error.
  void say(std::string_view text) const { fmt::print(stderr, "{}: {}\n", name_, text); }

  /// Prints the tables that have rows. Returns the exit status: an error when --case named no case.
  int finish() const {
    if (!only_.empty() && std::find(known_.begin(), known_.end(), only_) == known_.end()) {
      fmt::print(stderr, "error: no case '{}' in suite {}; there are: {}\n", only_, name_,
                 fmt::join(known_, ", "));
      return 2;
    }
    if (json_) return 0;
    const char* between = "";
    for (const table& t : tables_) {
      if (t.size() < 2) continue;
      fmt::print("{}", std::exchange(between, "\n"));
      print(t);
    }
    return 0;
  }

 private:
  using table = std::vector<std::vector<std::string>>;

  static constexpr double shortest_turn = 5e-3;

  static void print(const table& t) {
    std::vector<std::size_t> widths;
    for (const auto& cells : t) {
      widths.resize(std::max(widths.size(), cells.size()));
      for (std::size_t i = 0; i < cells.size(); ++i)
        widths[i] = std::max(widths[i], cells[i].size());
    }
    for (const auto& cells : t) {
      std::string line;
      for (std::size_t i = 0; i < cells.size(); ++i) {
        line += i < 2 ? fmt::format("{:<{}}  ", cells[i], widths[i])
                      : fmt::format("{:>{}}  ", cells[i], widths[i]);
      }
      fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
    }
  }

  /// How often to repeat for a turn that is long enough, and how long that takes.
  static std::pair<std::size_t, double> size_of_turn(const contestant& c) {
    // The shorter of two: one that another program of the machine interrupts looks long enough, and
    // would leave turns of a few calls, with the clock and cold memory in them.
    const auto shorter = [&c](std::size_t times) {
      const double turn = seconds(c, times);
      return turn < shortest_turn ? turn : std::min(turn, seconds(c, times));
    };
    std::size_t count = 1;
    double turn = shorter(count);
    while (turn < shortest_turn) {
      const double once = turn / static_cast<double>(count);
      count = static_cast<std::size_t>(std::min(1.2 * shortest_turn / std::max(once, 1e-9) + 1,
                                                10.0 * static_cast<double>(count)));
      turn = shorter(count);
    }
    return {count, turn};
  }

  std::string usage() const {
    return fmt::format("usage: {}_bench [--quick] [--json] [--case NAME]\n", name_);
  }

  // One core, no threads of the BLAS, and an allocator that keeps what it got: page faults would
  // otherwise be part of every turn.
  static void settle() {
    sched_getaffinity(0, sizeof(cpu_set_t), &two_cores::allowed());
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<std::size_t>(std::max(sched_getcpu(), 0)), &cpus);
    sched_setaffinity(0, sizeof(cpus), &cpus);
    constexpr int never = std::numeric_limits<int>::max();
    mallopt(M_MMAP_THRESHOLD, never);
    mallopt(M_TRIM_THRESHOLD, never);
    mallopt(M_TOP_PAD, 64 << 20);
    if (openblas_set_num_threads) openblas_set_num_threads(1);
  }

  static double seconds(const contestant& c, std::size_t times) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    c.repeat(times);
    return std::chrono::duration<double>(clock::now() - start).count();
  }

  std::string name_, only_;
  bool json_ = false, quick_ = false;
  std::vector<std::string> known_;
  std::vector<table> tables_;
};

/// 1.23 us, 4.56 ms, ...
inline std::string time_text(double seconds) {
  const std::pair<double, const char*> units[] = {
      {1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
  for (const auto& [size, unit] : units) {
    if (seconds >= size) return fmt::format("{:.3g} {}", seconds / size, unit);
  }
  return fmt::format("{:.2g} ns", seconds * 1e9);
}

/// Largest difference of two vectors relative to the largest entry of the second.
inline double relative_error(const std::vector<double>& x, const std::vector<double>& reference) {
  if (x.size() != reference.size()) return std::numeric_limits<double>::infinity();
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double d = std::fabs(x[i] - reference[i]);
    difference = d > difference || d != d ? d : difference;
    largest = std::max(largest, std::fabs(reference[i]));
  }
  return largest == 0 ? difference : difference / largest;
}

}  // namespace bench
