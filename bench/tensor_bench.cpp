// Tensors: training steps against steps written by hand over the same BLAS, what one small
// operation costs, and the elementwise loops. Every step records anew.

#include <autodiff/tape.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/fusion.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/tensor.hpp>
#include <nn/optimizer/update_loops.hpp>

#include <bench/bench.hpp>
#include <bench/gemm.hpp>
#include <bench/picture.hpp>
#include <bench/problems/training.hpp>
#include <bench/steps.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
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

/// One loop over n elements; bytes is what it moves between memory and the core, an element.
struct kernel_case {
  std::string name;
  std::size_t n;
  double bytes;
  std::function<void()> call;
};

/// Arrays for kernels: in the first-level cache, or far larger than any cache.
struct kernel_arrays {
  std::size_t n;
  std::vector<float> x, other, y, dx, dy, first_moment, second_moment;

  explicit kernel_arrays(std::size_t count)
      : n(count),
        x(n),
        other(n, 0.25f),
        y(n),
        dx(n),
        dy(n, 0.5f),
        first_moment(n, 0.1f),
        second_moment(n, 0.01f) {
    for (std::size_t i = 0; i < n; ++i) x[i] = 4.0f * bench::problems::scattered(i);
    autodiff::kernels().of_float.sigmoid.forward(n, x.data(), y.data());
  }
};

kernel_case forward_case(const std::string& name, kernel_arrays& a,
                         const autodiff::unary_loops<float>& loops) {
  return {name, a.n, 8, [&] { loops.forward(a.n, a.x.data(), a.dx.data()); }};
}
kernel_case pullback_case(const std::string& name, kernel_arrays& a,
                          const autodiff::unary_loops<float>& loops) {
  return {name, a.n, 12, [&] {
            loops.pullback(a.n, a.x.data(), a.y.data(), a.dy.data(), a.dx.data(),
                           autodiff::store::write);
          }};
}

/// The loops of `cases` that were asked for: nanoseconds an element.
std::vector<double> race_kernels(bench::suite& suite, const std::vector<kernel_case>& cases) {
  std::vector<bench::contestant> contestants;
  for (const kernel_case& c : cases) contestants.emplace_back(c.name, c.call);
  if (contestants.empty()) return {};
  const std::vector<bench::timing> timings = suite.race(std::move(contestants));
  std::vector<double> times;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto n = static_cast<double>(cases[i].n);
    report_times(suite, cases[i].name, "backsweep", timings[i], "element", n);
    times.push_back(timings[i].fastest() * 1e9 / n);
    suite.figure(cases[i].name, "backsweep", "ns_per_element", times.back());
  }
  return times;
}

/// Loops whose arrays stay in the first-level cache: what the functions themselves cost.
void measure_kernels(bench::suite& suite) {
  kernel_arrays a(2048);
  const autodiff::loop_table<float>& loops = autodiff::kernels().of_float;
  const std::vector<std::pair<std::string, const autodiff::unary_loops<float>*>> functions = {
      {"tanh", &loops.tanh}, {"exp", &loops.exp},          {"sigmoid", &loops.sigmoid},
      {"relu", &loops.relu}, {"gelu", &loops.gelu},        {"silu", &loops.silu},
      {"erf", &loops.erf},   {"softplus", &loops.softplus}};
  std::vector<kernel_case> cases;
  for (const auto& [name, function] : functions) {
    cases.push_back(forward_case(name, a, *function));
    cases.push_back(pullback_case(name + "_pullback", a, *function));
  }
  cases.push_back({"adam_update", a.n, 28, [&] {
                     using rule = nn::adam_rule<float, false, false>;
                     float* const moments[] = {a.first_moment.data(), a.second_moment.data()};
                     nn::update_of<rule>()(a.n, {1e-3f, 0, 0, 0.9f, 0.999f, 1e-8f}, a.dy.data(),
                                           a.x.data(), moments);
                   }});
  cases.push_back({"sgd_update", a.n, 12, [&] {
                     loops.plain.accumulate(a.n, -1e-3f, a.dy.data(), 1, a.x.data(),
                                            autodiff::store::add);
                   }});
  std::erase_if(cases, [&](const kernel_case& c) { return !suite.wants(c.name); });
  race_kernels(suite, cases);
}

/// Arrays of 64 MiB: a loop can be no faster than its memory traffic, and is compared with a plain
/// copy, an element read and one written, for as many bytes.
void measure_large_kernels(bench::suite& suite) {
  const std::vector<std::string> names = {"relu_large", "add_large", "tanh_large"};
  if (std::none_of(names.begin(), names.end(), [&](const auto& n) { return suite.wants(n); }))
    return;
  kernel_arrays a(std::size_t{1} << 24);
  const autodiff::loop_table<float>& loops = autodiff::kernels().of_float;
  std::vector<kernel_case> cases = {
      {"copy_large", a.n, 8,
       [&] {
         loops.plain.accumulate(a.n, 1.0f, a.x.data(), 1, a.dx.data(), autodiff::store::write);
       }},
      forward_case(names[0], a, loops.relu),
      {names[1], a.n, 12,
       [&] { loops.add.forward(a.n, a.x.data(), 1, a.other.data(), 1, a.dx.data()); }},
      forward_case(names[2], a, loops.tanh)};
  const std::vector<double> times = race_kernels(suite, cases);
  for (std::size_t i = 1; i < cases.size(); ++i) {
    const double by_copying = times[0] * cases[i].bytes / cases[0].bytes;
    suite.figure(cases[i].name, "backsweep", "over_copy", times[i] / by_copying);
    suite.say(fmt::format("{}: {:.2f} of the time of a copy of as many bytes", cases[i].name,
                          times[i] / by_copying));
  }
}

/// A chain of five cheap operations on n elements: fused, unfused, and one operation over the same
/// memory. Each of them forward, and forward and backward.
void measure_fusion(bench::suite& suite, const std::string& name, std::size_t n) {
  using tensor = autodiff::tensor<float>;
  const auto chain = [](const auto& x) { return relu(x * 1.5f + 0.25f) * 0.75f - 0.1f; };
  const auto fused = [&](const tensor& x) { return autodiff::fuse(chain, x); };
  const auto one = [](const tensor& x) { return relu(x); };
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = bench::problems::scattered(i);
  const tensor x(autodiff::shape{n}, values), ones(autodiff::shape{n}, 1.0f);
  autodiff::tape tape;
  const auto step = [&](const auto& f) {
    tape.rewind();
    const tensor leaf = tape.variable(x);
    tape.backward(f(leaf), ones, autodiff::leaves_only);
  };
  std::vector<bench::contestant> contestants;
  contestants.emplace_back("one", [&] { bench::keep(one(x)); });
  contestants.emplace_back("fused", [&] { bench::keep(fused(x)); });
  contestants.emplace_back("unfused", [&] { bench::keep(chain(x)); });
  contestants.emplace_back("one", [&] { step(one); });
  contestants.emplace_back("fused", [&] { step(fused); });
  contestants.emplace_back("unfused", [&] { step(chain); });
  const std::vector<bench::timing> timings = suite.race(std::move(contestants));
  for (const std::size_t first : {std::size_t{0}, std::size_t{3}}) {
    const bench::timing &single = timings[first], &in_one = timings[first + 1],
                        &one_by_one = timings[first + 2];
    const auto report = [&](const std::string& tool, const bench::timing& t) {
      const bench::ratio over_one(t, single), over_unfused(t, one_by_one);
      suite.row({name, tool, bench::time_text(t.fastest() / static_cast<double>(n)),
                 bench::time_text(t.median() / static_cast<double>(n)),
                 fmt::format("{:.0f} %", 100 * t.spread()),
                 first == 0 ? "element, forward" : "element, both ways",
                 fmt::format("{:.2f}", over_one.fastest), fmt::format("{:.2f}", over_one.median),
                 fmt::format("{:.2f}", over_unfused.fastest),
                 fmt::format("{:.2f}", over_unfused.median)});
    };
    report("one", single);
    report("fused", in_one);
    report("unfused", one_by_one);
    const std::string suffix = first == 0 ? "" : "_step";
    suite.figure(name, "backsweep", "fused_over_one" + suffix,
                 bench::ratio(in_one, single).fastest);
    suite.figure(name, "backsweep", "fused_over_unfused" + suffix,
                 bench::ratio(in_one, one_by_one).fastest);
  }
}

/// Softmax cross-entropy over ten classes, recorded and swept.
void measure_cross_entropy(bench::suite& suite, const std::string& name, std::size_t batch) {
  using tensor = autodiff::tensor<float>;
  constexpr std::size_t classes = 10;
  const autodiff::shape s{batch, classes};
  std::vector<float> logits(s.size()), targets(s.size(), 0.0f);
  for (std::size_t i = 0; i < s.size(); ++i) logits[i] = bench::problems::scattered(i);
  for (std::size_t i = 0; i < batch; ++i) targets[i * classes + i * 7 % classes] = 1;
  const tensor z(s, logits), t(s, targets);
  autodiff::tape tape;
  std::vector<bench::contestant> contestants;
  contestants.emplace_back("backsweep", [&] {
    tape.rewind();
    const tensor leaf = tape.variable(z);
    tape.backward(softmax_cross_entropy(leaf, t), autodiff::leaves_only);
  });
  const std::vector<bench::timing> timings = suite.race(std::move(contestants), 0.5);
  const auto n = static_cast<double>(s.size());
  report_times(suite, name, "backsweep", timings[0], "element, both ways", n);
  suite.figure(name, "backsweep", "ns_per_element", timings[0].fastest() * 1e9 / n);
}

void measure_operations(bench::suite& suite) {
  suite.columns({"operation", "tool", "fastest", "median", "spread", "per"});
  if (suite.wants("tiny_op")) {
    measure_chain(suite, "tiny_op", [](const auto& x, const auto& w, std::size_t i) {
      return i % 2 == 0 ? x * w : x + w;
    });
  }
  if (suite.wants("tiny_op_unary")) {
    measure_chain(suite, "tiny_op_unary",
                  [](const auto& x, const auto&, std::size_t) { return relu(x); });
  }
  for (const std::size_t batch : {32, 64, 128, 1024}) {
    const std::string name = fmt::format("cross_entropy_{}", batch);
    if (suite.wants(name)) measure_cross_entropy(suite, name, batch);
  }
  measure_kernels(suite);
  measure_large_kernels(suite);
}

void run(bench::suite& suite, bench::chart& chart) {
  suite.say(fmt::format("loops for {}", autodiff::kernels().instruction_set));
  bench::race_steps(suite, chart);
  measure_operations(suite);
  suite.columns({"chain", "tool", "fastest", "median", "spread", "per", "/ one", "(median)",
                 "/ unfused", "(median)"});
  for (const std::size_t n : {4, 1024, 4096}) {
    const std::string name = fmt::format("fuse_{}", n);
    if (suite.wants(name)) measure_fusion(suite, name, n);
  }
  if (suite.wants("fuse_1e6")) measure_fusion(suite, "fuse_1e6", 1'000'000);
  if (suite.wants("fuse_16e6")) measure_fusion(suite, "fuse_16e6", 16'000'000);
  bench::measure_products(suite);
  bench::race_steps_on_threads(suite);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::measure("tensor", "training step / the same by hand, time", argc, argv, run);
}
