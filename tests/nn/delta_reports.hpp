#pragma once
// Reports of deltas to print, and ways to look at what was printed.

#include <tests/reference.hpp>

#include <autodiff/tensor/tensor.hpp>
#include <nn/delta/compare_deltas.hpp>
#include <nn/delta/delta.hpp>
#include <nn/delta/format.hpp>
#include <nn/delta/matrix.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/activation.hpp>
#include <nn/network/network.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace delta_reports {

using autodiff::shape, autodiff::tensor;
namespace textbook = nn::textbook;

inline nn::network<double> primer_network() {
  nn::network<double> net(
      2, {nn::dense(3, nn::tanh, nn::bias::without), nn::dense(2, nn::identity, nn::bias::without)},
      nn::seed{1});
  net.layers()[0].dense().weights = tensor<double>({{0.1, 0.3, 0.5}, {0.2, 0.4, 0.6}});
  net.layers()[1].dense().weights = tensor<double>({{0.1, 0.4}, {0.2, 0.5}, {0.3, 0.6}});
  return net;
}

inline nn::delta_report primer() {
  return nn::compare_deltas(primer_network(), tensor<double>({1.0, 2.0}),
                            tensor<double>({1.0, 1.15}), nn::half_squared_error);
}

/// The primer with one entry of one delta, and nothing else, off by this factor.
inline nn::delta_report primer_with_a_slip(double factor) {
  return nn::compare_deltas(primer_network(), tensor<double>({1.0, 2.0}),
                            tensor<double>({1.0, 1.15}), nn::half_squared_error,
                            [factor](std::span<const textbook::layer<double>> layers,
                                     const nn::matrix<double>& x, const nn::matrix<double>& t) {
                              auto b = textbook::backpropagate(layers, x, t,
                                                               textbook::loss::half_squared_error);
                              b.delta[0](0, 2) *= factor;
                              return b;
                            });
}

/// The primer with NaN and infinities among its numbers.
inline nn::delta_report primer_with_odd_numbers() {
  nn::delta_report report = primer();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  report.layers[0].delta.formula(0, 1) = nan;
  report.layers[0].delta.relative = {infinity, 0, 1};
  report.layers[1].dw.formula(0, 0) = report.layers[1].dw.tape(0, 0) = -infinity;
  report.layers[1].weights(0, 0) = infinity;
  return report;
}

template <class T>
nn::delta_report drawn_report(std::size_t inputs, const std::vector<nn::dense>& layers,
                              std::size_t batch, const nn::loss& e) {
  const nn::network<T> net(inputs, layers, nn::seed{5});
  reference::random random(17);
  const auto drawn = [&](std::size_t columns, double from, double to) {
    const std::vector<T> values = random.uniform<T>(batch * columns, from, to);
    return tensor<T>(shape{batch, columns}, std::span<const T>(values));
  };
  const tensor<T> x = drawn(inputs, -1, 1), t = drawn(net.outputs(), 0.05, 0.95);
  return nn::compare_deltas(net, x, t, e);
}

inline std::vector<std::string> all_forms(const nn::delta_report& report,
                                          const nn::delta_format& format = {}) {
  return {nn::to_string(report, format), nn::to_markdown(report, format),
          nn::to_latex(report, format), nn::to_html(report, format)};
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size()))
    ++found;
  return found;
}

/// HTML with a hyphen for each minus sign.
inline std::string with_hyphens(std::string text) {
  for (std::size_t at; (at = text.find("\u2212")) != std::string::npos;) text.replace(at, 3, "-");
  return text;
}

}  // namespace delta_reports
