// Derivatives of scalar functions: what a tape costs over the function itself, ours beside other
// tools and beside adjoints written by hand. A gradient sets the inputs, records, sweeps, reads and
// rewinds; the tape's memory is warm.

#include <autodiff/dual.hpp>
#include <autodiff/lanes.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <bench/bench.hpp>
#include <bench/comparison.hpp>
#include <bench/counted.hpp>
#include <bench/peers/peer.hpp>
#include <bench/picture.hpp>
#include <bench/problems/list.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::var;
using bench::unknown;
using bench::problems::outputs_of;

/// Number of operations in one evaluation.
template <class Problem>
double count_operations(const Problem& problem) {
  const std::vector<double> x = problem.start();
  const std::vector<bench::counted> inputs(x.begin(), x.end());
  bench::counted::operations = 0;
  const auto y = problem(std::span<const bench::counted>(inputs));
  bench::keep(outputs_of(y).data());
  return static_cast<double>(bench::counted::operations);
}

/// One evaluation on a tape that was rewound, and one sweep for up to eight outputs.
template <class Problem>
class on_a_tape {
 public:
  explicit on_a_tape(const Problem& problem)
      : problem_(problem), x_(problem.start()), inputs_(x_.size()) {}

  void operator()(autodiff::tape& tape) {
    tape.variables(std::span<const double>(x_), std::span(inputs_));
    const auto y = problem_(std::span<const var>(inputs_));
    sweep(tape, outputs_of(y));
    bytes_ = tape.statistics().bytes;
    bench::keep(derivatives_[0]);
  }

  const std::vector<double>& derivatives() const { return derivatives_; }
  double bytes() const { return static_cast<double>(bytes_); }

 private:
  void sweep(autodiff::tape& tape, std::span<const var> outputs) {
    derivatives_.resize(outputs.size() * x_.size());
    if (outputs.size() == 1) {
      tape.backward(outputs[0]);
      tape.adjoints(std::span<const var>(inputs_), std::span(derivatives_));
    } else if (outputs.size() == 2) {
      sweep_rows<2>(tape, outputs);
    } else {
      sweep_rows<8>(tape, outputs);
    }
  }
  template <std::size_t N>
  void sweep_rows(autodiff::tape& tape, std::span<const var> outputs) {
    autodiff::adjoint_lanes<double, N> lanes(tape);
    for (std::size_t first = 0; first < outputs.size(); first += N) {
      const std::size_t count = std::min(N, outputs.size() - first);
      lanes.backward(outputs.subspan(first, count));
      double* row = derivatives_.data() + first * x_.size();
      for (std::size_t i = 0; i < x_.size(); ++i) {
        const auto& adjoints = lanes.adjoints(inputs_[i]);
        for (std::size_t k = 0; k < count; ++k) row[k * x_.size() + i] = adjoints.at[k];
      }
    }
  }

  const Problem& problem_;
  std::vector<double> x_, derivatives_;
  std::vector<var> inputs_;
  std::size_t bytes_ = 0;
};

/// Forward mode: all columns of a Jacobian, a few at a time.
template <class Problem>
class by_duals {
 public:
  explicit by_duals(const Problem& problem) : problem_(problem), x_(problem.start()) {}

  void operator()() {
    std::vector<number> inputs(x_.begin(), x_.end());
    for (std::size_t first = 0; first < x_.size(); first += lanes) {
      const std::size_t columns = std::min(lanes, x_.size() - first);
      for (std::size_t i = 0; i < columns; ++i) {
        std::array<double, lanes> direction{};
        direction[i] = 1;
        inputs[first + i] = number(x_[first + i], direction);
      }
      const auto y = problem_(std::span<const number>(inputs));
      const std::span<const number> outputs = outputs_of(y);
      derivatives_.resize(outputs.size() * x_.size());
      for (std::size_t row = 0; row < outputs.size(); ++row) {
        double* out = derivatives_.data() + row * x_.size() + first;
        for (std::size_t i = 0; i < columns; ++i) out[i] = outputs[row].tangent(i);
      }
      for (std::size_t i = 0; i < columns; ++i) inputs[first + i] = number(x_[first + i]);
    }
    bench::keep(derivatives_[0]);
  }

  const std::vector<double>& derivatives() const { return derivatives_; }

 private:
  static constexpr std::size_t lanes = 13;
  using number = autodiff::dual<double, lanes>;

  const Problem& problem_;
  std::vector<double> x_, derivatives_;
};

template <class Problem>
void measure(bench::suite& suite, bench::chart& chart, const std::string& name,
             const Problem& problem, const std::vector<double>& reference,
             const std::vector<std::unique_ptr<bench::peers::derivatives>>& peers) {
  using bench::relative_error;
  const double operations = count_operations(problem);
  bench::comparison contest(suite, chart, name, operations);
  const std::vector<double> x = problem.start();
  contest.add("primal", [&] {
    const auto y = problem(std::span<const double>(x));
    bench::keep(*outputs_of(y).data());
  });

  autodiff::tape tape;
  on_a_tape<Problem> taped(problem);
  taped(tape);
  const bool forward_fits = reference.size() > x.size() * x.size();
  const auto on_warm_tape = [&] {
    tape.rewind();
    taped(tape);
  };
  // What a tape costs shows where the function is small.
  on_a_tape<Problem> taped_anew(problem);
  const auto on_new_tape = [&] {
    autodiff::tape fresh;
    taped_anew(fresh);
  };
  by_duals<Problem> forward(problem);
  // Where there are more outputs than inputs, forward mode is the right one.
  if (forward_fits) {
    forward();
    contest.add("backsweep", std::ref(forward),
                {unknown, relative_error(forward.derivatives(), reference)});
  }
  contest.add(forward_fits ? "backsweep_reverse" : "backsweep", on_warm_tape,
              {taped.bytes(), relative_error(taped.derivatives(), reference)});

  if (operations < 100) {
    on_new_tape();
    contest.add("backsweep_new_tape", on_new_tape,
                {taped_anew.bytes(), relative_error(taped_anew.derivatives(), reference)});
  }

  std::vector<double> derivatives(reference.size());
  if constexpr (bench::problems::has_hand_written<Problem>) {
    const auto by_hand = [&] {
      bench::keep(problem.hand(std::span<const double>(x), std::span<double>(derivatives)));
    };
    by_hand();
    contest.add("hand", by_hand, {unknown, relative_error(derivatives, reference)});
  }
  for (std::size_t i = 0; i < peers.size(); ++i) {
    bench::peers::derivatives& one = *peers[i];
    one.compute();
    contest.add(bench::peers::all()[i].name, [&one] { one.compute(); },
                {one.bytes(), relative_error(one.values(), reference)});
  }
  contest.run();
}

/// Gradient and diagonal of the Hessian of a clustering, by one sweep of a tape over duals: the
/// Hessian is diagonal, so its product with a vector of ones is all of it.
void measure_hessian_diagonal(bench::suite& suite, bench::chart& chart) {
  using number = autodiff::dual<double>;
  using bench::problems::kmeans;
  const kmeans problem;
  const std::vector<double> x = problem.start();
  bench::comparison contest(suite, chart, "kmeans_hessian", count_operations(problem));
  contest.add("primal", [&] { bench::keep(problem(std::span<const double>(x))); });

  std::vector<double> gradient(x.size()), diagonal(x.size()), reference(x.size());
  problem.hand_hessian_diagonal(std::span<const double>(x), std::span<double>(reference));
  std::vector<number> along_ones;
  for (const double one : x) along_ones.emplace_back(one, 1.0);
  autodiff::basic_tape<number> tape;
  const auto on_tape = [&] {
    tape.rewind();
    const auto inputs = tape.variable(along_ones);
    tape.backward(problem(std::span<const autodiff::basic_var<number>>(inputs)));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const number adjoint = tape.adjoint(inputs[i]);
      gradient[i] = adjoint.value();
      diagonal[i] = adjoint.tangent();
    }
    bench::keep(diagonal[0]);
  };
  on_tape();
  contest.add(
      "backsweep", on_tape,
      {static_cast<double>(tape.statistics().bytes), bench::relative_error(diagonal, reference)});
  contest.add("hand", [&] {
    problem.hand(std::span<const double>(x), std::span<double>(gradient));
    problem.hand_hessian_diagonal(std::span<const double>(x), std::span<double>(diagonal));
    bench::keep(diagonal[0]);
  });
  contest.run();
}

/// Which peers this program has, and which it could have.
void name_peers(const bench::suite& suite) {
  if (bench::peers::all().empty()) {
    suite.say("no other tools in this program; scalar_bench_peers has those that are installed");
    return;
  }
  for (const bench::peers::known_peer& peer : bench::peers::known) {
    if (bench::peers::is_here(peer.adaptor)) continue;
    suite.say(fmt::format("without {}: not found when this was built (Debian: {})", peer.adaptor,
                          peer.packages));
  }
}

void run(bench::suite& suite, bench::chart& chart) {
  std::sort(bench::peers::all().begin(), bench::peers::all().end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  name_peers(suite);
  suite.columns({"case", "tool", "fastest", "median", "spread", "/ primal", "(median)", "ns/op",
                 "bytes/op", "error"});
  const std::filesystem::path data = bench::problems::adbench_folder();
  const bool there = std::filesystem::is_directory(data);
  for (const bench::problems::listed_problem& listed : bench::problems::all_problems) {
    const std::string name(listed.name);
    if (!suite.wants(name)) continue;
    if (listed.needs_data && !there) {
      suite.say(
          fmt::format("{} skipped: no folder {} (set BACKSWEEP_DATA to the folder that has "
                      "adbench/)",
                      name, data.string()));
      continue;
    }
    const bench::problems::posed_problem posed = listed.pose(data);
    std::vector<std::unique_ptr<bench::peers::derivatives>> peers;
    for (const bench::peers::peer& peer : bench::peers::all()) {
      peers.push_back(peer.make(posed.it));
    }
    std::visit(
        [&](const auto& problem) { measure(suite, chart, name, problem, posed.reference, peers); },
        posed.it);
  }
  if (suite.wants("kmeans_hessian")) measure_hessian_diagonal(suite, chart);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::measure("scalar", "derivatives / primal, time", argc, argv, run);
}
