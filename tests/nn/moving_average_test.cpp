#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <nn/optimizer/moving_average.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using autodiff::tensor;
using reference::real;

template <class T>
struct model {
  tensor<T> weights{autodiff::shape{7, 9}}, bias{autodiff::shape{9}};

  void parameters(auto&& visit) {
    visit(weights);
    visit(bias);
  }
};

/// A model whose parameters are a function of the step.
template <class T>
model<T> at(std::uint64_t step) {
  reference::random random(step);
  const auto weights = random.uniform<T>(63, -1, 1), bias = random.uniform<T>(9, -1, 1);
  return {tensor<T>({7, 9}, std::span<const T>(weights)), tensor<T>({9}, std::span<const T>(bias))};
}

template <class T>
std::vector<T> all_values(const model<T>& m) {
  std::vector<T> all(m.weights.values().begin(), m.weights.values().end());
  all.insert(all.end(), m.bias.values().begin(), m.bias.values().end());
  return all;
}

/// The definition: weights of the parameters of steps 1 to t, the last one first.
template <class T>
std::vector<real> by_the_sum(const nn::averaging& how, std::uint64_t t) {
  const real decay = how.decay;
  std::vector<real> sum(72);
  for (std::uint64_t k = 1; k <= t; ++k) {
    real share = (1 - decay) * std::pow(decay, static_cast<real>(t - k));
    if (how.corrected) share /= 1 - std::pow(decay, static_cast<real>(t));
    // The first one stands for all that might have been before.
    if (!how.corrected && k == 1) share = std::pow(decay, static_cast<real>(t - 1));
    const auto w = all_values(at<T>(k));
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += share * static_cast<real>(w[i]);
  }
  return sum;
}

}  // namespace

TEMPLATE_TEST_CASE("averages are the weighted sums of their definition", "", float, double) {
  using T = TestType;
  const real tolerance = 16 * std::numeric_limits<T>::epsilon();
  for (const nn::averaging& how : {nn::averaging{}, nn::averaging{.decay = 0.9},
                                   nn::averaging{.decay = 0.9, .corrected = true},
                                   nn::averaging{.decay = 0, .corrected = true}}) {
    CAPTURE(how.decay, how.corrected);
    model<T> m = at<T>(0);
    nn::moving_average<T> averages(m, how);
    for (std::uint64_t t = 1; t <= 30; ++t) {
      m = at<T>(t);
      averages.update(m);
      averages.swap(m);
      CHECK(reference::all_close(all_values(m), by_the_sum<T>(how, t), tolerance));
      averages.swap(m);
      CHECK(all_values(m) == all_values(at<T>(t)));
    }
  }
}

TEST_CASE("before the first update the averages are the parameters") {
  model<double> m = at<double>(4);
  nn::moving_average<double> averages(m);
  m = at<double>(5);
  averages.swap(m);
  CHECK(all_values(m) == all_values(at<double>(4)));
}

TEST_CASE("averages are in the model for as long as the object lives") {
  model<double> m = at<double>(1);
  nn::moving_average<double> averages(m);
  m = at<double>(2);
  {
    const nn::averaged in_place(m, averages);
    CHECK(averages.is_swapped_in());
    CHECK(all_values(m) == all_values(at<double>(1)));
    CHECK(reference::message<autodiff::domain_error>([&] { averages.update(m); }) ==
          "moving_average: the model has its averages for parameters; swap them out before the "
          "next step");
  }
  CHECK(!averages.is_swapped_in());
  CHECK(all_values(m) == all_values(at<double>(2)));
}

TEST_CASE("averages that are saved and restored go on bit by bit") {
  for (const bool corrected : {false, true}) {
    const nn::averaging how{.decay = 0.95, .corrected = corrected};
    model<float> m = at<float>(0);
    nn::moving_average<float> straight(m, how), first(m, how), second(m, how);
    const auto run = [](nn::moving_average<float>& averages, std::uint64_t from, std::uint64_t to) {
      for (std::uint64_t t = from; t < to; ++t) {
        model<float> now = at<float>(t);
        averages.update(now);
      }
    };
    run(straight, 1, 60);
    run(first, 1, 30);
    std::map<std::string, std::vector<float>> saved;
    first.state([&](std::string_view name, const tensor<float>& a) {
      saved[std::string(name)].assign(a.values().begin(), a.values().end());
    });
    CHECK(saved.size() == 2);
    second.state([&](std::string_view name, tensor<float>& a) {
      a = tensor<float>(a.shape(), std::span<const float>(saved.at(std::string(name))));
    });
    second.steps(first.steps());
    run(second, 30, 60);
    model<float> a = m, b = m;
    straight.swap(a);
    second.swap(b);
    CHECK(all_values(a) == all_values(b));
  }
}

TEST_CASE("averages of another model, recorded parameters and a decay out of range are refused") {
  model<double> m = at<double>(1);
  for (const double decay : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(reference::says(reference::message<autodiff::domain_error>(
                              [&] { nn::moving_average<double>(m, {.decay = decay}); }),
                          "moving_average: the decay is ", "; it must be in [0, 1)"));
  }
  nn::moving_average<double> averages(m);
  model<double> other = m;
  other.bias = tensor<double>(autodiff::shape{8});
  CHECK(reference::message<autodiff::shape_error>([&] { averages.update(other); }) ==
        "moving_average: parameter 1 has shape [8] and its average [9]; make a moving_average for "
        "each model");
  struct {
    tensor<double> only;
    void parameters(const std::function<void(tensor<double>&)>& visit) { visit(only); }
  } smaller;
  CHECK(reference::message<autodiff::shape_error>([&] { averages.swap(smaller); }) ==
        "moving_average: 2 averages and a model of 1 parameters; make a moving_average for each "
        "model");
  struct {
    tensor<double> tied = tensor<double>(autodiff::shape{2});
    void parameters(const std::function<void(tensor<double>&)>& visit) {
      visit(tied);
      visit(tied);
    }
  } twice;
  CHECK(reference::message<autodiff::domain_error>(
            [&] { const nn::moving_average<double> refused(twice); }) ==
        "moving_average: parameters() handed out a tensor twice; visit it once, however often the "
        "model uses it");
  autodiff::tape tape;
  m.weights = tape.variable(m.weights);
  CHECK(reference::says(reference::message<autodiff::tape_error>([&] { averages.swap(m); }),
                        "moving_average: parameter 0 is a variable of a tape"));
}
