// A classifier from a table: the species of an iris by the sizes of its leaves.
//
// iris.csv has the 150 flowers, in cm, of R. A. Fisher, The use of multiple measurements in
// taxonomic problems, Annals of Eugenics 7 (1936), table I.

#include <tests/examples/pictured.hpp>

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace ad = autodiff;

namespace {

constexpr std::size_t petal_length = 2, petal_width = 3;

/// Flowers of a species as points: petal length and width.
nn::curve flowers_of(const nn::dataset<float>& all, std::size_t species, const std::string& name) {
  nn::curve points{.label = name, .x = {}, .y = {}, .scattered = true};
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all.targets.value(i, species) == 0) continue;
    points.x.push_back(all.inputs.value(i, petal_length));
    points.y.push_back(all.inputs.value(i, petal_width));
  }
  return points;
}

/// Where the network goes over from one of two neighbouring species to the other: for each petal
/// length the width at which both are as likely, the sepals being average.
nn::curve border(const nn::network<float>& net, const nn::scaling<float>& scaling,
                 std::size_t below, std::size_t above, const std::string& label) {
  nn::curve line{label, {}, {}};
  for (float length = 1; length <= 7; length += 0.05f) {
    float narrow = 0, wide = 2.7f;
    const auto lead_of_above = [&](float width) {
      ad::tensor<float> flower = scaling.offset.detached();
      flower.mutable_values()[petal_length] = length;
      flower.mutable_values()[petal_width] = width;
      const auto y = net(scaling.apply(reshape(flower, {1, 4})));
      return y.value(0, above) - y.value(0, below);
    };
    if (lead_of_above(narrow) > 0 || lead_of_above(wide) < 0) continue;
    while (wide - narrow > 1e-3f) {
      const float middle = (narrow + wide) / 2;
      (lead_of_above(middle) < 0 ? narrow : wide) = middle;
    }
    line.x.push_back(length);
    line.y.push_back(narrow);
  }
  return line;
}

}  // namespace

int main() {
  const std::filesystem::path file = BACKSWEEP_SOURCE_DIR "/tests/examples/iris.csv";
  const nn::csv_encoding columns = nn::fit_csv(file, {.targets = {"species"}});
  const nn::dataset<float> flowers = nn::read_csv<float>(file, columns);
  auto [train, validation, test] =
      nn::split(flowers, {.validation = 0.1, .test = 0.2, .stratified = true}, nn::seed{1});
  const nn::scaling<float> scaling = nn::standard_scaling(train.inputs);
  for (auto* part : {&train, &validation, &test}) part->inputs = scaling.apply(part->inputs);

  nn::network<float> net(4, {nn::dense(16, nn::tanh), nn::dense(3)}, nn::seed{42});
  const nn::history past = nn::train(net, train, validation,
                                     {.loss = nn::softmax_cross_entropy,
                                      .optimizer = nn::adam{.rate = 1e-2},
                                      .epochs = 200,
                                      .batch = 16,
                                      .penalty = {.l2 = 1e-3},
                                      .early_stopping = nn::early_stopping{.patience = 30}});

  const std::vector<std::string>& species = columns.targets.front().categories;
  fmt::print("{} flowers to train, {} epochs\n", train.size(), past.size());
  const nn::confusion_matrix matrix = nn::confusion(net(test.inputs), test.targets);
  for (std::size_t i = 0; i < species.size(); ++i) fmt::print("{} {}\n", i, species[i]);
  fmt::print("{}\n{} flowers to test: {:.1f} % right\n", nn::to_string(matrix), test.size(),
             100 * matrix.accuracy());

  std::vector<nn::curve> curves;
  for (std::size_t i = 0; i < species.size(); ++i)
    curves.push_back(flowers_of(flowers, i, species[i]));
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    curves.push_back(
        border(net, scaling, i, i + 1, fmt::format("{} | {}", species[i], species[i + 1])));
  }
  draw_picture("iris.svg", [&](const std::filesystem::path& picture) {
    nn::plot_curves(picture,
                    {.title = "Species of iris, and the borders that the network draws",
                     .x_label = "petal length, cm",
                     .y_label = "petal width, cm"},
                    curves);
  });
}
