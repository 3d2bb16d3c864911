#pragma once
// A line that tells how training goes: epoch, batch, loss, samples per second, time left. It is
// redrawn in place a few times a second on a terminal, as wide as that is, and silent elsewhere.

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>

namespace nn {

/// Where progress is shown: on standard error when that is a terminal, or nowhere.
enum class progress { automatic, off };

class progress_bar {
 public:
  progress_bar(progress wanted, std::size_t epochs, std::size_t batches_per_epoch,
               std::FILE* out = stderr);
  /// Clears the line: what is printed next starts there.
  ~progress_bar();
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  /// After batch `batch` (from 0) of epoch `epoch`: its mean loss so far, and the samples just
  /// done.
  void advance(std::size_t epoch, std::size_t batch, double loss, std::size_t samples);

 private:
  using clock = std::chrono::steady_clock;

  double part_done(std::size_t epoch, std::size_t batch) const;
  void draw(std::size_t epoch, std::size_t batch, double loss, clock::time_point now);

  std::FILE* out_;
  bool shown_, drawn_ = false;
  std::size_t epochs_, batches_;
  std::size_t samples_ = 0;
  std::optional<double> done_before_;  // part of all batches, when the first one was begun
  clock::time_point start_ = clock::now();
  clock::time_point next_ = start_;
};

}  // namespace nn
