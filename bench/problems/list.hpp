#pragma once
// All problems under the names that tables and files use: what a tool runs is decided here once.

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include <bench/problems/adbench.hpp>
#include <bench/problems/ba.hpp>
#include <bench/problems/black_scholes.hpp>
#include <bench/problems/burgers.hpp>
#include <bench/problems/chain.hpp>
#include <bench/problems/det.hpp>
#include <bench/problems/gmm.hpp>
#include <bench/problems/hand_tracking.hpp>
#include <bench/problems/kmeans.hpp>
#include <bench/problems/llsq.hpp>
#include <bench/problems/lse.hpp>
#include <bench/problems/lstm.hpp>
#include <bench/problems/mlp.hpp>
#include <bench/problems/ode.hpp>
#include <bench/problems/rosenbrock.hpp>
#include <bench/problems/tiny.hpp>
#include <bench/problems/tiny_arithmetic.hpp>

namespace bench::problems {

/// A problem is called with a span of any number type and gives one of them, or an array or vector
/// of them; start() is where it is differentiated; hand(x, derivatives), where there is one,
/// returns the first value and fills the derivatives, row by row.
using problem = std::variant<tiny, tiny_arithmetic, mlp, ba, chain, burgers, lstm, gmm,
                             black_scholes, rosenbrock, hand_tracking, llsq, lse, det, ode, kmeans>;

/// The outputs of a problem as a sequence, be it one or several.
template <class T>
std::span<const T> outputs_of(const T& y) {
  return {&y, 1};
}
template <class Outputs>
requires requires(const Outputs& y) { y.data(); }
std::span<const typename Outputs::value_type> outputs_of(const Outputs& y) {
  return {y.data(), y.size()};
}

template <class Problem>
concept has_hand_written = requires(const Problem& p, std::span<const double> x,
                                    std::span<double> gradient) {
  p.hand(x, gradient);
};

/// The derivatives by the hand-written adjoint; empty where there is none.
template <class Problem>
std::vector<double> by_hand(const Problem& p) {
  if constexpr (has_hand_written<Problem>) {
    const std::vector<double> x = p.start();
    const auto y = p(std::span<const double>(x));
    std::vector<double> derivatives(outputs_of(y).size() * x.size());
    p.hand(std::span<const double>(x), std::span<double>(derivatives));
    return derivatives;
  } else {
    return {};
  }
}

/// A problem, and its derivatives as somebody outside found them, row by row: the published ones of
/// the benchmark suite, else the hand-written adjoint's.
struct posed_problem {
  problem it;
  std::vector<double> reference;
};

template <class Problem>
posed_problem pose(Problem p) {
  std::vector<double> reference = by_hand(p);
  return {std::move(p), std::move(reference)};
}

struct listed_problem {
  std::string_view name;
  bool needs_data;
  /// Throws std::runtime_error when the data cannot be read.
  posed_problem (*pose)(const std::filesystem::path& data);
};

namespace suite_problems {

inline posed_problem mixture(const std::filesystem::path& data, const char* file) {
  return {gmm(data / file), read_reference(data / "gmm.jsonl", file, "gradient")};
}

inline posed_problem bundle(const std::filesystem::path& data) {
  const char* file = "ba/ba1_n49_m7776_p31843.txt";
  std::vector<double> jacobian = read_reference(data / "ba_exact.jsonl", file, "J_row0");
  const std::vector<double> second = read_reference(data / "ba_exact.jsonl", file, "J_row1");
  jacobian.insert(jacobian.end(), second.begin(), second.end());
  return {ba(data / file), std::move(jacobian)};
}

inline posed_problem network(const std::filesystem::path& data) {
  const char* file = "lstm/lstm_l2_c1024.txt";
  return {lstm(data / file), read_reference(data / "lstm.jsonl", file, "gradient")};
}

inline posed_problem tracking(const std::filesystem::path& data) {
  const char* file = "hand/simple_small/hand1_t26_c100.txt";
  hand_tracking p(data / file);
  const std::vector<double> by_columns = read_reference(data / "hand.jsonl", file, "jacobian");
  const std::size_t columns = p.start().size(), rows = by_columns.size() / columns;
  std::vector<double> jacobian(by_columns.size());
  for (std::size_t i = 0; i < by_columns.size(); ++i) {
    jacobian[i % rows * columns + i / rows] = by_columns[i];
  }
  return {std::move(p), std::move(jacobian)};
}

}  // namespace suite_problems

/// In the order of the tables: those with few live variables first, since there are tools whose
/// memory never shrinks and slows what comes after.
inline constexpr std::array<listed_problem, 17> all_problems{{
    {"tiny", false, [](const auto&) { return pose(tiny()); }},
    {"tiny_arithmetic", false, [](const auto&) { return pose(tiny_arithmetic()); }},
    {"ba", true, suite_problems::bundle},
    {"chain", false, [](const auto&) { return pose(chain()); }},
    {"det", false, [](const auto&) { return pose(det()); }},
    {"llsq", false, [](const auto&) { return pose(llsq()); }},
    {"ode", false, [](const auto&) { return pose(ode()); }},
    {"kmeans", false, [](const auto&) { return pose(kmeans()); }},
    {"lstm", true, suite_problems::network},
    {"hand", true, suite_problems::tracking},
    {"lse", false, [](const auto&) { return pose(lse()); }},
    {"gmm_1k", true,
     [](const auto& data) { return suite_problems::mixture(data, "gmm/1k/gmm_d10_K25.txt"); }},
    {"gmm_10k", true,
     [](const auto& data) { return suite_problems::mixture(data, "gmm/10k/gmm_d10_K10.txt"); }},
    {"mlp", false, [](const auto&) { return pose(mlp()); }},
    {"burgers", false, [](const auto&) { return pose(burgers()); }},
    {"black_scholes", false, [](const auto&) { return pose(black_scholes()); }},
    {"rosenbrock", false, [](const auto&) { return pose(rosenbrock()); }},
}};

}  // namespace bench::problems
