#include <autodiff/error.hpp>

#include <nn/data/csv.hpp>
#include <nn/data/csv_cell.hpp>
#include <nn/data/csv_reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace nn {
namespace {

constexpr std::string_view operation = "fit_csv";

bool holds(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// A column that is being learned.
class learned_column {
 public:
  learned_column(const csv_reader& reader, const csv_columns& columns, std::string_view name)
      : name_(name),
        place_(reader.column(name)),
        most_categories_(columns.most_categories),
        is_listed_(holds(columns.categorical, name)) {}

  std::size_t place() const { return place_; }

  /// Takes a value that is not missing.
  void learn(const csv_reader& reader, std::string_view cell) {
    const bool is_number = read_number<double>(cell).has_value();
    if (!is_number_) {
      is_number_ = is_number && !is_listed_;
      first_row_ = reader.row();
      first_ = cell;
    }
    if (*is_number_) {
      if (!is_number) refuse_number(reader, place_, cell);
      return;
    }
    if (!is_listed_ && is_number_with_comma(cell)) {
      reader.refuse(place_, fmt::format("\"{}\" is a number with a comma", shown(cell)),
                    fmt::format("write 1.5 for 1,5, or list \"{}\" as categorical", shown(name_)));
    }
    if (is_number && !is_listed_) {
      reader.refuse(
          place_,
          fmt::format("\"{}\" is a number, and \"{}\" in row {} is none", shown(cell),
                      shown(first_), first_row_),
          fmt::format("correct one of them, or list \"{}\" as categorical", shown(name_)));
    }
    if (!categories_.contains(cell)) categories_.emplace(cell);
    if (categories_.size() > most_categories_) {
      reader.refuse(place_, fmt::format("the column has more than {} categories", most_categories_),
                    "ignore it, or raise most_categories");
    }
  }

  csv_column finish() const {
    std::vector<std::pair<std::optional<double>, std::string>> sorted;
    for (const std::string& category : categories_) {
      sorted.emplace_back(read_number<double>(category), category);
    }
    // Numbers by size, before and apart from words.
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      if (a.first.has_value() != b.first.has_value()) return a.first.has_value();
      return a < b;
    });
    csv_column column{name_, {}};
    for (auto& [number, category] : sorted) column.categories.push_back(std::move(category));
    return column;
  }

 private:
  std::string name_;
  std::size_t place_;
  std::size_t most_categories_;
  bool is_listed_;                 // as categorical
  std::optional<bool> is_number_;  // unknown before the first value
  std::size_t first_row_ = 0;
  std::string first_;
  std::set<std::string, std::less<>> categories_;
};

/// The inputs that are asked for, or all columns that are nothing else.
std::vector<std::string> inputs_of(const csv_reader& reader, const csv_columns& columns) {
  if (!columns.inputs.empty()) return columns.inputs;
  std::vector<std::string> inputs;
  for (const std::string& name : reader.columns()) {
    if (!holds(columns.targets, name) && !holds(columns.ignored, name)) inputs.push_back(name);
  }
  return inputs;
}

/// Whether every name that was given is a column, and no column is used twice.
void require_columns(const csv_reader& reader, const csv_columns& columns,
                     const std::vector<std::string>& inputs) {
  std::set<std::string_view> used;
  for (const auto* names : {&inputs, &columns.targets}) {
    for (const std::string& name : *names) {
      if (!used.insert(name).second) {
        throw autodiff::domain_error(operation,
                                     fmt::format("column \"{}\" is asked for twice", shown(name)),
                                     "make it an input or a target, once");
      }
    }
  }
  for (const auto* names : {&columns.ignored, &columns.categorical}) {
    for (const std::string& name : *names) reader.column(name);
  }
  if (inputs.empty()) {
    reader.refuse_file("has no column that is left for an input",
                       "name fewer targets, or ignore fewer columns");
  }
}

std::vector<csv_column> finished(const std::vector<learned_column>& learned) {
  std::vector<csv_column> columns;
  for (const learned_column& column : learned) columns.push_back(column.finish());
  return columns;
}

}  // namespace

csv_encoding fit_csv(const std::filesystem::path& path, const csv_columns& columns,
                     const csv_format& format) {
  csv_reader reader(operation, path, format.delimiter, format.header);
  const std::vector<std::string> names = inputs_of(reader, columns);
  require_columns(reader, columns, names);
  std::vector<learned_column> inputs, targets;
  for (const std::string& name : names) inputs.emplace_back(reader, columns, name);
  for (const std::string& name : columns.targets) targets.emplace_back(reader, columns, name);

  const missing_words words(format.missing_words);
  std::size_t rows = 0;
  while (reader.next()) {
    const auto cell = [&](const learned_column& column) {
      return trimmed(reader.cells()[column.place()]);
    };
    const auto missing = [&](const learned_column& column) { return words.hold(cell(column)); };
    // What is missing in a row that will be left out says nothing about the others in it.
    if (format.missing == missing_values::skipped &&
        (std::any_of(inputs.begin(), inputs.end(), missing) ||
         std::any_of(targets.begin(), targets.end(), missing))) {
      continue;
    }
    ++rows;
    for (auto* learned : {&inputs, &targets}) {
      for (learned_column& column : *learned) {
        if (!missing(column)) {
          column.learn(reader, cell(column));
        } else if (format.missing == missing_values::refused || learned == &targets) {
          refuse_missing(reader, column.place());
        }
      }
    }
  }
  if (rows == 0) {
    reader.refuse_file(reader.row() == 0 ? "has no rows" : "has no row without a missing value",
                       "give a file with a row per sample");
  }
  return {format, finished(inputs), finished(targets)};
}

}  // namespace nn
