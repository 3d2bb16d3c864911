#pragma once
// Training steps: ours, recorded anew each time through the public interface of nn, beside the same
// step written by hand and by other libraries.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/parallel.hpp>

#include <bench/bench.hpp>
#include <bench/memory.hpp>
#include <bench/peak.hpp>
#include <bench/peers/training_peer.hpp>
#include <bench/picture.hpp>
#include <bench/problems/hand_training.hpp>
#include <bench/problems/small_net.hpp>
#include <bench/problems/taped_small_net.hpp>
#include <bench/problems/taped_training.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

/// Who does a step, and what is known of it beside its time.
struct stepper {
  std::string tool;
  std::function<double()> step;  // gives the loss before it
  double peak = unknown;
};

/// What is known of a case.
struct step_case {
  std::string name;
  std::size_t batch;
  double multiply_adds;
};

/// One case: its tools side by side, hand first, ours second.
class step_race {
 public:
  step_race(suite& suite, chart& chart, step_case known)
      : suite_(suite), chart_(chart), case_(std::move(known)) {}

  void run(const std::vector<stepper>& steppers) const {
    compare_losses(steppers);
    std::vector<contestant> contestants;
    for (const stepper& s : steppers) {
      contestants.emplace_back(s.tool, [step = s.step] { keep(step()); });
    }
    if (peak_) contestants.push_back(peak_.as_contestant());
    const std::vector<timing> timings = suite_.race(std::move(contestants));
    const limits known{timings[0], steppers.size() > 2 ? timings[2] : unknown_timing,
                       peak_ ? peak_.gflops(timings.back()) : unknown};
    for (std::size_t k = 0; k < steppers.size(); ++k) report(steppers[k], timings[k], known);
    for (std::size_t k = 2; k < steppers.size(); ++k) {
      suite_.figure(case_.name, "backsweep", "over_" + steppers[k].tool,
                    ratio(timings[1], timings[k]).fastest);
    }
  }

 private:
  void compare_losses(const std::vector<stepper>& steppers) const {
    for (int i = 0; i < 3; ++i) {
      const double reference = steppers[0].step();
      for (std::size_t k = 1; k < steppers.size(); ++k) {
        const double error = std::fabs(steppers[k].step() / reference - 1);
        if (error < 1e-4) continue;
        suite_.say(fmt::format("{}: the loss of {} is off by {:.1e}", case_.name, steppers[k].tool,
                               error));
      }
    }
  }

  static std::string text(const char* format, double value) {
    return value == value ? fmt::format(fmt::runtime(format), value) : "-";
  }

  /// What a tool is held against.
  struct limits {
    const timing& hand;
    const timing& peer;  // the first one
    double peak;         // GFLOP/s
  };
  static inline const timing unknown_timing{{unknown}};

  void report(const stepper& s, const timing& own, const limits& known) const {
    const ratio over_hand(own, known.hand), over_peer(own, known.peer);
    const double of_peak = 2e-9 * case_.multiply_adds / own.fastest() / known.peak;
    const double gflops = 2e-9 * case_.multiply_adds / own.fastest();
    const double mib = s.peak / (1 << 20);
    suite_.row({case_.name, s.tool, time_text(own.fastest()), time_text(own.median()),
                fmt::format("{:.0f} %", 100 * own.spread()),
                fmt::format("{:.2f}", over_hand.fastest), fmt::format("{:.2f}", over_hand.median),
                fmt::format("{:.3g}", static_cast<double>(case_.batch) / own.fastest()),
                fmt::format("{:.1f}", gflops), text("{:.2f}", of_peak), text("{:.0f}", mib)});
    suite_.figure(case_.name, s.tool, "step_us", own.fastest() * 1e6);
    suite_.figure(case_.name, s.tool, "over_hand", over_hand.fastest);
    suite_.figure(case_.name, s.tool, "gflops", gflops);
    if (of_peak == of_peak) suite_.figure(case_.name, s.tool, "of_peak", of_peak);
    if (mib == mib) suite_.figure(case_.name, s.tool, "peak_mib", mib);
    if (s.tool != "hand") chart_.add(case_.name, s.tool, over_hand.fastest);
  }

  suite& suite_;
  chart& chart_;
  step_case case_;
  peak_loop<float> peak_ = peak_loop<float>::of_this_cpu();
};

inline void race_small_net(suite& suite, chart& chart) {
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
  step_race(suite, chart, {"a", 1, 24}).run(steppers);
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

inline void race_training(suite& suite, chart& chart, const problems::training& t,
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
  step_race(suite, chart, {t.name, t.batch, t.multiply_adds()}).run(steppers);
}

/// A tool and how it is told to use so many threads.
struct threaded_stepper {
  std::string tool;
  std::function<void()> step;
  std::function<void(int threads)> set_threads;
};

/// Each tool on one and on two threads, in neighbouring turns, of whose ratios the median counts:
/// the fastest turns may come from different speeds of the machine. Every tool has a race of its
/// own beside the hand-written step on one thread: the threads of most go on looking for work for a
/// while, and would take the second core from whoever comes next.
inline void race_threads(suite& suite, const std::string& name,
                         const std::vector<threaded_stepper>& steppers) {
  const two_cores cores;
  if (!cores) return suite.say(fmt::format("{}: no second core, no two threads", name));
  const auto on = [](const threaded_stepper& s, int threads) {
    s.set_threads(threads);
    s.step();
    s.set_threads(1);
    contestant c(s.tool, s.step);
    c.repeat = [set = s.set_threads, threads, repeat = c.repeat](std::size_t times) {
      set(threads);
      repeat(times);
      set(1);
    };
    return c;
  };
  for (const threaded_stepper& s : steppers) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const std::vector<timing> timings = suite.race({on(steppers[0], 1), on(s, 1), on(s, 2)}, 0.5);
    const timing &one = timings[1], &two = timings[2];
    const ratio over(one, two), over_hand(two, timings[0]);
    suite.row({name, s.tool, time_text(one.median()), time_text(two.median()),
               fmt::format("{:.0f} %", 100 * two.spread()), fmt::format("{:.2f}", over.fastest),
               fmt::format("{:.2f}", over.median), fmt::format("{:.2f}", over_hand.median)});
    suite.figure(name, s.tool, "threads_2_over_1", over.median);
  }
}

inline void set_own_threads(int threads) {
  autodiff::set_threads(static_cast<std::size_t>(threads));
}

/// The hand-written step takes products from either.
inline void set_hand_threads(int threads) {
  if (openblas_set_num_threads) openblas_set_num_threads(threads);
  set_own_threads(threads);
}

inline void race_threads(suite& suite, const problems::training& t) {
  problems::hand_training by_hand(t);
  problems::taped_training by_tape(t);
  std::vector<threaded_stepper> steppers{
      {"hand", [&] { keep(by_hand.step()); }, set_hand_threads},
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
               {{"hand", [&] { keep(by_hand.step()); }, set_hand_threads},
                {"backsweep", [&] { keep(by_tape.step(tape)); }, set_own_threads}});
}

/// All networks that the command line asks for.
inline void race_steps(suite& suite, chart& chart) {
  set_own_threads(1);
  for (const peers::training_peer& peer : peers::training_peers()) peer.set_threads(1);
  std::vector<std::pair<problems::training, std::vector<double>>> wanted;
  for (const problems::training& t : problems::trainings()) {
    // Memory first, while the process is small.
    if (suite.wants(t.name)) wanted.emplace_back(t, peaks_of(t));
  }
  suite.columns({"step", "tool", "fastest", "median", "spread", "/ hand", "(median)", "/ libtorch",
                 "samples/s", "GFLOP/s", "/ peak", "peak MiB"});
  if (suite.wants("a")) race_small_net(suite, chart);
  for (const auto& [t, peaks] : wanted) race_training(suite, chart, t, peaks);
}

/// The same on two threads; last, since threads that wait for more work take time from what comes
/// after.
inline void race_steps_on_threads(suite& suite) {
  suite.columns({"step", "tool", "one thread", "two threads", "spread", "one / two", "(median)",
                 "two / hand on one"});
  if (suite.wants("a")) race_small_net_threads(suite);
  for (const problems::training& t : problems::trainings()) {
    // The update makes little difference to threads, and a quick run is to be quick.
    const bool is_variant = t.update != problems::update::sgd;
    if (suite.wants(t.name) && !(is_variant && suite.quick() && suite.whole()))
      race_threads(suite, t);
  }
}

}  // namespace bench
