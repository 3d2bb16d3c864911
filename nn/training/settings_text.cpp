#include <nn/training/settings_text.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nn {
namespace {

using texts = std::map<std::string, std::string>;

std::string text(bool value) { return value ? "true" : "false"; }
std::string text(double value) { return fmt::format("{}", value); }
std::string text(std::size_t value) { return std::to_string(value); }
std::string text(const std::string& value) { return value; }
std::string text(const std::vector<std::size_t>& values) {
  return fmt::format("{}", fmt::join(values, ", "));
}
std::string text(time_unit value) { return value == time_unit::step ? "step" : "epoch"; }
std::string text(annealing value) { return value == annealing::cosine ? "cosine" : "linear"; }
std::string text(aim value) { return value == aim::lower ? "lower" : "higher"; }
std::string text(margin value) { return value == margin::relative ? "relative" : "absolute"; }
std::string text(const std::optional<double>& value) { return value ? text(*value) : "none"; }

struct member {
  template <class Value>
  member(std::string_view name, const Value& value) : name(name), value(text(value)) {}

  std::string name, value;
};

struct told {
  std::string kind;
  std::vector<member> members = {};
};

// Each takes its settings apart as a whole: a member that is new and not told does not compile.

told tell(const sgd& s) {
  const auto& [rate, momentum, dampening, weight_decay, nesterov] = s;
  return {"sgd",
          {{"rate", rate},
           {"momentum", momentum},
           {"dampening", dampening},
           {"weight_decay", weight_decay},
           {"nesterov", nesterov}}};
}
told tell(const adagrad& s) {
  const auto& [rate, rate_decay, weight_decay, initial_accumulator, epsilon] = s;
  return {"adagrad",
          {{"rate", rate},
           {"rate_decay", rate_decay},
           {"weight_decay", weight_decay},
           {"initial_accumulator", initial_accumulator},
           {"epsilon", epsilon}}};
}
told tell(const adadelta& s) {
  const auto& [rate, rho, epsilon, weight_decay] = s;
  return {"adadelta",
          {{"rate", rate}, {"rho", rho}, {"epsilon", epsilon}, {"weight_decay", weight_decay}}};
}
told tell(const rmsprop& s) {
  const auto& [rate, alpha, epsilon, weight_decay, momentum, centred] = s;
  return {"rmsprop",
          {{"rate", rate},
           {"alpha", alpha},
           {"epsilon", epsilon},
           {"weight_decay", weight_decay},
           {"momentum", momentum},
           {"centred", centred}}};
}
template <class Adam>
told tell_adam(std::string_view kind, const Adam& s) {
  const auto& [rate, beta1, beta2, epsilon, weight_decay, amsgrad] = s;
  return {std::string(kind),
          {{"rate", rate},
           {"beta1", beta1},
           {"beta2", beta2},
           {"epsilon", epsilon},
           {"weight_decay", weight_decay},
           {"amsgrad", amsgrad}}};
}
told tell(const adam& s) { return tell_adam("adam", s); }
told tell(const adamw& s) { return tell_adam("adamw", s); }
told tell(const nadam& s) {
  const auto& [rate, beta1, beta2, epsilon, weight_decay, momentum_decay, decoupled] = s;
  return {"nadam",
          {{"rate", rate},
           {"beta1", beta1},
           {"beta2", beta2},
           {"epsilon", epsilon},
           {"weight_decay", weight_decay},
           {"momentum_decay", momentum_decay},
           {"decoupled", decoupled}}};
}
told tell(const adamax& s) {
  const auto& [rate, beta1, beta2, epsilon, weight_decay] = s;
  return {"adamax",
          {{"rate", rate},
           {"beta1", beta1},
           {"beta2", beta2},
           {"epsilon", epsilon},
           {"weight_decay", weight_decay}}};
}
told tell(const lion& s) {
  const auto& [rate, beta1, beta2, weight_decay] = s;
  return {"lion",
          {{"rate", rate}, {"beta1", beta1}, {"beta2", beta2}, {"weight_decay", weight_decay}}};
}
told tell(const rprop& s) {
  const auto& [rate, shrink, grow, least, most] = s;
  return {"rprop",
          {{"rate", rate}, {"shrink", shrink}, {"grow", grow}, {"least", least}, {"most", most}}};
}

told tell(const constant_rate&) { return {"constant_rate"}; }
told tell(const step_decay& s) {
  const auto& [every, factor, unit] = s;
  return {"step_decay", {{"every", every}, {"factor", factor}, {"unit", unit}}};
}
told tell(const multi_step_decay& s) {
  const auto& [at, factor, unit] = s;
  return {"multi_step_decay", {{"at", at}, {"factor", factor}, {"unit", unit}}};
}
told tell(const exponential_decay& s) {
  const auto& [factor, unit] = s;
  return {"exponential_decay", {{"factor", factor}, {"unit", unit}}};
}
told tell(const polynomial_decay& s) {
  const auto& [power, length, unit] = s;
  return {"polynomial_decay", {{"power", power}, {"length", length}, {"unit", unit}}};
}
told tell(const cosine_annealing& s) {
  const auto& [lowest, length, unit] = s;
  return {"cosine_annealing", {{"lowest", lowest}, {"length", length}, {"unit", unit}}};
}
told tell(const cosine_restarts& s) {
  const auto& [length, growth, lowest, unit] = s;
  return {"cosine_restarts",
          {{"length", length}, {"growth", growth}, {"lowest", lowest}, {"unit", unit}}};
}
told tell(const one_cycle& s) {
  const auto& [rising, start_divisor, end_divisor, shape, three_phases, length, unit] = s;
  return {"one_cycle",
          {{"rising", rising},
           {"start_divisor", start_divisor},
           {"end_divisor", end_divisor},
           {"shape", shape},
           {"three_phases", three_phases},
           {"length", length},
           {"unit", unit}}};
}
told tell(const reduce_on_plateau& s) {
  const auto& [aim, factor, patience, threshold, margin, cooldown, lowest, least_change] = s;
  return {"reduce_on_plateau",
          {{"aim", aim},
           {"factor", factor},
           {"patience", patience},
           {"threshold", threshold},
           {"margin", margin},
           {"cooldown", cooldown},
           {"lowest", lowest},
           {"least_change", least_change}}};
}

told tell(const warm_up& s) {
  const auto& [length, from, unit, then] = s;
  told all{"warm_up", {{"length", length}, {"from", from}, {"unit", unit}}};
  const told later = std::visit([](const auto& schedule) { return tell(schedule); }, then);
  all.members.emplace_back("then", later.kind);
  for (const member& m : later.members) all.members.emplace_back("then." + m.name, m.value);
  return all;
}

told tell(const penalty& s) {
  const auto& [l1, l2, biases] = s;
  if (l1 == 0 && l2 == 0) return {"none"};
  return {"of the weights", {{"l1", l1}, {"l2", l2}, {"biases", biases}}};
}
told tell(const averaging& s) {
  const auto& [decay, corrected] = s;
  return {"exponential", {{"decay", decay}, {"corrected", corrected}}};
}
/// The patience may change: it decides when training ends, not what came before.
told tell(const early_stopping& s) {
  const auto& [monitor, aim, patience, min_delta, restore_best] = s;
  return {"on " + monitor,
          {{"aim", aim}, {"min_delta", min_delta}, {"restore_best", restore_best}}};
}
told tell(const parameter_group& g) {
  const auto& [holds, rate_factor, weight_decay, frozen] = g;
  return {"own settings",
          {{"rate_factor", rate_factor}, {"weight_decay", weight_decay}, {"frozen", frozen}}};
}

void put(texts& all, const std::string& name, const told& settings) {
  all[name] = settings.kind;
  for (const member& m : settings.members) all[name + "." + m.name] = m.value;
}
template <class... Kinds>
void put(texts& all, const std::string& name, const std::variant<Kinds...>& settings) {
  put(all, name, std::visit([](const auto& s) { return tell(s); }, settings));
}
template <class Settings>
void put(texts& all, const std::string& name, const std::optional<Settings>& settings) {
  put(all, name, settings ? tell(*settings) : told{"none"});
}

}  // namespace

std::map<std::string, std::string> settings_of(const training& how) {
  texts all{{"loss", std::string(how.loss.name)},
            {"seed", std::to_string(how.seed.value)},
            {"clip_value", text(how.clip_value)},
            {"clip_norm", text(how.clip_norm)},
            {"groups", text(how.groups.size())}};
  put(all, "optimizer", how.optimizer);
  for (std::size_t g = 0; g < how.groups.size(); ++g)
    put(all, fmt::format("groups.{}", g), tell(how.groups[g]));
  put(all, "schedule", how.schedule);
  put(all, "penalty", tell(how.penalty));
  put(all, "average", how.average);
  put(all, "early_stopping", how.early_stopping);
  return all;
}

}  // namespace nn
