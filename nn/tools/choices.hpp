#pragma once
// What the names among the options stand for.

#include <nn/loss/loss.hpp>
#include <nn/optimizer/optimizer.hpp>
#include <nn/optimizer/schedule.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nn::tools {

template <class Value>
using named_values = std::vector<std::pair<std::string, Value>>;

/// What a loss learns.
enum class answer { number, number_and_deviation, category };

struct named_loss {
  nn::loss loss;
  tools::answer answer;
};

const named_values<named_loss>& losses();
const named_values<optimizer>& optimizers();
const named_values<schedule>& schedules();

template <class Value>
std::vector<std::string> names_of(const named_values<Value>& all) {
  std::vector<std::string> names;
  for (const auto& [name, value] : all) names.push_back(name);
  return names;
}
/// One of those names.
template <class Value>
const Value& named(const named_values<Value>& all, std::string_view name) {
  std::size_t i = 0;
  while (all[i].first != name) ++i;
  return all[i].second;
}

}  // namespace nn::tools
