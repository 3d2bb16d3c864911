#include <nn/training/history.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

namespace nn {

std::optional<double> epoch_record::find(std::string_view name) const {
  if (name == "loss") return loss;
  if (name == "validation_loss") return validation_loss;
  for (const measured& m : metrics)
    if (m.name == name) return m.value;
  if (name == "rate") return rate;
  if (name == "seconds") return seconds;
  return std::nullopt;
}

std::vector<std::string> epoch_record::names() const {
  std::vector<std::string> all{"loss"};
  if (validation_loss) all.emplace_back("validation_loss");
  for (const measured& m : metrics) all.push_back(m.name);
  all.emplace_back("rate");
  all.emplace_back("seconds");
  return all;
}

double epoch_record::value(std::string_view name) const {
  if (const std::optional<double> found = find(name)) return *found;
  throw autodiff::domain_error("history",
                               fmt::format("nothing of the name \"{}\" was measured", name),
                               fmt::format("there are {}", fmt::join(names(), ", ")));
}

std::vector<double> values_of(const history& past, std::string_view name) {
  std::vector<double> values;
  values.reserve(past.size());
  for (const epoch_record& epoch : past) values.push_back(epoch.value(name));
  return values;
}

}  // namespace nn
