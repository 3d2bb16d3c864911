// Tensors: training steps against steps written by hand over the same BLAS, what one small
// operation costs, and the elementwise loops. Every step records anew.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <bench/bench.hpp>
#include <bench/gemm.hpp>
#include <bench/problems/training.hpp>
#include <bench/steps.hpp>

#include <cmath>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace {

void report_times(bench::suite& suite, const std::string& name, const std::string& tool,
                  const bench::timing& timing, const std::string& per, double divisor) {
  suite.row({name, tool, bench::time_text(timing.fastest() / divisor),
             bench::time_text(timing.median() / divisor),
             fmt::format("{:.0f} %", 100 * timing.spread()), per});
}

/// A chain of 1000 operations on shape [4], recorded and swept: nanoseconds an operation.
/// link(x, w, i) is the i-th link.
template <class Link>
void measure_chain(bench::suite& suite, const std::string& name, const Link& link) {
  using tensor = autodiff::tensor<float>;
  constexpr std::size_t length = 1000;
  const tensor start({0.1f, -0.2f, 0.3f, -0.4f}), weight({1.01f, 0.99f, -1.02f, 1.0f});
  const auto chain = [&](autodiff::tape& tape) {
    tensor x = tape.variable(start);
    const tensor w = tape.variable(weight);
    for (std::size_t i = 0; i < length; ++i) x = link(x, w, i);
    return x;
  };
  const tensor ones(autodiff::shape{4}, 1.0f);
  autodiff::tape swept;
  const tensor end = chain(swept);
  autodiff::tape recorded;  // the younger one records
  std::vector<bench::contestant> contestants;
  contestants.emplace_back("forward", [&] {
    recorded.rewind();
    bench::keep(chain(recorded));
  });
  contestants.emplace_back("backward", [&] { swept.backward(end, ones, autodiff::leaves_only); });
  const std::vector<bench::timing> timings = suite.race(std::move(contestants));
  report_times(suite, name, "backsweep", timings[0], "operation, forward", length);
  report_times(suite, name, "backsweep", timings[1], "operation, backward", length);
  suite.figure(name, "backsweep", "op_forward_ns", timings[0].fastest() * 1e9 / length);
  suite.figure(name, "backsweep", "op_backward_ns", timings[1].fastest() * 1e9 / length);
}

void measure_kernels(bench::suite& suite) {
  constexpr std::size_t n = 2048;  // in, out and adjoint stay in the first-level cache
  std::vector<float> x(n), y(n), dx(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = 4.0f * bench::problems::scattered(i);
  const std::vector<float> dy(n, 0.5f);
  const autodiff::kernel_table& table = autodiff::kernels();
  const std::vector<std::pair<std::string, const autodiff::unary_loops<float>*>> functions = {
      {"tanh", &table.of_float.tanh},
      {"exp", &table.of_float.exp},
      {"sigmoid", &table.of_float.sigmoid},
      {"relu", &table.of_float.relu}};
  std::vector<bench::contestant> contestants;
  std::vector<std::string> names;
  for (const auto& [name, loops] : functions) {
    const bool forward = suite.wants(name), pullback = suite.wants(name + "_pullback");
    if (forward) {
      names.push_back(name);
      contestants.emplace_back(name, [&, loops = loops] {
        loops->forward(n, x.data(), y.data());
        bench::keep(y[0]);
      });
    }
    if (pullback) {
      names.push_back(name + "_pullback");
      contestants.emplace_back(name, [&, loops = loops] {
        loops->pullback(n, x.data(), y.data(), dy.data(), dx.data(), autodiff::store::write);
        bench::keep(dx[0]);
      });
    }
  }
  if (contestants.empty()) return;
  table.of_float.sigmoid.forward(n, x.data(), y.data());
  const std::vector<bench::timing> timings = suite.race(std::move(contestants));
  for (std::size_t i = 0; i < names.size(); ++i) {
    report_times(suite, names[i], "backsweep", timings[i], "element", n);
    suite.figure(names[i], "backsweep", "ns_per_element", timings[i].fastest() * 1e9 / n);
  }
}

void run(bench::suite& suite) {
  suite.columns({"case", "tool", "fastest", "median", "spread", "per", "/ hand", "(median)",
                 "samples/s", "GFLOP/s", "peak MiB"});
  bench::race_steps(suite);
  if (suite.wants("tiny_op")) {
    measure_chain(suite, "tiny_op", [](const auto& x, const auto& w, std::size_t i) {
      return i % 2 == 0 ? x * w : x + w;
    });
  }
  if (suite.wants("tiny_op_unary")) {
    measure_chain(suite, "tiny_op_unary",
                  [](const auto& x, const auto&, std::size_t) { return relu(x); });
  }
  measure_kernels(suite);
  bench::measure_products(suite);
}

}  // namespace

int main(int argc, char** argv) {
  bench::suite suite("tensor", argc, argv);
  suite.say(fmt::format("loops for {}", autodiff::kernels().instruction_set));
  try {
    run(suite);
  } catch (const std::exception& e) {
    suite.say(fmt::format("error: {}", e.what()));
    return 1;
  }
  return suite.finish();
}
