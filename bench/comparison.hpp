#pragma once
// The tools of one case: timed side by side, reported as ratios to the first, which is the function
// without derivatives.

#include <bench/bench.hpp>
#include <bench/picture.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// What is known of a tool's derivatives beside their time.
struct quality {
  double bytes = unknown;  // of tape, a call
  double error = unknown;  // relative to the largest entry of the reference
};

/// The contestants of one case, the primal first, and how it is reported.
class comparison {
 public:
  comparison(suite& suite, chart& chart, std::string name, double operations)
      : suite_(suite), chart_(chart), name_(std::move(name)), operations_(operations) {}

  template <class Work>
  void add(std::string tool, Work work, quality known = {}) {
    if (known.error > 1e-10) {
      suite_.say(fmt::format("{}: {} is off by {:.1e}", name_, tool, known.error));
    }
    contestants_.emplace_back(std::move(tool), std::move(work));
    qualities_.push_back(known);
  }

  void run() const {
    const std::vector<timing> timings = suite_.race(contestants_);
    for (std::size_t i = 0; i < contestants_.size(); ++i) report(i, timings[i], timings[0]);
  }

 private:
  static std::string text(const char* format, double value) {
    return value == value ? fmt::format(fmt::runtime(format), value) : "-";
  }

  void report(std::size_t i, const timing& own, const timing& primal) const {
    const std::string& tool = contestants_[i].tool;
    const ratio over_primal(own, primal);
    const double per_operation = own.fastest() * 1e9 / operations_;
    const double bytes = qualities_[i].bytes / operations_, error = qualities_[i].error;
    suite_.row({name_, tool, time_text(own.fastest()), time_text(own.median()),
                fmt::format("{:.0f} %", 100 * own.spread()),
                fmt::format("{:.2f}", over_primal.fastest),
                fmt::format("{:.2f}", over_primal.median), fmt::format("{:.2f}", per_operation),
                text("{:.1f}", bytes), text("{:.0e}", error)});
    if (i == 0) return;
    suite_.figure(name_, tool, "gradient_over_primal", over_primal.fastest);
    suite_.figure(name_, tool, "ns_per_op", per_operation);
    if (bytes == bytes) suite_.figure(name_, tool, "bytes_per_op", bytes);
    if (error == error) suite_.figure(name_, tool, "gradient_error", error);
    // Ours in a way that is not the usual one stays in the table.
    if (!tool.starts_with("backsweep_")) chart_.add(name_, tool, over_primal.fastest);
  }

  suite& suite_;
  chart& chart_;
  std::string name_;
  double operations_;
  std::vector<contestant> contestants_;
  std::vector<quality> qualities_;
};

}  // namespace bench
