#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/dual.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>
#include <bench/problems/list.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace {

using autodiff::var;
using namespace bench::problems;

constexpr double tolerance = 1e-10;

/// Row by row, a sweep an output.
template <class Problem>
std::vector<double> by_tape(const Problem& problem) {
  autodiff::tape tape;
  const std::vector<var> inputs = tape.variable(problem.start());
  const auto y = problem(std::span<const var>(inputs));
  std::vector<double> jacobian;
  for (const var& output : outputs_of(y)) {
    tape.backward(output);
    const std::vector<double> row = tape.adjoint(inputs);
    jacobian.insert(jacobian.end(), row.begin(), row.end());
  }
  return jacobian;
}

/// Relative to the largest entry.
void require_close(const std::vector<double>& x, const std::vector<double>& reference) {
  REQUIRE(x.size() == reference.size());
  double largest = 0;
  for (const double r : reference) largest = std::max(largest, std::fabs(r));
  REQUIRE(largest > 0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    CAPTURE(i);
    if (!(std::fabs(x[i] - reference[i]) <= tolerance * largest)) CHECK(x[i] == reference[i]);
  }
}

/// The derivative along one input by differences of the function in long double.
template <class Problem>
double along(const Problem& problem, std::size_t input) {
  const std::vector<double> start = problem.start();
  std::vector<long double> x(start.begin(), start.end());
  const auto f = [&](long double value) {
    x[input] = value;
    return problem(std::span<const long double>(x));
  };
  return static_cast<double>(reference::derivative(f, start[input], 1e-3L));
}

/// Holds some entries of a gradient to differences.
template <class Problem>
void require_differences(const Problem& problem, const std::vector<double>& gradient) {
  const std::size_t n = gradient.size();
  double largest = 0;
  for (const double g : gradient) largest = std::max(largest, std::fabs(g));
  for (const std::size_t input : {std::size_t{0}, n / 3, n / 2, n - 1}) {
    CAPTURE(input);
    CHECK(std::fabs(along(problem, input) - gradient[input]) <= 1e-8 * largest);
  }
}

/// The data of the suite, or an empty path and a warning.
std::filesystem::path data() {
  std::filesystem::path folder = adbench_folder();
  if (std::filesystem::is_directory(folder)) return folder;
  WARN("skipped: no folder " << folder.string() << ", set BACKSWEEP_DATA");
  return {};
}

}  // namespace

TEST_CASE("hand-written adjoints of benchmark problems agree with differences") {
  for (const listed_problem& listed : all_problems) {
    if (listed.needs_data) continue;
    CAPTURE(std::string(listed.name));
    const posed_problem posed = listed.pose({});
    std::visit(
        [&](const auto& p) {
          using output = decltype(p(std::span<const double>()));
          if constexpr (has_hand_written<std::decay_t<decltype(p)>> &&
                        std::is_arithmetic_v<output>) {
            require_differences(p, posed.reference);
          }
        },
        posed.it);
  }
}

TEST_CASE("every benchmark problem has the gradient of its hand-written adjoint on the tape") {
  for (const listed_problem& listed : all_problems) {
    if (listed.needs_data) continue;
    CAPTURE(std::string(listed.name));
    const posed_problem posed = listed.pose({});
    std::visit([&](const auto& p) { require_close(by_tape(p), posed.reference); }, posed.it);
  }
}

TEST_CASE("the problems of the AD benchmark suite have its published derivatives on the tape") {
  const std::filesystem::path folder = data();
  if (folder.empty()) return;
  for (const listed_problem& listed : all_problems) {
    if (!listed.needs_data) continue;
    CAPTURE(std::string(listed.name));
    const posed_problem posed = listed.pose(folder);
    std::visit(
        [&](const auto& p) {
          require_close(by_tape(p), posed.reference);
          if constexpr (has_hand_written<std::decay_t<decltype(p)>>) {
            require_close(by_hand(p), posed.reference);
          }
        },
        posed.it);
  }
}

TEST_CASE("hand-written adjoints give the first value of their problem as well") {
  const std::filesystem::path folder = data();
  for (const listed_problem& listed : all_problems) {
    if (listed.needs_data && folder.empty()) continue;
    CAPTURE(std::string(listed.name));
    std::visit(
        [](const auto& p) {
          if constexpr (has_hand_written<std::decay_t<decltype(p)>>) {
            const std::vector<double> x = p.start();
            const auto y = p(std::span<const double>(x));
            const double value = outputs_of(y)[0];
            std::vector<double> derivatives(outputs_of(y).size() * x.size());
            CHECK(p.hand(std::span<const double>(x), std::span<double>(derivatives)) ==
                  Approx(value).epsilon(1e-12));
          }
        },
        listed.pose(folder).it);
  }
}

TEST_CASE("one sweep over duals gives the diagonal of the Hessian of a clustering") {
  using number = autodiff::dual<double>;
  const kmeans problem;
  const std::vector<double> x = problem.start();
  std::vector<number> along_ones;
  for (const double one : x) along_ones.emplace_back(one, 1.0);
  autodiff::basic_tape<number> tape;
  const auto inputs = tape.variable(along_ones);
  tape.backward(problem(std::span<const autodiff::basic_var<number>>(inputs)));

  std::vector<double> gradient, diagonal, expected(x.size());
  for (const auto& input : inputs) {
    gradient.push_back(tape.adjoint(input).value());
    diagonal.push_back(tape.adjoint(input).tangent());
  }
  require_close(gradient, by_hand(problem));
  problem.hand_hessian_diagonal(std::span<const double>(x), std::span<double>(expected));
  require_close(diagonal, expected);
  double points = 0;
  for (std::size_t c = 0; c < kmeans::k; ++c) points += expected[c * kmeans::d] / 2;
  CHECK(points == kmeans::n);
}
