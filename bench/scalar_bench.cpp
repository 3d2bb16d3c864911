// Gradients of scalar functions: what the tape costs over the function itself. A gradient sets the
// inputs, records, sweeps, reads and rewinds; the tape's memory is warm.

#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <bench/bench.hpp>
#include <bench/problems/adbench.hpp>
#include <bench/problems/ba.hpp>
#include <bench/problems/black_scholes.hpp>
#include <bench/problems/burgers.hpp>
#include <bench/problems/chain.hpp>
#include <bench/problems/gmm.hpp>
#include <bench/problems/lstm.hpp>
#include <bench/problems/mlp.hpp>
#include <bench/problems/rosenbrock.hpp>
#include <bench/problems/tiny.hpp>

#include <cstddef>
#include <exception>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::var;

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

std::string number(const char* format, double value) {
  return value == value ? fmt::format(fmt::runtime(format), value) : "-";
}

/// What is known of a tool's gradient beside its time.
struct quality {
  double bytes = unknown;  // of tape, a call
  double error = unknown;  // relative to the largest entry of the reference
};

/// Times primal (first of the contestants) and gradients, and reports them.
void compare(bench::suite& suite, const std::string& name, double operations,
             const std::vector<bench::contestant>& contestants,
             const std::vector<quality>& qualities) {
  const std::vector<bench::timing> timings = suite.race(contestants);
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    const std::string& tool = contestants[i].tool;
    const bench::timing& timing = timings[i];
    const bench::ratio over_primal(timing, timings[0]);
    const double per_operation = timing.fastest() * 1e9 / operations;
    const double bytes = qualities[i].bytes / operations;
    suite.row({name, tool, bench::time_text(timing.fastest()), bench::time_text(timing.median()),
               fmt::format("{:.0f} %", 100 * timing.spread()),
               fmt::format("{:.2f}", over_primal.fastest),
               fmt::format("{:.2f}", over_primal.median), fmt::format("{:.2f}", per_operation),
               number("{:.1f}", bytes), number("{:.0e}", qualities[i].error)});
    if (i == 0) continue;
    suite.figure(name, tool, "gradient_over_primal", over_primal.fastest);
    suite.figure(name, tool, "ns_per_op", per_operation);
    if (bytes == bytes) suite.figure(name, tool, "bytes_per_op", bytes);
    if (qualities[i].error == qualities[i].error) {
      suite.figure(name, tool, "gradient_error", qualities[i].error);
    }
  }
}

/// Number of operations in one evaluation.
template <class Problem>
double count_operations(const Problem& problem) {
  const std::vector<double> x = problem.start();
  const std::vector<bench::counted> inputs(x.begin(), x.end());
  bench::counted::operations = 0;
  bench::keep(problem(std::span<const bench::counted>(inputs)));
  return static_cast<double>(bench::counted::operations);
}

/// One evaluation and one sweep on a tape that was rewound.
template <class Problem>
class on_a_tape {
 public:
  explicit on_a_tape(const Problem& problem)
      : problem_(problem), x_(problem.start()), gradient_(x_.size()) {}

  void operator()(autodiff::tape& tape) {
    inputs_ = tape.variable(x_);
    const var y = problem_(std::span<const var>(inputs_));
    tape.backward(y);
    for (std::size_t i = 0; i < x_.size(); ++i) gradient_[i] = tape.adjoint(inputs_[i]);
    bytes_ = tape.statistics().bytes;
    bench::keep(gradient_[0]);
  }

  const std::vector<double>& gradient() const { return gradient_; }
  double bytes() const { return static_cast<double>(bytes_); }

 private:
  const Problem& problem_;
  std::vector<double> x_;
  std::vector<var> inputs_;
  std::vector<double> gradient_;
  std::size_t bytes_ = 0;
};

enum class tapes { one_rewound, one_a_call };

/// A problem with one output. reference: its gradient, or empty where the hand-written one serves.
template <class Problem>
void measure(bench::suite& suite, const std::string& name, const Problem& problem,
             tapes kind = tapes::one_rewound, std::vector<double> reference = {}) {
  const std::vector<double> x = problem.start();
  std::vector<double> by_hand(x.size());
  std::vector<bench::contestant> contestants;
  std::vector<quality> qualities(2);
  contestants.emplace_back("primal", [&] { bench::keep(problem(std::span<const double>(x))); });

  on_a_tape<Problem> taped(problem);
  autodiff::tape warm;
  taped(warm);
  if (kind == tapes::one_rewound) {
    contestants.emplace_back("backsweep", [&] {
      warm.rewind();
      taped(warm);
    });
  } else {
    contestants.emplace_back("backsweep", [&] {
      autodiff::tape fresh;
      taped(fresh);
    });
  }
  if constexpr (requires {
                  problem.hand(std::span<const double>(x), std::span<double>(by_hand));
                }) {
    const auto hand = [&] {
      bench::keep(problem.hand(std::span<const double>(x), std::span<double>(by_hand)));
    };
    hand();
    if (reference.empty()) {
      reference = by_hand;
      qualities.emplace_back();
    } else {
      qualities.push_back({unknown, bench::relative_error(by_hand, reference)});
    }
    contestants.emplace_back("hand", hand);
  }
  qualities[1] = {taped.bytes(), bench::relative_error(taped.gradient(), reference)};
  if (!(qualities[1].error < 1e-10)) {
    suite.say(fmt::format("{}: the gradient is off by {:.1e}", name, qualities[1].error));
  }
  compare(suite, name, count_operations(problem), contestants, qualities);
}

/// Bundle adjustment: two sweeps an observation, one for each row of the Jacobian.
void measure_ba(bench::suite& suite, const bench::problems::ba& problem,
                const std::vector<double>& reference) {
  using bench::problems::ba;
  const std::vector<double> x = problem.start();
  std::vector<var> inputs(x.size());
  std::vector<double> jacobian(ba::outputs * ba::inputs);
  autodiff::tape tape;
  const auto both_rows = [&] {
    tape.rewind();
    for (std::size_t i = 0; i < ba::inputs; ++i) inputs[i] = tape.variable(x[i]);
    const auto y = problem(std::span<const var>(inputs));
    for (std::size_t row = 0; row < ba::outputs; ++row) {
      tape.backward(y[row]);
      double* out = jacobian.data() + row * ba::inputs;
      for (std::size_t i = 0; i < ba::inputs; ++i) out[i] = tape.adjoint(inputs[i]);
    }
    bench::keep(jacobian[0]);
  };
  both_rows();
  const double error = bench::relative_error(jacobian, reference);
  if (!(error < 1e-10)) suite.say(fmt::format("ba: the Jacobian is off by {:.1e}", error));
  const auto bytes = static_cast<double>(tape.statistics().bytes);
  std::vector<bench::contestant> contestants;
  contestants.emplace_back("primal", [&] { bench::keep(problem(std::span<const double>(x))); });
  contestants.emplace_back("backsweep", both_rows);
  compare(suite, "ba", count_operations(problem), contestants, {{}, {bytes, error}});
}

void run(bench::suite& suite) {
  using namespace bench::problems;
  suite.columns({"case", "tool", "fastest", "median", "spread", "/ primal", "(median)", "ns/op",
                 "bytes/op", "error"});
  if (suite.wants("tiny")) measure(suite, "tiny", tiny(), tapes::one_a_call);
  if (suite.wants("tiny_rewound")) measure(suite, "tiny_rewound", tiny());
  if (suite.wants("chain")) measure(suite, "chain", chain());
  if (suite.wants("mlp")) measure(suite, "mlp", mlp());
  if (suite.wants("burgers")) measure(suite, "burgers", burgers());
  if (suite.wants("rosenbrock")) measure(suite, "rosenbrock", rosenbrock());
  if (suite.wants("black_scholes")) measure(suite, "black_scholes", black_scholes());

  const std::filesystem::path data = adbench_folder();
  const bool there = std::filesystem::is_directory(data);
  if (!there) {
    suite.say(
        fmt::format("gmm_1k, ba and lstm skipped: no folder {} (set BACKSWEEP_DATA to the folder "
                    "that has adbench/)",
                    data.string()));
  }
  if (suite.wants("gmm_1k") && there) {
    const char* file = "gmm/1k/gmm_d10_K25.txt";
    measure(suite, "gmm_1k", gmm(data / file), tapes::one_rewound,
            read_reference(data / "gmm.jsonl", file, "gradient"));
  }
  if (suite.wants("ba") && there) {
    const char* file = "ba/ba1_n49_m7776_p31843.txt";
    std::vector<double> jacobian = read_reference(data / "ba_exact.jsonl", file, "J_row0");
    const std::vector<double> second = read_reference(data / "ba_exact.jsonl", file, "J_row1");
    jacobian.insert(jacobian.end(), second.begin(), second.end());
    measure_ba(suite, ba(data / file), jacobian);
  }
  if (suite.wants("lstm") && there) {
    const char* file = "lstm/lstm_l2_c1024.txt";
    measure(suite, "lstm", lstm(data / file), tapes::one_rewound,
            read_reference(data / "lstm.jsonl", file, "gradient"));
  }
}

}  // namespace

int main(int argc, char** argv) {
  bench::suite suite("scalar", argc, argv);
  try {
    run(suite);
  } catch (const std::exception& e) {
    suite.say(fmt::format("error: {}", e.what()));
    return 1;
  }
  return suite.finish();
}
