#include <nn/tools/answers.hpp>

#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/slice.hpp>

#include <nn/loss/loss.hpp>
#include <nn/training/confusion.hpp>
#include <nn/training/metrics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <span>
#include <vector>

namespace nn::tools {
namespace {

using autodiff::tensor;

/// A cell of RFC 4180: in quotes where it needs them.
std::string cell(const std::string& text) {
  if (text.find_first_of("\",;\t\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string classes_text(const data_format& format, const tensor<float>& outputs, bool all) {
  const std::vector<std::string> classes = format.classes();
  std::string text = cell(format.target()) + ",probability";
  if (all) {
    for (const std::string& name : classes) text += fmt::format(",{}", cell("p(" + name + ")"));
  }
  const tensor<float> probabilities = autodiff::softmax(outputs);
  for (std::size_t i = 0; i < outputs.shape()[0]; ++i) {
    const auto row = probabilities.values().subspan(i * classes.size(), classes.size());
    const auto best = std::max_element(row.begin(), row.end());
    fmt::format_to(std::back_inserter(text), "\n{},{:.4g}",
                   cell(classes[static_cast<std::size_t>(best - row.begin())]), *best);
    if (all) fmt::format_to(std::back_inserter(text), ",{:.4g}", fmt::join(row, ","));
  }
  return text + "\n";
}

/// What a network says of a number, as it learned it: scaled.
struct told_numbers {
  told_numbers(const table_format& table, const tensor<float>& outputs)
      : means(table.tells_deviation ? slice(outputs, 1, {0, 1}) : outputs) {
    if (table.tells_deviation) deviations = exp(0.5f * slice(outputs, 1, {1, 2}));
  }

  tensor<float> means, deviations;  // [n, 1]
};

std::string numbers_text(const table_format& table, const tensor<float>& outputs) {
  const told_numbers told(table, outputs);
  const tensor<float> means = table.target.invert(told.means);
  std::string text = cell(table.columns.targets.front().name);
  if (table.tells_deviation) text += ",deviation";
  for (std::size_t i = 0; i < means.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "\n{:.7g}", means.values()[i]);
    if (!table.tells_deviation) continue;
    fmt::format_to(std::back_inserter(text), ",{:.4g}",
                   told.deviations.values()[i] * table.target.spread.values()[0]);
  }
  return text + "\n";
}

std::string class_scores_text(const data_format& format, const tensor<float>& outputs,
                              const tensor<float>& targets) {
  constexpr std::size_t most = 20;
  const confusion_matrix matrix = confusion(outputs, targets);
  const class_scores mean = matrix.mean(average::macro);
  std::string text = fmt::format("accuracy {:.2f} %, mean precision {:.3f}, recall {:.3f}\n",
                                 100 * matrix.accuracy(), mean.precision, mean.recall);
  const std::vector<std::string> classes = format.classes();
  if (classes.size() > most) return text;
  if (format.table() != nullptr) {
    for (std::size_t i = 0; i < classes.size(); ++i) {
      text += fmt::format("{}{} {}", i == 0 ? "classes: " : ", ", i, classes[i]);
    }
    text += "\n";
  }
  return text + to_string(matrix);
}

/// How many of the errors are within so many of the deviations that were told, in percent.
double percent_within(double deviations, const told_numbers& told, const tensor<float>& targets) {
  std::size_t within = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const double off = std::fabs(told.means.values()[i] - targets.values()[i]);
    within += off <= deviations * told.deviations.values()[i] ? 1 : 0;
  }
  return 100 * static_cast<double>(within) / static_cast<double>(targets.size());
}

std::string number_scores_text(const table_format& table, const tensor<float>& outputs,
                               const tensor<float>& targets) {
  const told_numbers told(table, outputs);
  const double unit = table.target.spread.values()[0];
  std::string text = fmt::format(
      "root mean squared error {:.4g}, mean absolute error {:.4g}, R2 {:.4f}\n",
      unit * root_mean_square(told.means, targets),
      unit * mean_absolute_error(told.means, targets).item(), determination(told.means, targets));
  if (table.tells_deviation) {
    text += fmt::format("within one deviation {:.1f} %, within two {:.1f} % (normal: 68.3, 95.4)\n",
                        percent_within(1, told, targets), percent_within(2, told, targets));
  }
  return text;
}

}  // namespace

std::string answers_text(const data_format& format, const tensor<float>& outputs,
                         bool all_probabilities) {
  if (!format.classes().empty()) return classes_text(format, outputs, all_probabilities);
  return numbers_text(*format.table(), outputs);
}

std::string score_text(const data_format& format, const tensor<float>& outputs,
                       const tensor<float>& targets) {
  if (!format.classes().empty()) return class_scores_text(format, outputs, targets);
  return number_scores_text(*format.table(), outputs, targets);
}

}  // namespace nn::tools
