// The numbers of the primer by formula and by tape, in four forms: on the terminal, and as
// Markdown, LaTeX and HTML in a folder, the first argument. Then the same with a mistake that is
// easily made.

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <span>

namespace {

nn::network<double> primer_network() {
  nn::network<double> net(
      2, {nn::dense(3, nn::tanh, nn::bias::without), nn::dense(2, nn::identity, nn::bias::without)},
      nn::seed{1});
  net.layers()[0].dense().weights = autodiff::tensor<double>({{0.1, 0.3, 0.5}, {0.2, 0.4, 0.6}});
  net.layers()[1].dense().weights = autodiff::tensor<double>({{0.1, 0.4}, {0.2, 0.5}, {0.3, 0.6}});
  return net;
}

/// The textbook's formulas, but for the slope of the hidden tanh: 1 - z instead of 1 - z^2.
nn::textbook::backpropagation<double> with_a_slip(
    std::span<const nn::textbook::layer<double>> layers, const nn::matrix<double>& x,
    const nn::matrix<double>& t) {
  using nn::textbook::loss;
  auto b = nn::textbook::backpropagate(layers, x, t, loss::half_squared_error);
  b.delta[0] = nn::textbook::through_weights(layers[1], b.delta[1]);
  for (std::size_t i = 0; i < b.delta[0].size(); ++i) b.delta[0].values[i] *= 1 - b.z[0].values[i];
  b.dw[0] = nn::textbook::weight_gradient(b.delta[0], x);
  return b;
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = argc > 1 ? argv[1] : "delta_reports";
  std::filesystem::create_directories(folder);
  const nn::network<double> net = primer_network();
  const autodiff::tensor<double> x({1.0, 2.0}), t({1.0, 1.15});

  const nn::delta_report report = nn::compare_deltas(net, x, t, nn::half_squared_error);
  fmt::print("{}", report);
  std::ofstream(folder / "report.md") << nn::to_markdown(report);
  std::ofstream(folder / "report.tex") << nn::to_latex(report, {.digits = 4});
  std::ofstream(folder / "report.html") << nn::to_html(report);

  const nn::delta_report slip = nn::compare_deltas(net, x, t, nn::half_squared_error, with_a_slip);
  fmt::print("\nWith 1 - z for the slope of tanh:\n\n{}", slip);
  std::ofstream(folder / "slip.html") << nn::to_html(slip);
  return report.agrees() && !slip.agrees() ? 0 : 1;
}
