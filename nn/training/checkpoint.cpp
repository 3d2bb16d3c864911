#include <nn/training/checkpoint.hpp>

#include <autodiff/tensor/tensor.hpp>

#include <nn/files/named_file.hpp>
#include <nn/files/safetensors.hpp>

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <span>
#include <utility>

namespace nn {
namespace {

constexpr std::string_view operation = "train";
constexpr std::string_view any_kind = "backsweep checkpoint ", kind = "backsweep checkpoint 2";
constexpr std::string_view tensor_prefix = "tensor.", number_prefix = "numbers.",
                           setting_prefix = "setting.";

/// CRC-32 of texts and numbers, in the order in which they come.
class checksum {
 public:
  void add(std::string_view text) { add(text.data(), text.size()); }
  template <class T>
  void add(std::span<const T> values) {
    add(values.data(), values.size_bytes());
  }
  std::string text() const { return fmt::format("{:08x}", sum_); }

 private:
  void add(const void* bytes, std::size_t count) {
    // zlib takes 0 for "no bytes at all" where there is no pointer.
    if (count > 0) sum_ = crc32_z(sum_, static_cast<const Bytef*>(bytes), count);
  }
  uLong sum_ = crc32_z(0, nullptr, 0);
};

autodiff::tensor<double> as_tensor(const std::vector<double>& values) {
  return autodiff::tensor<double>(autodiff::shape{values.size()}, std::span<const double>(values));
}

/// A row for each epoch, a column for each name.
autodiff::tensor<double> table_of(const history& past) {
  const std::size_t columns = past.empty() ? 0 : past.front().names().size();
  std::vector<double> values;
  for (const epoch_record& epoch : past) {
    for (const std::string& name : epoch.names()) values.push_back(epoch.value(name));
  }
  return autodiff::tensor<double>(autodiff::shape{past.size(), columns},
                                  std::span<const double>(values));
}

history history_of(const autodiff::tensor<double>& table, std::span<const std::string> names) {
  history past(table.shape()[0]);
  const double* value = table.values().data();
  for (epoch_record& epoch : past) {
    for (const std::string& name : names) {
      if (name == "loss")
        epoch.loss = *value;
      else if (name == "validation_loss")
        epoch.validation_loss = *value;
      else if (name == "rate")
        epoch.rate = *value;
      else if (name == "seconds")
        epoch.seconds = *value;
      else
        epoch.metrics.push_back({name, *value});
      ++value;
    }
  }
  return past;
}

/// The names of the columns of the history, "column.0" and on.
metadata columns_of(const history& past) {
  metadata texts;
  if (past.empty()) return texts;
  std::size_t i = 0;
  for (const std::string& name : past.front().names())
    texts.emplace(fmt::format("column.{}", i++), name);
  return texts;
}

/// Everything of a file but its checksum.
struct content {
  metadata texts;
  std::vector<named_tensor> tensors;

  std::string checked() const {
    checksum sum;
    for (const auto& [name, text] : texts) {
      if (name == "checksum") continue;
      sum.add(fmt::format("{}={}\n", name, text));
    }
    for (const named_tensor& each : tensors) {
      std::visit(
          [&](const auto& t) {
            sum.add(fmt::format("{} {}\n", each.name, autodiff::to_string(t.shape())));
            sum.add(t.values());
          },
          each.values);
    }
    return sum.text();
  }
  void sort() {
    std::sort(tensors.begin(), tensors.end(),
              [](const named_tensor& a, const named_tensor& b) { return a.name < b.name; });
  }
};

std::size_t count_of(const metadata& texts, const std::string& name, const named_file& file) {
  const auto found = texts.find(name);
  std::size_t count = 0;
  if (found != texts.end()) {
    const char *const begin = found->second.data(), *const end = begin + found->second.size();
    const auto [stop, failure] = std::from_chars(begin, end, count);
    if (failure == std::errc() && stop == end) return count;
  }
  file.refuse_content(fmt::format("has no number for the text \"{}\"", name));
}

template <class T>
constexpr std::string_view type_name = number_name<T>;

/// A checkpoint, as it is written today, of numbers of type T.
template <class T>
void require_kind(const metadata& texts, const named_file& file) {
  const auto found = texts.find("kind");
  if (found == texts.end() || !found->second.starts_with(any_kind))
    file.refuse("is no checkpoint", "resume from one that train() wrote, or remove it");
  if (found->second != kind) {
    file.refuse(fmt::format("is a {}, not a {}", found->second, kind),
                "resume with the version of the library that wrote it, or remove it");
  }
  const auto type = texts.find("type");
  if (type == texts.end() || type->second != type_name<T>) {
    file.refuse(fmt::format("is of a training with other numbers than {}", type_name<T>),
                "resume with the number type that it was written with, or remove it");
  }
}

/// What differs, in words. Of another optimizer every "optimizer.rate" differs, too: that is not
/// worth a word.
std::vector<std::string> different_settings(const std::map<std::string, std::string>& found,
                                            const std::map<std::string, std::string>& expected) {
  std::vector<std::string> differences;
  auto all = expected;
  all.insert(found.begin(), found.end());
  std::string told;
  for (const auto& [name, either] : all) {
    if (!told.empty() && name.starts_with(told)) continue;
    const auto theirs = found.find(name), ours = expected.find(name);
    if (theirs == found.end())
      differences.push_back(fmt::format("it has no {}, here it is {}", name, in_quotes(either)));
    else if (ours == expected.end())
      differences.push_back(
          fmt::format("its {} is {}, here is none", in_quotes(name), in_quotes(either)));
    else if (theirs->second != ours->second)
      differences.push_back(fmt::format("its {} is {}, not {}", name, in_quotes(theirs->second),
                                        in_quotes(ours->second)));
    else
      continue;
    told = name + ".";
  }
  return differences;
}

}  // namespace

template <class T>
void write_checkpoint(const std::filesystem::path& file, const checkpoint<T>& state) {
  content all;
  all.texts = columns_of(state.past);
  all.texts.emplace("kind", kind);
  all.texts.emplace("type", type_name<T>);
  all.texts.emplace("epoch", std::to_string(state.epoch));
  all.texts.emplace("batch", std::to_string(state.batch));
  for (const auto& [name, value] : state.settings)
    all.texts.emplace(std::string(setting_prefix) + name, value);
  all.tensors.push_back({"history", table_of(state.past)});
  for (const auto& [name, values] : state.numbers)
    all.tensors.push_back({std::string(number_prefix) + name, as_tensor(values)});
  for (const auto& [name, values] : state.tensors)
    all.tensors.push_back({std::string(tensor_prefix) + name, values});
  all.sort();
  all.texts.emplace("checksum", all.checked());
  write_safetensors(file, all.tensors, all.texts, operation);
}

template <class T>
checkpoint<T> read_checkpoint(const std::filesystem::path& path) {
  const safetensors_file file(path, operation);
  content all;
  all.texts = file.metadata();
  require_kind<T>(all.texts, file.name());
  for (const stored_tensor& stored : file.tensors()) {
    if (stored.name.starts_with(tensor_prefix))  // NOLINT(bugprone-branch-clone): alike for double
      all.tensors.push_back({stored.name, file.read<T>(stored)});
    else
      all.tensors.push_back({stored.name, file.read<double>(stored)});
  }
  all.sort();
  if (const auto sum = all.texts.find("checksum");
      sum == all.texts.end() || sum->second != all.checked())
    file.name().refuse_content("is damaged: its checksum is not that of its content");

  checkpoint<T> state;
  state.epoch = count_of(all.texts, "epoch", file.name());
  state.batch = count_of(all.texts, "batch", file.name());
  for (const auto& [name, text] : all.texts) {
    if (name.starts_with(setting_prefix))
      state.settings.emplace(name.substr(setting_prefix.size()), text);
  }
  std::vector<std::string> columns;
  for (auto found = all.texts.find("column.0"); found != all.texts.end();
       found = all.texts.find(fmt::format("column.{}", columns.size())))
    columns.push_back(found->second);
  for (const named_tensor& each : all.tensors) {
    const std::string_view name = each.name;
    if (name.starts_with(tensor_prefix)) {
      state.tensors.emplace(name.substr(tensor_prefix.size()),
                            std::get<autodiff::tensor<T>>(each.values));
      continue;
    }
    const auto& values = std::get<autodiff::tensor<double>>(each.values);
    if (name.starts_with(number_prefix)) {
      state.numbers.emplace(name.substr(number_prefix.size()),
                            std::vector<double>(values.values().begin(), values.values().end()));
    } else if (name == "history" && values.rank() == 2 && values.shape()[1] == columns.size() &&
               (values.shape()[0] == 0) == columns.empty()) {
      state.past = history_of(values, columns);
    } else {
      file.name().refuse_content(fmt::format("has a tensor {} out of place", in_quotes(name)));
    }
  }
  return state;
}

template <class T>
void require_same_training(const std::filesystem::path& path, const checkpoint<T>& found,
                           const checkpoint<T>& expected) {
  constexpr std::size_t most_named = 8;
  std::vector<std::string> differences = different_settings(found.settings, expected.settings);
  const auto differs = [&](std::string text) { differences.push_back(std::move(text)); };
  for (const auto& [name, values] : expected.numbers) {
    const auto other = found.numbers.find(name);
    if (other == found.numbers.end() || other->second.size() != values.size())
      differs(fmt::format("it has other {}", name));
  }
  // Of another model everything else differs, too: that is not worth a word.
  for (const bool of_model : {true, false}) {
    if (!of_model && !differences.empty()) break;
    const auto concerns = [&](const std::string& name) {
      return name.starts_with("model.") == of_model;
    };
    for (const auto& [name, t] : expected.tensors) {
      if (!concerns(name)) continue;
      const auto other = found.tensors.find(name);
      if (other == found.tensors.end())
        differs(fmt::format("it lacks {}", in_quotes(name)));
      else if (other->second.shape() != t.shape())
        differs(fmt::format("its {} is {}, not {}", in_quotes(name),
                            autodiff::to_string(other->second.shape()),
                            autodiff::to_string(t.shape())));
    }
    for (const auto& [name, t] : found.tensors) {
      if (concerns(name) && !expected.tensors.contains(name))
        differs(fmt::format("it has {}, too", in_quotes(name)));
    }
  }
  if (differences.empty()) return;
  const std::size_t left = differences.size() > most_named ? differences.size() - most_named : 0;
  differences.resize(differences.size() - left);
  named_file{std::string(operation), path}.refuse(
      fmt::format("is the checkpoint of another training: {}{}", fmt::join(differences, ", "),
                  left > 0 ? fmt::format(" and {} more", left) : ""),
      "resume with the model and the settings that it was written with, or remove it");
}

#define INSTANTIATE(T)                                                                    \
  template void write_checkpoint(const std::filesystem::path&, const checkpoint<T>&);     \
  template checkpoint<T> read_checkpoint(const std::filesystem::path&);                   \
  template void require_same_training(const std::filesystem::path&, const checkpoint<T>&, \
                                      const checkpoint<T>&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
