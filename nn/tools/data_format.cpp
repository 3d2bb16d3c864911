#include <nn/tools/data_format.hpp>

#include <autodiff/error.hpp>

#include <nn/data/idx.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace nn::tools {
namespace {

using autodiff::tensor;
using nlohmann::json;

scaling<float> no_scaling(std::size_t features) {
  const autodiff::shape row{features};
  return {tensor<float>(row), tensor<float>(row, 1.0f), tensor<float>(row)};
}

/// A column, and how its numbers are scaled, which stand at `entry`.
json text_of(const csv_column& column, const scaling<float>& by, std::size_t entry) {
  if (!column.categories.empty()) {
    return {{"name", column.name}, {"categories", column.categories}};
  }
  return {{"name", column.name},
          {"offset", by.offset.values()[entry]},
          {"spread", by.spread.values()[entry]}};
}

json text_of(const table_format& table) {
  json inputs = json::array();
  std::size_t entry = 0;
  for (const csv_column& column : table.columns.inputs) {
    inputs.push_back(text_of(column, table.inputs, entry));
    entry += column.width();
  }
  json text{{"delimiter", std::string(1, table.columns.format.delimiter)},
            {"header", table.columns.format.header},
            {"inputs", std::move(inputs)},
            {"target", text_of(table.columns.targets.front(), table.target, 0)}};
  if (table.tells_deviation) text["tells_deviation"] = true;
  return text;
}

json text_of(const image_format& images) {
  return {{"rows", images.rows}, {"columns", images.columns}, {"classes", images.classes}};
}

/// What is wrong with a text, when its JSON is right.
class senseless : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Columns as they are read back, with their scaling.
class columns_reader {
 public:
  void read(const json& text) {
    csv_column column{text.at("name").get<std::string>(), {}};
    if (text.contains("categories")) {
      column.categories = text["categories"].get<std::vector<std::string>>();
      if (column.categories.empty()) throw senseless("a column of no categories");
      offset_.insert(offset_.end(), column.categories.size(), 0.0f);
      spread_.insert(spread_.end(), column.categories.size(), 1.0f);
    } else {
      offset_.push_back(text.at("offset").get<float>());
      spread_.push_back(text.at("spread").get<float>());
      if (!std::isfinite(offset_.back()) || !std::isfinite(spread_.back()) || spread_.back() <= 0)
        throw senseless("a scaling that is not finite or not positive");
    }
    columns.push_back(std::move(column));
  }

  scaling<float> by() const {
    scaling<float> result = no_scaling(offset_.size());
    std::copy(offset_.begin(), offset_.end(), result.offset.mutable_values().begin());
    std::copy(spread_.begin(), spread_.end(), result.spread.mutable_values().begin());
    return result;
  }

  std::vector<csv_column> columns;

 private:
  std::vector<float> offset_, spread_;
};

table_format table_of(const json& text) {
  columns_reader inputs, target;
  for (const json& column : text.at("inputs")) inputs.read(column);
  target.read(text.at("target"));
  const auto delimiter = text.at("delimiter").get<std::string>();
  if (delimiter.size() != 1) throw senseless("a delimiter that is not one character");
  if (inputs.columns.empty()) throw senseless("a table without inputs");
  table_format table;
  table.columns.format.delimiter = delimiter.front();
  table.columns.format.header = text.at("header").get<bool>();
  table.inputs = inputs.by();
  table.target = target.by();
  table.columns.inputs = std::move(inputs.columns);
  table.columns.targets = std::move(target.columns);
  table.tells_deviation = text.value("tells_deviation", false);
  if (table.tells_deviation && !table.columns.targets.front().categories.empty())
    throw senseless("classes with a deviation");
  return table;
}

std::size_t count_of(const json& text, const char* name) {
  constexpr std::size_t most = 1 << 20;
  const json& value = text.at(name);
  if (!value.is_number_unsigned() || value.get<std::size_t>() == 0 ||
      value.get<std::size_t>() > most)
    throw senseless(fmt::format("{} that are no count", name));
  return value.get<std::size_t>();
}

image_format images_of(const json& text) {
  return {count_of(text, "rows"), count_of(text, "columns"), count_of(text, "classes")};
}

/// Throws io_error unless the images are of the size that was learned.
idx_array read_images(const std::filesystem::path& path, const image_format& learned) {
  idx_array images = read_idx_images(path);
  if (images.extents[1] == learned.rows && images.extents[2] == learned.columns) return images;
  named_file{"read_images", path}.refuse(
      fmt::format("has images of {} x {} for a model of {} x {}", images.extents[1],
                  images.extents[2], learned.rows, learned.columns),
      "give images of the size that it was trained on");
}

tensor<float> pixels_of(const idx_array& images) {
  tensor<float> pixels(autodiff::shape{images.extents[0], images.extents[1] * images.extents[2]});
  std::transform(images.values.begin(), images.values.end(), pixels.mutable_values().begin(),
                 [](std::uint8_t grey) { return static_cast<float>(grey) / 255.0f; });
  return pixels;
}

}  // namespace

std::size_t data_format::features() const {
  if (const table_format* t = table()) return t->columns.features();
  const auto& images = std::get<image_format>(file);
  return images.rows * images.columns;
}

std::size_t data_format::outputs() const {
  if (const table_format* t = table()) return t->tells_deviation ? 2 : t->columns.outputs();
  return std::get<image_format>(file).classes;
}

std::string data_format::target() const {
  const table_format* t = table();
  return t != nullptr ? t->columns.targets.front().name : "label";
}

std::vector<std::string> data_format::classes() const {
  if (const table_format* t = table()) return t->columns.targets.front().categories;
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < std::get<image_format>(file).classes; ++i) {
    labels.push_back(fmt::format("{}", i));
  }
  return labels;
}

std::string to_text(const data_format& format, const named_file& file) {
  const char* kind = format.table() != nullptr ? "table" : "images";
  const json inside = std::visit([](const auto& f) { return text_of(f); }, format.file);
  try {
    return json{{kind, inside}}.dump();
  } catch (const json::exception&) {
    file.refuse("has names or categories that are not UTF-8", "save the table as UTF-8 text");
  }
}

data_format parse_data_format(std::string_view text, const named_file& file) {
  try {
    const json whole = json::parse(text);
    if (whole.contains("table")) return {table_of(whole["table"])};
    return {images_of(whole.at("images"))};
  } catch (const std::exception& e) {  // of ours and of the JSON library
    file.refuse_content(
        fmt::format("describes its data by what makes no sense ({})", in_quotes(e.what())));
  }
}

dataset<float> read_samples(const std::filesystem::path& data, const std::filesystem::path& labels,
                            const data_format& format) {
  if (const table_format* t = format.table()) {
    const dataset<float> samples = read_csv<float>(data, t->columns);
    return {t->inputs.apply(samples.inputs), t->target.apply(samples.targets)};
  }
  const auto& learned = std::get<image_format>(format.file);
  const idx_array images = read_images(data, learned), answers = read_idx_labels(labels);
  if (images.extents[0] != answers.extents[0]) {
    named_file{"read_samples", labels}.refuse(
        fmt::format("has {} labels for {} images", answers.extents[0], images.extents[0]),
        "give the two files of one set");
  }
  if (images.values.empty())
    named_file{"read_samples", data}.refuse("has no images", "give a file with some");
  const auto beyond = std::find_if(answers.values.begin(), answers.values.end(),
                                   [&](std::uint8_t label) { return label >= learned.classes; });
  if (beyond != answers.values.end()) {
    named_file{"read_samples", labels}.refuse(
        fmt::format("has label {} at place {}, beyond the {} classes of the model", *beyond,
                    beyond - answers.values.begin(), learned.classes),
        "give labels of the classes that it was trained on");
  }
  return image_dataset<float>(images.values, answers.values, learned.classes);
}

tensor<float> read_inputs(const std::filesystem::path& data, const data_format& format) {
  if (const table_format* t = format.table()) {
    return t->inputs.apply(read_csv_inputs<float>(data, t->columns));
  }
  return pixels_of(read_images(data, std::get<image_format>(format.file)));
}

}  // namespace nn::tools
