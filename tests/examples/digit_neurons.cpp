// A classifier of handwritten digits, trained one record at a time in the two ways of this library:
// neuron by neuron, by formulas derived by hand, and by the tape. From the same start both arrive
// at the same weights. Then the two online errors that a text may mean by "y - f(x)" are told
// apart.
//
// Reads the MNIST test set from $BACKSWEEP_DATA/mnist or the folder of the project's data; without
// it, digits are drawn by the program itself.

#include <tests/examples/drawn_digits.hpp>

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <vector>

namespace ad = autodiff;

namespace {

constexpr double eta = 0.05;
constexpr std::size_t compared_records = 1000, trained_records = 8000;
constexpr double tolerance = 1e-12;

nn::dataset<double> load() {
  const char* named = std::getenv("BACKSWEEP_DATA");
  const std::filesystem::path root = named ? named : BACKSWEEP_SOURCE_DIR "/../shared/data",
                              images = root / "mnist" / "t10k-images-idx3-ubyte.gz",
                              labels = root / "mnist" / "t10k-labels-idx1-ubyte.gz";
  if (std::filesystem::exists(images) && std::filesystem::exists(labels)) {
    fmt::print("Data: {}\n", images.string());
    return nn::load_idx<double>(images, labels);
  }
  fmt::print("Data: digits drawn by this program (no {})\n", images.string());
  const drawn_digits drawn = draw_digits(10000, 2026);
  return nn::image_dataset<double>(drawn.images, drawn.labels);
}

ad::tensor<double> row(const ad::tensor<double>& x, std::size_t i) {
  const std::size_t columns = x.shape()[1];
  return {ad::shape{columns}, x.values().subspan(i * columns, columns)};
}

nn::network<double> start() {
  return {784, {nn::dense(16, nn::relu), nn::dense(10, nn::sigmoid)}, nn::seed{7}};
}

/// J of one record on the tape: sums over the outputs, as in the derivation.
ad::tensor<double> error_of(nn::online_error j, const ad::tensor<double>& f,
                            const ad::tensor<double>& y) {
  if (j == nn::online_error::squared) return nn::half_squared_error(f, y);
  return 10.0 * nn::binary_cross_entropy_of_probabilities(f, y);
}

/// The largest difference of a weight or bias.
double apart(const nn::network<double>& net, const nn::neuron_network& neurons) {
  const auto tape = nn::textbook_layers(net), formula = neurons.textbook_layers();
  double largest = 0;
  const auto look = [&](const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  };
  for (std::size_t k = 0; k < tape.size(); ++k) {
    look(tape[k].weights.values, formula[k].weights.values);
    look(tape[k].biases, formula[k].biases);
  }
  return largest;
}

/// Trains both on the same records and returns how far apart their weights are.
double train_both(const nn::dataset<double>& data, nn::online_error j) {
  nn::network<double> net = start();
  nn::neuron_network neurons(nn::textbook_layers(net), j);
  ad::tape tape;
  nn::optimizer_state<double> optimizer(nn::sgd{.rate = eta});
  std::vector<ad::tensor<double>> gradients;
  for (std::size_t i = 0; i < compared_records; ++i) {
    const ad::tensor<double> x = row(data.inputs, i), y = row(data.targets, i);
    neurons.train(x.values(), y.values(), eta);  // by the formulas
    nn::gradient_step(
        tape, net, [&] { return error_of(j, net(x), y); }, gradients);  // by the tape
    optimizer.update(net, gradients);
  }
  return apart(net, neurons);
}

/// Share of the records from `first` on whose largest output is that of their label.
double accuracy(nn::neuron_network& neurons, const nn::dataset<double>& data, std::size_t first) {
  std::size_t right = 0;
  for (std::size_t i = first; i < data.size(); ++i) {
    const std::vector<double> f = neurons.forward_pass(row(data.inputs, i).values());
    const auto label = std::max_element(f.begin(), f.end()) - f.begin();
    if (row(data.targets, i).value(label) == 1) ++right;
  }
  return static_cast<double>(right) / static_cast<double>(data.size() - first);
}

/// What becomes of the first record's output deltas when the squared error is taken but y - f
/// is used.
void print_factor(const nn::dataset<double>& data) {
  const nn::delta_report report = nn::compare_deltas(
      start(), row(data.inputs, 0), row(data.targets, 0), nn::half_squared_error,
      [](auto layers, const auto& x, const auto& t) {
        return nn::textbook::backpropagate(layers, x, t, nn::textbook::loss::half_squared_error,
                                           nn::textbook::output_rule::as_if_linear);
      });
  fmt::print("\nf - y for the delta of a sigmoid under the squared error, beside the tape:\n  {}\n",
             nn::to_string(*report.first_disagreement()));
  fmt::print("  {}\n", report.remark);
  const nn::compared& delta = report.layers.back().delta;
  fmt::print("\n  output        f - y     by the tape       f (1 - f)\n");
  for (std::size_t k = 0; k < 3; ++k) {
    fmt::print("  {:>6} {:>12.6f} {:>15.6f} {:>15.6f}\n", k, delta.formula(0, k), delta.tape(0, k),
               report.output_factor(0, k));
  }
}

}  // namespace

int main() {
  const nn::dataset<double> data = load();
  fmt::print("A 784-16-10 network, relu then sigmoid, one record at a time, eta = {}\n\n", eta);
  bool same = true;
  fmt::print("online error    weights apart after {} records    accuracy after {}\n",
             compared_records, trained_records);
  for (const nn::online_error j : {nn::online_error::squared, nn::online_error::cross_entropy}) {
    const double difference = train_both(data, j);
    same = same && difference <= tolerance;

    nn::neuron_network neurons(nn::textbook_layers(start()), j);
    for (std::size_t i = 0; i < trained_records; ++i)
      neurons.train(row(data.inputs, i).values(), row(data.targets, i).values(), eta);
    fmt::print("{:<15} {:>34.1e} {:>17.1f} %\n",
               j == nn::online_error::squared ? "squared" : "cross-entropy", difference,
               100 * accuracy(neurons, data, trained_records));
  }
  print_factor(data);
  if (!same) fmt::print("\nFormulas and tape have parted by more than {:.0e}.\n", tolerance);
  return same ? 0 : 1;
}
