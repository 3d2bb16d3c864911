// From a table in a file to a network that knows its kinds: columns, parts, scaling, and the same
// as a stream.

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <vector>

namespace ad = autodiff;

namespace {

/// Flowers of three species, measured; the numbers are made up.
void write_flowers(const std::filesystem::path& path) {
  struct kind {
    const char* name;
    double length, width;
  };
  const kind kinds[] = {{"setosa", 1.5, 0.25}, {"versicolor", 4.3, 1.3}, {"virginica", 5.5, 2.0}};
  ad::generator random(7);
  const auto normal = [&] {  // Box and Muller
    return std::sqrt(-2 * std::log(1 - random.uniform())) *
           std::cos(2 * std::numbers::pi * random.uniform());
  };
  std::ofstream file(path);
  file << "species,petal length,petal width\n";
  for (int i = 0; i < 600; ++i) {
    const kind& k = kinds[i % 3];
    file << fmt::format("{},{:.2f},{:.2f}\n", k.name, k.length + 0.3 * normal(),
                        k.width + 0.15 * normal());
  }
}

}  // namespace

int main() {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "flowers.csv";
  write_flowers(file);

  const nn::csv_encoding columns = nn::fit_csv(file, {.targets = {"species"}});
  const auto flowers = nn::read_csv<float>(file, columns);
  auto [train, validation, test] =
      nn::split(flowers, {.validation = 0.1, .test = 0.2, .stratified = true}, nn::seed{1});
  const nn::scaling<float> scaling = nn::standard_scaling(train.inputs);
  for (auto* part : {&train, &validation, &test}) part->inputs = scaling.apply(part->inputs);

  nn::network<float> net(columns.features(),
                         {nn::dense(16, nn::tanh), nn::dense(columns.outputs())}, nn::seed{42});
  const auto history = nn::train(net, train, validation,
                                 {.loss = nn::softmax_cross_entropy,
                                  .optimizer = nn::adam{.rate = 1e-2},
                                  .epochs = 20,
                                  .batch = 32});
  fmt::print("{} flowers, {} to test: accuracy {:.1f} %\n", flowers.size(), test.size(),
             100 * nn::accuracy(net(test.inputs), test.targets));

  // The same as if it did not fit into memory.
  nn::network<float> other(columns.features(),
                           {nn::dense(16, nn::tanh), nn::dense(columns.outputs())}, nn::seed{42});
  nn::optimizer_state<float> optimizer(nn::adam{.rate = 1e-2});
  ad::tape tape;
  std::vector<ad::tensor<float>> gradients;
  const std::size_t epochs = 20;

  nn::csv_rows<float> rows(file, columns);
  nn::streaming_source<float> samples(rows, 200, 32, nn::seed{1});
  nn::prefetching_source<float> source(samples);
  for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
    source.begin(epoch);
    for (nn::batch<float> b; source.next(b);) {
      const auto x = scaling.apply(b.inputs);
      nn::gradient_step(
          tape, other, [&] { return nn::softmax_cross_entropy(other(x), b.targets); }, gradients);
      optimizer.update(other, gradients);
    }
  }
  fmt::print("as a stream: accuracy {:.1f} %\n",
             100 * nn::accuracy(other(test.inputs), test.targets));
  std::filesystem::remove(file);
}
