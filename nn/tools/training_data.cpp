#include <nn/tools/training_data.hpp>

#include <autodiff/error.hpp>

#include <nn/data/csv.hpp>
#include <nn/data/idx.hpp>
#include <nn/data/scaling.hpp>
#include <nn/tools/choices.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nn::tools {
namespace {

bool learns_classes(const train_options& chosen) {
  return chosen.loss != "auto" && named(losses(), chosen.loss).answer == answer::category;
}

/// The columns of the table, as they are to be read: not scaled yet.
table_format fit_table(const train_options& chosen) {
  csv_columns columns{
      .targets = {chosen.target}, .ignored = chosen.ignored, .categorical = chosen.categorical};
  if (learns_classes(chosen)) columns.categorical.push_back(chosen.target);
  const csv_format format{
      .delimiter = chosen.delimiter.front(),
      .header = !chosen.without_header,
      .missing = chosen.skips_missing ? missing_values::skipped : missing_values::refused};
  table_format table;
  table.columns = fit_csv(chosen.data, columns, format);
  return table;
}

/// Throws io_error for a loss of numbers and a target of classes, and for a single class.
void require_learnable(const train_options& chosen, const table_format& table) {
  const csv_column& target = table.columns.targets.front();
  if (target.categories.size() == 1) {
    named_file{"read_training_data", chosen.data}.refuse(
        fmt::format("has one class in column {}, {}", in_quotes(target.name),
                    in_quotes(target.categories.front())),
        "give samples of two classes or more");
  }
  if (chosen.loss == "auto" || learns_classes(chosen) || target.categories.empty()) return;
  named_file{"read_training_data", chosen.data}.refuse(
      fmt::format("has classes in column {}, such as {}", in_quotes(target.name),
                  in_quotes(target.categories.front())),
      fmt::format("leave out --loss {}, which learns a number", chosen.loss));
}

/// Entries of categories stay 0 or 1.
void keep_categories(scaling<float>& by, const std::vector<csv_column>& columns) {
  const auto offset = by.offset.mutable_values(), spread = by.spread.mutable_values();
  std::size_t entry = 0;
  for (const csv_column& column : columns) {
    if (!column.categories.empty()) {
      std::fill_n(offset.begin() + static_cast<std::ptrdiff_t>(entry), column.width(), 0.0f);
      std::fill_n(spread.begin() + static_cast<std::ptrdiff_t>(entry), column.width(), 1.0f);
    }
    entry += column.width();
  }
}

/// Learns the scaling from the samples to train on, and applies it to all.
void scale(table_format& table, training_data& data) {
  table.inputs = standard_scaling(data.train.inputs);
  keep_categories(table.inputs, table.columns.inputs);
  table.target = standard_scaling(data.train.targets);
  keep_categories(table.target, table.columns.targets);
  for (dataset<float>* part : {&data.train, &data.validation}) {
    part->inputs = table.inputs.apply(part->inputs);
    part->targets = table.target.apply(part->targets);
  }
}

training_data held_back(const train_options& chosen, const dataset<float>& all, bool stratified) {
  auto parts = split(all, {.validation = chosen.validation, .test = 0, .stratified = stratified},
                     seed{chosen.seed});
  if (parts.train.size() == 0) {
    throw autodiff::domain_error(
        "read_training_data",
        fmt::format("no sample is left to train on: {} of {} are held back",
                    parts.validation.size(), all.size()),
        "give more data, or less to --validation");
  }
  return {{}, std::move(parts.train), std::move(parts.validation)};
}

training_data read_table(const train_options& chosen) {
  table_format table = fit_table(chosen);
  require_learnable(chosen, table);
  const bool has_classes = !table.columns.targets.front().categories.empty();
  table.tells_deviation = !has_classes && chosen.loss != "auto" &&
                          named(losses(), chosen.loss).answer == answer::number_and_deviation;
  training_data data = held_back(chosen, read_csv<float>(chosen.data, table.columns), has_classes);
  scale(table, data);
  // A row without a value has no answer either: later files are to be complete.
  table.columns.format.missing = missing_values::refused;
  data.format.file = std::move(table);
  return data;
}

training_data read_images(const train_options& chosen) {
  const idx_array images = read_idx_images(chosen.data), labels = read_idx_labels(chosen.labels);
  const auto largest = std::max_element(labels.values.begin(), labels.values.end());
  const std::size_t classes =
      largest == labels.values.end() ? 2 : std::max<std::size_t>(*largest + std::size_t{1}, 2);
  const image_format format{images.extents[1], images.extents[2], classes};
  const dataset<float> all = read_samples(chosen.data, chosen.labels, {format});
  training_data data = held_back(chosen, all, true);
  data.format.file = format;
  return data;
}

}  // namespace

training_data read_training_data(const train_options& chosen) {
  return chosen.target.empty() ? read_images(chosen) : read_table(chosen);
}

}  // namespace nn::tools
