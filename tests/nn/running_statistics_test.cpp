// Running statistics of batch_norm, held to means and variances computed here.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/data/batch_source.hpp>
#include <nn/network/network.hpp>
#include <nn/training/running_statistics.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;

nn::dataset<double> drawn(std::size_t n) {
  reference::random random(3);
  return {tensor<double>(autodiff::shape{n, 2},
                         std::span<const double>(random.uniform<double>(n * 2, -3, 5))),
          tensor<double>(autodiff::shape{n, 1})};
}

struct statistics {
  double mean = 0, variance = 0;
};

/// The means over the batches of their means and unbiased variances, of one column.
statistics by_hand(nn::batch_source<double>& source, std::size_t column) {
  statistics all;
  std::size_t batches = 0;
  source.begin(0);
  for (nn::batch<double> b; source.next(b); ++batches) {
    const auto n = static_cast<double>(b.size());
    double mean = 0, squares = 0;
    for (std::size_t i = 0; i < b.size(); ++i) mean += b.inputs.value(i, column) / n;
    for (std::size_t i = 0; i < b.size(); ++i) {
      const double apart = b.inputs.value(i, column) - mean;
      squares += apart * apart;
    }
    all.mean += mean;
    all.variance += squares / (n - 1);
  }
  all.mean /= static_cast<double>(batches);
  all.variance /= static_cast<double>(batches);
  return all;
}

}  // namespace

TEST_CASE("renewed statistics are the means over the batches, whatever was there before") {
  nn::network<double> net(2, {nn::batch_norm{.momentum = 0.3}, nn::dense(1)}, nn::seed{1});
  auto& norm = *net.layers()[0].get_if<nn::batch_norm_layer<double>>();
  norm.running_mean = tensor<double>({100.0, -100.0});
  const tensor<double> weights = net.layers()[1].dense().weights;
  nn::memory_source<double> source(drawn(23), 7, nn::seed{2});
  nn::renew_running_statistics(net, source);
  for (std::size_t column = 0; column < 2; ++column) {
    const statistics expected = by_hand(source, column);
    CHECK(norm.running_mean.values()[column] == Approx(expected.mean).epsilon(1e-13));
    CHECK(norm.running_variance.values()[column] == Approx(expected.variance).epsilon(1e-13));
  }
  CHECK(norm.description().momentum == 0.3);
  CHECK(net.layers()[1].dense().weights.values()[0] == weights.values()[0]);
}

TEST_CASE("the statistics within a residual block are renewed, too") {
  nn::network<double> net(2, {nn::residual({nn::batch_norm()})}, nn::seed{1});
  nn::memory_source<double> source(drawn(12), 4, nn::seed{2});
  nn::renew_running_statistics(net, source);
  const auto& norm = *net.layers()[0]
                          .get_if<nn::residual_layer<double>>()
                          ->layers[0]
                          .get_if<nn::batch_norm_layer<double>>();
  CHECK(norm.running_mean.values()[0] == Approx(by_hand(source, 0).mean).epsilon(1e-13));
  CHECK(norm.description().momentum == 0.1);
}

TEST_CASE("a source without batches, or with a batch of one, renews nothing and keeps momenta") {
  nn::network<double> net(2, {nn::batch_norm()}, nn::seed{1});
  nn::memory_source<double> none(drawn(0), 4, nn::seed{2}), one(drawn(5), 4, nn::seed{2}),
      without(drawn(5), 4, nn::seed{2}, nn::drop_last::yes);
  const auto refusal = [&](nn::batch_source<double>& source) {
    return reference::message<autodiff::shape_error>(
        [&] { nn::renew_running_statistics(net, source); });
  };
  CHECK(reference::says(refusal(none), "renew_running_statistics: the source has no batches"));
  CHECK(reference::says(refusal(one), "batch_norm: training on [1, 2]", "drop_last"));
  CHECK(refusal(without) == "nothing was thrown");
  CHECK(net.layers()[0].get_if<nn::batch_norm_layer<double>>()->description().momentum == 0.1);
}

TEST_CASE("a momentum out of range is refused") {
  nn::batch_norm_layer<double> norm(autodiff::shape{2}, nn::batch_norm{});
  CHECK(reference::says(reference::message<autodiff::domain_error>([&] { norm.momentum(0); }),
                        "batch_norm: the momentum is 0", "(0, 1]"));
}
