// A regression that knows what it does not know: the network tells, for each x, the mean of y and
// its spread, learned by the likelihood of a normal distribution from samples whose noise grows.

#include <tests/examples/pictured.hpp>

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

namespace ad = autodiff;

namespace {

double mean_at(double x) { return std::sin(3 * x); }
double deviation_at(double x) { return 0.05 + 0.2 * (x + 2) * (x + 2) / 16; }

/// x in [-2, 2], y normal about mean_at(x).
nn::dataset<double> samples(std::size_t n, nn::seed seed) {
  ad::generator random(seed.value);
  ad::tensor<double> x(ad::shape{n, 1}), y(ad::shape{n, 1});
  for (std::size_t i = 0; i < n; ++i) {
    const double at = random.uniform(-2, 2);
    // Source: Box and Muller, A note on the generation of random normal deviates (1958).
    const double normal = std::sqrt(-2 * std::log(1 - random.uniform())) *
                          std::cos(2 * std::numbers::pi * random.uniform());
    x.mutable_values()[i] = at;
    y.mutable_values()[i] = mean_at(at) + deviation_at(at) * normal;
  }
  return {x, y};
}

/// A curve over [-2, 2] from a function of x.
template <class Function>
nn::curve over_range(const std::string& label, Function f) {
  nn::curve c{label, {}, {}};
  for (int i = 0; i <= 200; ++i) {
    c.x.push_back(-2 + 0.02 * i);
    c.y.push_back(f(c.x.back()));
  }
  return c;
}

/// The outline of mean +- 2 deviations, there and back.
template <class Function>
nn::curve band(const std::string& label, Function told) {
  nn::curve c = over_range(label, [&](double x) { return told(x).first + 2 * told(x).second; });
  const nn::curve below =
      over_range("", [&](double x) { return told(x).first - 2 * told(x).second; });
  c.x.insert(c.x.end(), below.x.rbegin(), below.x.rend());
  c.y.insert(c.y.end(), below.y.rbegin(), below.y.rend());
  return c;
}

}  // namespace

int main() {
  const nn::dataset<double> train = samples(2000, nn::seed{1}), test = samples(1000, nn::seed{2});
  nn::network<double> net(1, {nn::dense(32, nn::tanh), nn::dense(32, nn::tanh), nn::dense(2)},
                          nn::seed{42});
  const nn::history past = nn::train(net, train, test,
                                     {.loss = nn::gaussian_nll_of_log_variances,
                                      .optimizer = nn::adam{.rate = 1e-2},
                                      .schedule = nn::cosine_annealing{},
                                      .epochs = 200,
                                      .batch = 64});

  const auto told = [&](double x) {
    const ad::tensor<double> y = net(ad::tensor<double>(ad::shape{1, 1}, x));
    return std::pair{y.value(0, 0), std::exp(0.5 * y.value(0, 1))};
  };
  std::size_t within_one = 0, within_two = 0;
  for (std::size_t i = 0; i < test.size(); ++i) {
    const auto [mean, deviation] = told(test.inputs.value(i, 0));
    const double off = std::fabs(test.targets.value(i, 0) - mean);
    within_one += off <= deviation ? 1 : 0;
    within_two += off <= 2 * deviation ? 1 : 0;
  }
  fmt::print("negative log-likelihood {:.3f} on {} samples to test\n", *past.back().validation_loss,
             test.size());
  fmt::print("within one deviation {:.1f} %, within two {:.1f} % (normal: 68.3, 95.4)\n",
             100.0 * static_cast<double>(within_one) / static_cast<double>(test.size()),
             100.0 * static_cast<double>(within_two) / static_cast<double>(test.size()));
  fmt::print("    x   deviation told   true\n");
  for (const double x : {-1.5, 0.0, 1.5})
    fmt::print("{:>5}            {:.3f}  {:.3f}\n", x, told(x).second, deviation_at(x));

  const auto values = [](const ad::tensor<double>& t) {
    return std::vector<double>(t.values().begin(), t.values().end());
  };
  const std::vector<nn::curve> curves{{.label = "samples to test",
                                       .x = values(test.inputs),
                                       .y = values(test.targets),
                                       .scattered = true},
                                      over_range("mean", [&](double x) { return told(x).first; }),
                                      band("two deviations", [&](double x) { return told(x); }),
                                      over_range("true mean", mean_at)};
  draw_picture("uncertainty.svg", [&](const std::filesystem::path& picture) {
    nn::plot_curves(
        picture,
        {.title = "What the network says of y, and how sure it is", .x_label = "x", .y_label = "y"},
        curves);
  });
}
