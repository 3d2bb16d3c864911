#pragma once
// Training steps: ours, recorded anew each time through the public interface of nn, beside the same
// step written by hand and by other libraries.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/parallel.hpp>

#include <bench/bench.hpp>
#include <bench/memory.hpp>
#include <bench/peers/training_peer.hpp>
#include <bench/problems/hand_training.hpp>
#include <bench/problems/small_net.hpp>
#include <bench/problems/taped_small_net.hpp>
#include <bench/problems/taped_training.hpp>

#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// Who does a step, and what is known of it beside its time.
struct stepper {
  std::string tool;
  std::function<double()> step;  // gives the loss before it
  double peak = std::numeric_limits<double>::quiet_NaN();
};

/// One case: its tools side by side, hand first.
class step_race {
 public:
  step_race(suite& suite, std::string name, std::size_t batch, double multiply_adds)
      : suite_(suite), name_(std::move(name)), batch_(batch), multiply_adds_(multiply_adds) {}

  void run(std::vector<stepper> steppers) const {
    for (int i = 0; i < 3; ++i) {
      const double reference = steppers[0].step();
      for (std::size_t k = 1; k < steppers.size(); ++k) {
        const double error = std::fabs(steppers[k].step() / reference - 1);
        if (!(error < 1e-4)) {
          suite_.say(
              fmt::format("{}: the loss of {} is off by {:.1e}", name_, steppers[k].tool, error));
        }
      }
    }
    std::vector<contestant> contestants;
    for (const stepper& s : steppers) {
      contestants.emplace_back(s.tool, [step = s.step] { keep(step()); });
    }
    const std::vector<timing> timings = suite_.race(std::move(contestants));
    for (std::size_t k = 0; k < steppers.size(); ++k) report(steppers[k], timings[k], timings[0]);
    for (std::size_t k = 2; k < steppers.size(); ++k) {
      suite_.figure(name_, "backsweep", "over_" + steppers[k].tool,
                    ratio(timings[1], timings[k]).fastest);
    }
  }

 private:
  void report(const stepper& s, const timing& own, const timing& hand) const {
    const ratio over_hand(own, hand);
    const double gflops = 2e-9 * multiply_adds_ / own.fastest();
    suite_.row({name_, s.tool, time_text(own.fastest()), time_text(own.median()),
                fmt::format("{:.0f} %", 100 * own.spread()), "step",
                fmt::format("{:.2f}", over_hand.fastest), fmt::format("{:.2f}", over_hand.median),
                fmt::format("{:.3g}", static_cast<double>(batch_) / own.fastest()),
                fmt::format("{:.1f}", gflops),
                s.peak == s.peak ? fmt::format("{:.0f}", s.peak / (1 << 20)) : "-"});
    suite_.figure(name_, s.tool, "step_us", own.fastest() * 1e6);
    suite_.figure(name_, s.tool, "over_hand", over_hand.fastest);
    if (s.peak == s.peak) suite_.figure(name_, s.tool, "peak_mib", s.peak / (1 << 20));
  }

  suite& suite_;
  std::string name_;
  std::size_t batch_;
  double multiply_adds_;
};

inline void race_small_net(suite& suite) {
  problems::hand_small_net by_hand;
  problems::taped_small_net by_tape;
  autodiff::tape tape;
  std::vector<stepper> steppers{{"hand", [&] { return by_hand.step(); }},
                                {"backsweep", [&] { return by_tape.step(tape); }}};
  std::vector<std::unique_ptr<peers::training_tool>> others;
  for (const peers::training_peer& peer : peers::training_peers()) {
    others.push_back(peer.make_small());
    steppers.push_back({peer.name, [tool = others.back().get()] { return tool->step(); }});
  }
  step_race(suite, "a", 1, 24).run(std::move(steppers));
}

/// Peak memory of a few steps, in the order of the tools.
inline std::vector<double> peaks_of(const problems::training& t) {
  std::vector<double> peaks{
      peak_memory([&] { return std::make_unique<problems::hand_training>(t); }, 3),
      peak_memory([&] { return std::make_unique<problems::taped_training>(t); }, 3)};
  for (const peers::training_peer& peer : peers::training_peers()) {
    peaks.push_back(peak_memory([&] { return peer.make(t); }, 3));
  }
  return peaks;
}

inline void race_training(suite& suite, const problems::training& t,
                          const std::vector<double>& peaks) {
  problems::hand_training by_hand(t);
  problems::taped_training by_tape(t);
  std::vector<stepper> steppers{{"hand", [&] { return double{by_hand.step()}; }},
                                {"backsweep", [&] { return double{by_tape.step()}; }}};
  std::vector<std::unique_ptr<peers::training_tool>> others;
  for (const peers::training_peer& peer : peers::training_peers()) {
    others.push_back(peer.make(t));
    steppers.push_back({peer.name, [tool = others.back().get()] { return double{tool->step()}; }});
  }
  for (std::size_t k = 0; k < peaks.size(); ++k) steppers[k].peak = peaks[k];
  step_race(suite, t.name, t.batch, t.multiply_adds()).run(std::move(steppers));
}

/// A tool and how it is told to use so many threads.
struct threaded_stepper {
  std::string tool;
  std::function<void()> step;
  std::function<void(int threads)> set_threads;
};

/// Each tool on one and on two threads, in turns.
inline void race_threads(suite& suite, const std::string& name,
                         const std::vector<threaded_stepper>& steppers) {
  const two_cores cores;
  if (!cores) return suite.say(fmt::format("{}: no second core, no two threads", name));
  std::vector<contestant> contestants;
  for (const threaded_stepper& s : steppers) {
    for (const int threads : {1, 2}) {
      s.set_threads(threads);
      for (int i = 0; i < 3; ++i) s.step();
      contestant& c = contestants.emplace_back(s.tool, s.step);
      c.repeat = [set = s.set_threads, threads, repeat = c.repeat](std::size_t times) {
        set(threads);
        repeat(times);
        set(1);
      };
      s.set_threads(1);
    }
  }
  const std::vector<timing> timings = suite.race(std::move(contestants));
  for (std::size_t k = 0; k < steppers.size(); ++k) {
    const timing &one = timings[2 * k], &two = timings[2 * k + 1];
    const ratio over(one, two), over_hand(two, timings[1]);
    suite.row({name, steppers[k].tool, time_text(two.fastest()), time_text(two.median()),
               fmt::format("{:.0f} %", 100 * two.spread()), "step, two threads",
               fmt::format("{:.2f}", over_hand.fastest), fmt::format("{:.2f}", over_hand.median)});
    suite.say(
        fmt::format("{}: {} on one thread takes {:.2f} times as long as on two (median {:.2f})",
                    name, steppers[k].tool, over.fastest, over.median));
    suite.figure(name, steppers[k].tool, "threads_2_over_1", over.fastest);
  }
}

inline void set_blas_threads(int threads) {
  if (openblas_set_num_threads) openblas_set_num_threads(threads);
}

inline void set_own_threads(int threads) {
  autodiff::set_threads(static_cast<std::size_t>(threads));
}

inline void race_threads(suite& suite, const problems::training& t) {
  problems::hand_training by_hand(t);
  problems::taped_training by_tape(t);
  std::vector<threaded_stepper> steppers{
      {"hand", [&] { keep(by_hand.step()); }, set_blas_threads},
      {"backsweep", [&] { keep(by_tape.step()); }, set_own_threads}};
  std::vector<std::unique_ptr<peers::training_tool>> others;
  for (const peers::training_peer& peer : peers::training_peers()) {
    others.push_back(peer.make(t));
    steppers.push_back(
        {peer.name, [tool = others.back().get()] { keep(tool->step()); }, peer.set_threads});
  }
  race_threads(suite, t.name, steppers);
}

inline void race_small_net_threads(suite& suite) {
  problems::hand_small_net by_hand;
  problems::taped_small_net by_tape;
  autodiff::tape tape;
  race_threads(suite, "a",
               {{"hand", [&] { keep(by_hand.step()); }, set_blas_threads},
                {"backsweep", [&] { keep(by_tape.step(tape)); }, set_own_threads}});
}

/// All networks that the command line asks for.
inline void race_steps(suite& suite) {
  set_own_threads(1);
  for (const peers::training_peer& peer : peers::training_peers()) peer.set_threads(1);
  std::vector<std::pair<problems::training, std::vector<double>>> wanted;
  for (const problems::training& t : problems::trainings()) {
    // Memory first, while the process is small.
    if (suite.wants(t.name)) wanted.emplace_back(t, peaks_of(t));
  }
  const bool small_net = suite.wants("a");
  if (small_net) race_small_net(suite);
  for (const auto& [t, peaks] : wanted) race_training(suite, t, peaks);
  // Last, since threads that wait for more work take time from what comes after.
  if (small_net) race_small_net_threads(suite);
  for (const auto& [t, peaks] : wanted) race_threads(suite, t);
}

}  // namespace bench
