#include <nn/training/pictures.hpp>

#include <autodiff/error.hpp>

#include <nn/training/gnuplot.hpp>
#include <nn/training/plot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <string_view>
#include <vector>

namespace nn {
namespace {

std::vector<double> epochs_of(const history& past) {
  std::vector<double> epochs(past.size());
  std::iota(epochs.begin(), epochs.end(), 1.0);
  return epochs;
}

curve curve_of(const history& past, const std::string& name, std::string label, bool right_axis) {
  return {std::move(label), epochs_of(past), values_of(past, name), right_axis};
}

/// "validation_accuracy" is "accuracy, validation".
std::string label_of(std::string_view metric) {
  constexpr std::string_view prefix = "validation_";
  const bool of_validation = metric.starts_with(prefix);
  if (of_validation) metric.remove_prefix(prefix.size());
  return fmt::format("{}, {} (right)", metric, of_validation ? "validation" : "training");
}

bool has_one_value(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); });
}

/// Whether a logarithmic axis shows them all; what is not finite stands on none.
bool has_only_positive(const history& past) {
  return std::ranges::all_of(past, [](const epoch_record& epoch) {
    return !(epoch.loss <= 0) && !(epoch.validation_loss.value_or(1) <= 0);
  });
}

/// "set xtics ('a' 0, 'b' 1)"
std::string class_tics(std::string_view axis, std::size_t count,
                       std::span<const std::string> classes) {
  std::string tics = fmt::format("set {} (", axis);
  for (std::size_t c = 0; c < count; ++c) {
    tics += fmt::format("{}{} {}", c > 0 ? ", " : "",
                        gnuplot_literal(classes.empty() ? std::to_string(c) : classes[c]), c);
  }
  return tics + ")\n";
}

/// Rows "predicted actual share count" of every field; the share is of the actual class.
std::string fields_of(const confusion_matrix& matrix) {
  std::string rows;
  for (std::size_t actual = 0; actual < matrix.counts.size(); ++actual) {
    const std::vector<std::size_t>& row = matrix.counts[actual];
    const auto all = std::accumulate(row.begin(), row.end(), std::size_t{0});
    for (std::size_t predicted = 0; predicted < row.size(); ++predicted) {
      const double share =
          all > 0 ? static_cast<double>(row[predicted]) / static_cast<double>(all) : 0;
      fmt::format_to(std::back_inserter(rows), "{} {} {:.6f} {}\n", predicted, actual, share,
                     row[predicted]);
    }
  }
  return rows;
}

}  // namespace

void plot_history(const std::filesystem::path& file, const history& past,
                  const std::string& title) {
  if (past.empty()) {
    throw autodiff::io_error("plot_history", "a history of no epochs", "train for at least one");
  }
  std::vector<curve> curves{curve_of(past, "loss", "loss, training", false)};
  if (past.front().validation_loss)
    curves.push_back(curve_of(past, "validation_loss", "loss, validation", false));
  std::string right;
  for (const measured& m : past.front().metrics) {
    curves.push_back(curve_of(past, m.name, label_of(m.name), true));
    right = "metrics";
  }
  if (right.empty() && !has_one_value(values_of(past, "rate"))) {
    curves.push_back(curve_of(past, "rate", "rate (right)", true));
    right = "rate";
  }
  plot_curves(file,
              {.title = title,
               .x_label = "epoch",
               .y_label = "loss",
               .log_y = has_only_positive(past),
               .y2_label = right},
              curves);
}

void plot_confusion(const std::filesystem::path& file, const confusion_matrix& matrix,
                    std::span<const std::string> classes, const std::string& title) {
  constexpr std::string_view operation = "plot_confusion";
  const bool png = is_png(operation, file);
  const std::size_t n = matrix.counts.size();
  if (n == 0 || (!classes.empty() && classes.size() != n)) {
    throw autodiff::shape_error(operation,
                                fmt::format("{} classes and {} names", n, classes.size()),
                                "pass at least one class, and a name for each or none at all");
  }
  // Counts are written where they fit.
  constexpr std::size_t most_written = 30;
  const std::size_t side = std::clamp<std::size_t>(45 * n + 200, 420, 1600);
  std::string script = gnuplot_terminal({side + 60, side}, png);
  script +=
      "set palette defined (0 '#FFFFFF', 1 '#0072B2')\n"
      "set cbrange [0:1]\n"
      "set cblabel 'share of the actual class'\n"
      "set tics scale 0 textcolor rgb '#202020'\n"
      "set border linecolor rgb '#404040'\n"
      "set size ratio -1\n"
      "set xlabel 'predicted'\nset ylabel 'actual'\n"
      "unset key\n";
  script += fmt::format("set xrange [-0.5:{0}.5]\nset yrange [{0}.5:-0.5]\n", n - 1);
  script += class_tics("xtics", n, classes) + class_tics("ytics", n, classes);
  if (!title.empty()) script += fmt::format("set title {}\n", gnuplot_literal(title));
  script += fmt::format("$fields << END_OF_FIELDS\n{}END_OF_FIELDS\n", fields_of(matrix));
  script += "plot $fields using 1:2:3 with image";
  if (n <= most_written) {
    script +=
        ", $fields using 1:2:(sprintf('%d', $4)):($3 > 0.5 ? 0xFFFFFF : 0x202020) with labels "
        "textcolor rgb variable";
  }
  draw_picture(operation, file, script + "\n");
}

}  // namespace nn
