#include <nn/network/summary.hpp>

#include <autodiff/tensor/shape.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/network/dense.hpp>
#include <nn/network/layer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <variant>
#include <vector>

namespace nn {
namespace {

constexpr std::size_t columns = 5;
using cells = std::array<std::string, columns>;

/// 1234567 as "1,234,567".
std::string grouped(std::size_t number) {
  std::string text = fmt::format("{}", number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

/// Numbers of a layer, or of several.
struct numbers_kept {
  std::size_t learned = 0, all = 0;

  numbers_kept& operator+=(const numbers_kept& other) {
    learned += other.learned;
    all += other.all;
    return *this;
  }
};

template <class T>
numbers_kept numbers_of(any_layer<T> layer) {
  numbers_kept kept;
  layer.parameters([&](const autodiff::tensor<T>& t) { kept.learned += t.size(); });
  layer.state("", [&](const std::string&, const autodiff::tensor<T>& t) { kept.all += t.size(); });
  return kept;
}

template <class T>
cells line(std::string name, const autodiff::shape& output, const numbers_kept& kept) {
  std::string shape = "[n";
  for (const std::size_t extent : output) shape += fmt::format(", {}", extent);
  return {std::move(name), shape + ']', grouped(kept.learned), grouped(kept.all - kept.learned),
          grouped(kept.all * sizeof(T))};
}

template <class T>
void add_rows(std::vector<cells>& rows, std::span<const any_layer<T>> layers, std::size_t indent) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string number = fmt::format("{:{}}{} ", "", indent, i);
    const auto* const block = layers[i].template get_if<residual_layer<T>>();
    std::string name = block ? "residual" : to_string(layers[i].description());
    if (layers[i].template get_if<dense_layer<T>>()) name.insert(0, "dense ");
    rows.push_back(line<T>(number + name, layers[i].outputs(), numbers_of(layers[i])));
    if (block) add_rows<T>(rows, block->layers, indent + 2);
  }
}

/// The rows as lines: texts to the left, numbers to the right.
std::string table(const std::vector<cells>& rows, const std::vector<std::size_t>& ruled) {
  std::array<std::size_t, columns> widths{};
  for (const cells& each : rows) {
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], each[i].size());
  }
  std::string text;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    if (std::find(ruled.begin(), ruled.end(), at) != ruled.end()) {
      for (std::size_t i = 0; i < columns; ++i) {
        text += fmt::format("{}{:-<{}}", i == 0 ? "" : "  ", "", widths[i]);
      }
      text += '\n';
    }
    text += fmt::format("{:<{}}  {:<{}}", rows[at][0], widths[0], rows[at][1], widths[1]);
    for (std::size_t i = 2; i < columns; ++i)
      text += fmt::format("  {:>{}}", rows[at][i], widths[i]);
    text += '\n';
  }
  return text;
}

}  // namespace

template <class T>
std::string summary(const network<T>& net) {
  std::vector<cells> rows{{"layer", "output", "learned", "measured", "bytes"},
                          line<T>("input", net.input_shape(), {})};
  add_rows<T>(rows, net.layers(), 0);
  numbers_kept all;
  for (const any_layer<T>& layer : net.layers()) all += numbers_of(layer);
  rows.push_back(line<T>("total", net.output_shape(), all));
  return table(rows, {1, rows.size() - 1});
}

template std::string summary(const network<float>&);
template std::string summary(const network<double>&);

}  // namespace nn
