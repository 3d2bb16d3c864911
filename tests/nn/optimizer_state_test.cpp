// What an optimizer remembers, for whom it differs, and what it refuses.

#include <tests/catch.hpp>
#include <tests/counted_allocations.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/parallel.hpp>
#include <nn/optimizer/optimizer.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using autodiff::tensor;

template <class T>
struct model {
  tensor<T> weights{autodiff::shape{7, 9}}, bias{autodiff::shape{9}};

  void parameters(auto&& visit) {
    visit(weights);
    visit(bias);
  }
};

/// The same with names.
struct named_model : model<double> {
  tensor<double> mean{autodiff::shape{9}};

  void state(auto&& visit) {
    visit("layers.0.weights", weights);
    visit("layers.0.running_mean", mean);
    visit("layers.0.bias", bias);
  }
};

const std::vector<nn::optimizer> all_optimizers{
    nn::sgd{},
    nn::sgd{.momentum = 0.9, .dampening = 0.1},
    nn::sgd{.momentum = 0.9, .weight_decay = 0.1, .nesterov = true},
    nn::adam{.rate = 0.01},
    nn::adam{.amsgrad = true},
    nn::adamw{},
    nn::nadam{},
    nn::adamax{},
    nn::adagrad{.rate_decay = 0.1},
    nn::adadelta{},
    nn::rmsprop{},
    nn::rmsprop{.momentum = 0.5, .centred = true},
    nn::lion{},
    nn::rprop{}};

template <class T>
tensor<T> drawn(const autodiff::shape& s, std::uint64_t seed) {
  return tensor<T>(s, std::span<const T>(reference::random(seed).uniform<T>(s.size(), -1, 1)));
}

template <class T>
model<T> drawn_model() {
  return {drawn<T>({7, 9}, 1), drawn<T>({9}, 2)};
}

/// Gradients that are a function of the step.
template <class T>
std::vector<tensor<T>> gradients(int step) {
  const auto seed = static_cast<std::uint64_t>(step);
  return {drawn<T>({7, 9}, 100 + 2 * seed), drawn<T>({9}, 101 + 2 * seed)};
}

template <class T>
void run(nn::optimizer_state<T>& steps, model<T>& moved, int from, int to) {
  for (int t = from; t < to; ++t) steps.update(moved, gradients<T>(t));
}

template <class T>
std::vector<T> all_values(model<T>& m) {
  std::vector<T> all;
  m.parameters(
      [&](const tensor<T>& p) { all.insert(all.end(), p.values().begin(), p.values().end()); });
  return all;
}

template <class T>
std::map<std::string, std::vector<T>> slots_of(nn::optimizer_state<T>& steps) {
  std::map<std::string, std::vector<T>> slots;
  steps.state([&](std::string_view name, const tensor<T>& slot) {
    const bool is_new =
        slots.emplace(name, std::vector<T>(slot.values().begin(), slot.values().end())).second;
    CHECK(is_new);
  });
  return slots;
}

std::string refusal(const nn::optimizer& settings,
                    const std::vector<nn::parameter_group>& groups = {}) {
  return reference::message<autodiff::domain_error>(
      [&] { nn::optimizer_state<double> state(settings, groups); });
}

bool any(const nn::parameter_place&) { return true; }

struct large_model {
  tensor<float> w = drawn<float>({300, 700}, 5);

  void parameters(auto&& visit) { visit(w); }
};

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEMPLATE_TEST_CASE("a state that is saved and restored goes on bit by bit", "", float, double) {
  using T = TestType;
  for (const nn::optimizer& settings : all_optimizers) {
    CAPTURE(settings.index());
    model<T> straight = drawn_model<T>(), stopped = straight;
    nn::optimizer_state<T> whole(settings), first(settings), second(settings);
    run(whole, straight, 0, 100);
    run(first, stopped, 0, 50);

    const auto saved = slots_of(first);
    second.prepare(stopped);
    second.state([&](std::string_view name, tensor<T>& slot) {
      slot = tensor<T>(slot.shape(), std::span<const T>(saved.at(std::string(name))));
    });
    second.steps(first.steps());
    CHECK(slots_of(second) == saved);
    run(second, stopped, 50, 100);
    CHECK(all_values(stopped) == all_values(straight));
    CHECK(second.steps() == 100);
  }
}

TEST_CASE("slots are named after what they are and the place of their parameter") {
  const auto names = [](const nn::optimizer& settings) {
    model<double> m = drawn_model<double>();
    nn::optimizer_state<double> steps(settings);
    std::vector<std::string> all;
    const auto list = [&](std::string_view name, const tensor<double>&) { all.emplace_back(name); };
    steps.state(list);
    CHECK(all.empty());
    steps.prepare(m);
    CHECK(steps.steps() == 0);
    steps.state(list);
    return all;
  };
  using list = std::vector<std::string>;
  CHECK(names(nn::sgd{}).empty());
  CHECK(names(nn::sgd{.weight_decay = 0.1}).empty());
  CHECK(names(nn::sgd{.momentum = 0.9}) == list{"velocity.0", "velocity.1"});
  CHECK(names(nn::adam{.amsgrad = true}) ==
        list{"first_moment.0", "first_moment.1", "second_moment.0", "second_moment.1",
             "largest_second_moment.0", "largest_second_moment.1"});
  CHECK(names(nn::rmsprop{.momentum = 0.1}) ==
        list{"squares.0", "squares.1", "velocity.0", "velocity.1"});
}

TEST_CASE("a slot restored with another shape is refused before anything moves") {
  model<double> m = drawn_model<double>();
  nn::optimizer_state<double> steps(nn::adam{});
  steps.prepare(m);
  steps.state([](std::string_view name, tensor<double>& slot) {
    if (name == "second_moment.1") slot = tensor<double>(autodiff::shape{8});
  });
  const auto before = all_values(m);
  const std::string text =
      reference::message<autodiff::shape_error>([&] { steps.update(m, gradients<double>(0)); });
  CHECK(reference::says(text, "optimizer: second_moment.1 has shape [8] and its parameter [9]",
                        "restore"));
  CHECK(all_values(m) == before);
}

TEST_CASE("the rate of the next step can be set, and 0 holds still") {
  for (const nn::optimizer& settings : all_optimizers) {
    if (std::holds_alternative<nn::rprop>(settings)) continue;
    CAPTURE(settings.index());
    model<double> m = drawn_model<double>();
    nn::optimizer_state<double> steps(settings);
    CHECK(steps.rate() == nn::rate_of(settings));
    steps.rate(0);
    const auto before = all_values(m);
    run(steps, m, 0, 3);
    CHECK(all_values(m) == before);
    steps.rate(0.5);
    CHECK(steps.rate() == 0.5);
    run(steps, m, 3, 4);
    CHECK(all_values(m) != before);
  }
  nn::optimizer_state<double> steps(nn::sgd{});
  for (const double rate : {-1.0, undefined, infinity}) {
    const std::string text = reference::message<autodiff::domain_error>([&] { steps.rate(rate); });
    CHECK(reference::says(text, "optimizer: the rate is set to", "it must be 0 or positive"));
  }
}

TEST_CASE("a group has its own rate and weight decay, and frozen parameters stay") {
  const auto is_bias = [](const nn::parameter_place& p) { return p.shape.rank() == 1; };
  const auto is_matrix = [](const nn::parameter_place& p) { return p.index == 0; };
  for (const nn::optimizer& settings :
       {nn::optimizer(nn::sgd{.rate = 0.125}),
        nn::optimizer(nn::sgd{.rate = 0.125, .momentum = 0.5, .weight_decay = 0.25}),
        nn::optimizer(nn::adamw{.rate = 0.125, .weight_decay = 0.25})}) {
    CAPTURE(settings.index());
    nn::optimizer slower = settings;
    std::visit(
        [](auto& s) {
          s.rate = 0.0625;
          if constexpr (requires { s.weight_decay; }) s.weight_decay = 0;
        },
        slower);
    const model<double> start = drawn_model<double>();
    model<double> whole = start, half = start, mixed = start, frozen = start;
    nn::optimizer_state<double> all(settings), alone(slower);
    nn::optimizer_state<double> grouped(
        settings, {{.holds = is_bias, .rate_factor = 0.5, .weight_decay = 0.0}, {.holds = any}});
    nn::optimizer_state<double> without(settings, {{.holds = is_matrix, .frozen = true}});
    run(all, whole, 0, 10);
    run(alone, half, 0, 10);
    run(grouped, mixed, 0, 10);
    run(without, frozen, 0, 10);
    const auto same = [](const tensor<double>& a, const tensor<double>& b) {
      return reference::all_close(a.values(), b.values(), 1e-15);
    };
    CHECK(same(mixed.weights, whole.weights));
    CHECK(same(mixed.bias, half.bias));
    CHECK(same(frozen.weights, start.weights));
    CHECK(same(frozen.bias, whole.bias));
    for (const auto& [name, slot] : slots_of(without)) CHECK(name.ends_with(".1"));
  }
}

TEST_CASE("groups see index, name and shape of every parameter once") {
  named_model m;
  std::vector<std::string> seen;
  const auto note = [&](const nn::parameter_place& p) {
    seen.push_back(std::to_string(p.index) + " " + std::string(p.name) + " " +
                   autodiff::to_string(p.shape));
    return false;
  };
  nn::optimizer_state<double> steps(nn::adam{}, {{.holds = note}});
  steps.update(m, gradients<double>(0));
  steps.update(m, gradients<double>(1));
  CHECK(seen == std::vector<std::string>{"0 layers.0.weights [7, 9]", "1 layers.0.bias [9]"});

  seen.clear();
  model<double> nameless;
  nn::optimizer_state<double>(nn::sgd{}, {{.holds = note}}).update(nameless, gradients<double>(0));
  CHECK(seen == std::vector<std::string>{"0 parameters.0 [7, 9]", "1 parameters.1 [9]"});
}

TEST_CASE("the rate factor of a group scales the first steps of rprop") {
  model<double> m;
  nn::optimizer_state<double> steps(nn::rprop{.rate = 0.25}, {{.holds = any, .rate_factor = 0.5}});
  steps.update(m, gradients<double>(0));
  for (const double w : all_values(m)) CHECK(std::fabs(w) == 0.125);
}

TEST_CASE("groups out of range are refused by number") {
  CHECK(refusal(nn::sgd{}, {{.holds = any}, {}}) ==
        "optimizer: parameter group 1 has no condition; say which parameters it holds: .holds = "
        "[](const nn::parameter_place& p) ...");
  CHECK(refusal(nn::sgd{}, {{.holds = any, .rate_factor = -1}}) ==
        "optimizer: parameter group 0 has the rate_factor -1; it must be 0 or positive");
  CHECK(refusal(nn::sgd{}, {{.holds = any, .weight_decay = -2}}) ==
        "optimizer: parameter group 0 has the weight_decay -2; it must be 0 or positive");
  CHECK(refusal(nn::rprop{}, {{.holds = any, .weight_decay = 0.1}}) ==
        "optimizer: parameter group 0 has a weight_decay, rprop has none; leave it out, or choose "
        "another optimizer");
  CHECK(refusal(nn::rprop{}, {{.holds = any}}) == "nothing was thrown");
}

TEST_CASE("every setting out of range is refused by name, value and range") {
  const auto refuses = [](const nn::optimizer& settings, const std::string& text) {
    CHECK(refusal(settings) == "optimizer: " + text);
  };
  const std::string share = "it must be in [0, 1)", positive = "it must be positive",
                    not_negative = "it must be 0 or positive";
  refuses(nn::sgd{.momentum = 1}, "momentum is 1; " + share);
  refuses(nn::sgd{.momentum = -0.5}, "momentum is -0.5; " + share);
  refuses(nn::sgd{.momentum = 0.5, .dampening = 2}, "dampening is 2; it must be in [0, 1]");
  refuses(nn::sgd{.weight_decay = -1}, "weight_decay is -1; " + not_negative);
  refuses(nn::sgd{.weight_decay = undefined}, "weight_decay is nan; " + not_negative);
  refuses(nn::sgd{.nesterov = true}, "nesterov is set and momentum is 0; it needs a momentum");
  refuses(nn::sgd{.momentum = 0.5, .dampening = 0.25, .nesterov = true},
          "nesterov is set and dampening is 0.25; it needs a dampening of 0");
  refuses(nn::adagrad{.rate = 0}, "the rate is 0; " + positive);
  refuses(nn::adagrad{.rate_decay = -1}, "rate_decay is -1; " + not_negative);
  refuses(nn::adagrad{.initial_accumulator = -1}, "initial_accumulator is -1; " + not_negative);
  refuses(nn::adagrad{.epsilon = 0}, "epsilon is 0; " + positive);
  refuses(nn::adadelta{.rho = 1}, "rho is 1; " + share);
  refuses(nn::adadelta{.epsilon = infinity}, "epsilon is inf; " + positive);
  refuses(nn::rmsprop{.alpha = 1.5}, "alpha is 1.5; " + share);
  refuses(nn::rmsprop{.momentum = -1}, "momentum is -1; " + share);
  refuses(nn::adam{.weight_decay = -1}, "weight_decay is -1; " + not_negative);
  refuses(nn::adamw{.beta1 = 1}, "beta1 is 1; " + share);
  refuses(nn::adamw{.beta2 = undefined}, "beta2 is nan; " + share);
  refuses(nn::nadam{.beta2 = -0.5}, "beta2 is -0.5; " + share);
  refuses(nn::nadam{.momentum_decay = -1}, "momentum_decay is -1; " + not_negative);
  refuses(nn::adamax{.beta1 = 2}, "beta1 is 2; " + share);
  refuses(nn::adamax{.epsilon = 0}, "epsilon is 0; " + positive);
  refuses(nn::lion{.beta1 = -1}, "beta1 is -1; " + share);
  refuses(nn::lion{.weight_decay = -1}, "weight_decay is -1; " + not_negative);
  refuses(nn::rprop{.rate = -1}, "the rate is -1; " + positive);
  refuses(nn::rprop{.shrink = 1}, "shrink is 1; it must be in (0, 1)");
  refuses(nn::rprop{.grow = 1}, "grow is 1; it must be above 1");
  refuses(nn::rprop{.least = 0}, "least is 0; " + positive);
  refuses(nn::rprop{.least = 2, .most = 1}, "most is 1; it must be least or more");
  for (const nn::optimizer& settings : all_optimizers)
    CHECK(refusal(settings) == "nothing was thrown");
}

TEMPLATE_TEST_CASE("gradients that never change do not undo the centred rmsprop", "", float,
                   double) {
  using T = TestType;
  model<T> m;
  nn::optimizer_state<T> steps(nn::rmsprop{.alpha = 0.5, .centred = true});
  for (int t = 0; t < 200; ++t) steps.update(m, gradients<T>(0));
  for (const T w : all_values(m)) CHECK(std::isfinite(w));
}

TEST_CASE("a gradient that is no number is not hidden") {
  for (const nn::optimizer& settings : all_optimizers) {
    CAPTURE(settings.index());
    model<double> m = drawn_model<double>();
    nn::optimizer_state<double> steps(settings);
    run(steps, m, 0, 2);
    auto g = gradients<double>(2);
    g[0].mutable_values()[5] = undefined;
    steps.update(m, g);
    for (std::size_t i = 0; i < m.weights.size(); ++i)
      CHECK(std::isnan(m.weights.values()[i]) == (i == 5));
  }
}

TEST_CASE("steps of any optimizer are the same on one thread and on four") {
  const std::size_t before = autodiff::threads();
  for (const nn::optimizer& settings : all_optimizers) {
    CAPTURE(settings.index());
    std::vector<std::vector<float>> ends;
    for (const std::size_t threads : {1, 4}) {
      autodiff::set_threads(threads);
      large_model m;
      nn::optimizer_state<float> steps(settings);
      for (std::uint64_t t = 0; t < 3; ++t) steps.update(m, {drawn<float>({300, 700}, 10 + t)});
      ends.emplace_back(m.w.values().begin(), m.w.values().end());
    }
    CHECK(ends[0] == ends[1]);
  }
  autodiff::set_threads(before);
}

TEST_CASE("updates of any optimizer allocate nothing once warm") {
  if (!malloc_is_counted) {
    WARN("skipped: allocations cannot be counted in this build");
    return;
  }
  const auto g = gradients<double>(0);
  for (const nn::optimizer& settings : all_optimizers) {
    CAPTURE(settings.index());
    model<double> m = drawn_model<double>();
    nn::optimizer_state<double> steps(settings, {{.holds = any, .rate_factor = 2}});
    steps.update(m, g);
    const std::size_t before = requests;
    for (int t = 0; t < 10; ++t) steps.update(m, g);
    CHECK(requests - before == 0);
  }
}
