#include <nn/optimizer/optimizer.hpp>

#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/parallel.hpp>

#include <nn/optimizer/optimizer_rules.hpp>
#include <nn/optimizer/update_loops.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace nn {
namespace {

// So few are moved inline: a call of one of the tables would cost more.
constexpr std::size_t few = 8;

template <class T>
void add_few(std::size_t size, T factor, const T* __restrict g, T* __restrict w) {
  for (std::size_t i = 0; i < size; ++i) w[i] += factor * g[i];
}

template <class T>
void add_many(std::size_t size, T factor, const T* g, T* w) {
  const auto accumulate = autodiff::plain<T>().accumulate;
  autodiff::parallel_elements(size, [=](std::size_t first, std::size_t count) {
    accumulate(count, factor, g + first, 1, w + first, autodiff::store::add);
  });
}

bool is_plain(const optimizer& settings) {
  const sgd* const s = std::get_if<sgd>(&settings);
  return s && s->momentum == 0 && s->weight_decay == 0;
}

double weight_decay_of(const optimizer& settings) {
  return std::visit(
      [](const auto& s) {
        if constexpr (requires { s.weight_decay; })
          return s.weight_decay;
        else
          return 0.0;
      },
      settings);
}

void require_group(bool holds, std::size_t index, std::string_view what, std::string_view remedy) {
  if (holds) return;
  throw autodiff::domain_error("optimizer", fmt::format("parameter group {} {}", index, what),
                               remedy);
}

void require_groups(const optimizer& settings, std::span<const parameter_group> groups) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const parameter_group& g = groups[i];
    require_group(static_cast<bool>(g.holds), i, "has no condition",
                  "say which parameters it holds: .holds = [](const nn::parameter_place& p) ...");
    require_group(g.rate_factor >= 0 && std::isfinite(g.rate_factor), i,
                  fmt::format("has the rate_factor {}", g.rate_factor), "it must be 0 or positive");
    if (!g.weight_decay) continue;
    require_group(*g.weight_decay >= 0 && std::isfinite(*g.weight_decay), i,
                  fmt::format("has the weight_decay {}", *g.weight_decay),
                  "it must be 0 or positive");
    require_group(!std::holds_alternative<rprop>(settings), i, "has a weight_decay, rprop has none",
                  "leave it out, or choose another optimizer");
  }
}

[[noreturn]] void refuse_recorded(std::size_t index) {
  throw autodiff::tape_error("optimizer",
                             fmt::format("parameter {} is a variable of a tape", index),
                             "move it when its step is over and it is a constant again");
}

[[noreturn]] void refuse_shape(std::size_t index, const autodiff::shape& parameter,
                               const autodiff::shape& gradient) {
  throw autodiff::shape_error(
      "optimizer",
      fmt::format("parameter {} has shape {} and its gradient {}", index,
                  autodiff::to_string(parameter), autodiff::to_string(gradient)),
      "pass the gradients of this model, in the order of its parameters");
}

[[noreturn]] void refuse_slot(std::string_view name, std::size_t index, const autodiff::shape& slot,
                              const autodiff::shape& parameter) {
  throw autodiff::shape_error(
      "optimizer",
      fmt::format("{}.{} has shape {} and its parameter {}", name, index, autodiff::to_string(slot),
                  autodiff::to_string(parameter)),
      "restore the state of an optimizer of this model");
}

[[noreturn]] void refuse_count(std::size_t parameters, std::size_t gradients) {
  throw autodiff::shape_error("optimizer",
                              fmt::format("{} parameters and {} gradients", parameters, gradients),
                              "pass the gradients of this model, in the order of its parameters");
}

}  // namespace

template <class T>
optimizer_state<T>::optimizer_state(const optimizer& settings, std::vector<parameter_group> groups)
    : settings_(settings),
      groups_(std::move(groups)),
      rate_(rate_of(settings)),
      is_plain_(is_plain(settings) && groups_.empty()) {
  require_range(settings);
  require_groups(settings, groups_);
}

template <class T>
void optimizer_state<T>::rate(double rate) {
  if (!(rate >= 0 && std::isfinite(rate))) {
    throw autodiff::domain_error("optimizer", fmt::format("the rate is set to {}", rate),
                                 "it must be 0 or positive");
  }
  rate_ = rate;
}

template <class T>
void optimizer_state<T>::require_fit(const tensors& gradients) const {
  const std::size_t count = gradients.size();
  if (parameters_.size() != count) refuse_count(parameters_.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    const autodiff::tensor<T>& p = *parameters_[i];
    if (p.is_recorded()) refuse_recorded(i);
    if (p.shape() != gradients[i].shape()) refuse_shape(i, p.shape(), gradients[i].shape());
  }
}

template <class T>
void optimizer_state<T>::move_plainly(const tensors& gradients) {
  ++steps_;
  const T factor = static_cast<T>(-rate_);
  auto gradient = gradients.begin();
  for (autodiff::tensor<T>* p : parameters_) {
    T* const w = p->mutable_values().data();
    const T* const g = gradient->values().data();
    const std::size_t size = gradient->shape().size();
    ++gradient;
    if (size <= few)
      add_few(size, factor, g, w);
    else
      add_many(size, factor, g, w);
  }
}

/// Remembers the model: divides its parameters among the groups and makes the slots.
template <class T>
void optimizer_state<T>::begin(std::span<const std::string> names) {
  const double decay = weight_decay_of(settings_);
  std::vector<members> all;
  for (const parameter_group& g : groups_)
    all.push_back({g.rate_factor, g.weight_decay.value_or(decay), {}});
  all.push_back({1, decay, {}});
  std::vector<autodiff::shape> shapes;
  std::vector<std::size_t> group_of;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const autodiff::shape& s = shapes.emplace_back(parameters_[i]->shape());
    const std::string name = names[i].empty() ? fmt::format("parameters.{}", i) : names[i];
    const auto group = std::find_if(groups_.begin(), groups_.end(), [&](const parameter_group& g) {
      return g.holds({i, name, s});
    });
    group_of.push_back(static_cast<std::size_t>(group - groups_.begin()));
    all[group_of.back()].parameters.push_back(i);
  }
  for (std::size_t g = groups_.size(); g-- > 0;)
    if (groups_[g].frozen) all.erase(all.begin() + static_cast<std::ptrdiff_t>(g));

  std::vector<bool> moves(shapes.size());
  std::vector<slot> slots;
  for (const members& of : all) {
    for (const std::size_t i : of.parameters) moves[i] = true;
    const double rate = rate_ * of.rate_factor;
    const slot_starts starts =
        std::visit([&](const auto& s) { return slots_of(s, rate); }, settings_);
    slots.resize(starts.size());
    for (std::size_t k = 0; k < starts.size(); ++k) {
      slots[k].name = starts[k].name;
      slots[k].values.resize(shapes.size());
      for (const std::size_t i : of.parameters)
        slots[k].values[i] = autodiff::tensor<T>(shapes[i], static_cast<T>(starts[k].value));
    }
  }
  slots_ = std::move(slots);
  group_of_ = std::move(group_of);
  moves_ = std::move(moves);
  moving_ = std::move(all);
  shapes_ = std::move(shapes);
}

template <class T>
void optimizer_state<T>::require_same_model() {
  const bool same =
      std::equal(parameters_.begin(), parameters_.end(), shapes_.begin(), shapes_.end(),
                 [](const autodiff::tensor<T>* p, const auto& s) { return p->shape() == s; });
  if (!same) {
    throw autodiff::shape_error("optimizer", "the gradients are of another model than those before",
                                "make an optimizer_state for each model");
  }
  if (!was_visited_) return;
  for (const slot& s : slots_) {
    for (std::size_t i = 0; i < shapes_.size(); ++i)
      if (moves_[i] && s.values[i].shape() != shapes_[i])
        refuse_slot(s.name, i, s.values[i].shape(), shapes_[i]);
  }
  was_visited_ = false;
}

/// Of the steps so far and the one that begins: a function of their number alone, so that nothing
/// of it needs to be kept in a file.
template <class T>
double optimizer_state<T>::nadam_product() {
  const nadam* const s = std::get_if<nadam>(&settings_);
  if (!s) return 1;
  if (nadam_steps_ > steps_) {
    nadam_steps_ = 0;
    nadam_product_ = 1;
  }
  while (nadam_steps_ < steps_) nadam_product_ *= nadam_momentum(*s, ++nadam_steps_);
  return nadam_product_;
}

template <class T>
template <class Rule>
void optimizer_state<T>::apply(const Rule& rule, const members& of, const tensors& gradients) {
  const auto run = update_of<Rule>();
  for (const std::size_t i : of.parameters) {
    T* const w = parameters_[i]->mutable_values().data();
    const T* const g = gradients[i].values().data();
    std::array<T*, Rule::slots + 1> slots{};
    for (std::size_t k = 0; k < Rule::slots; ++k)
      slots[k] = slots_[k].values[i].mutable_values().data();
    autodiff::parallel_elements(gradients[i].size(), [&](std::size_t at, std::size_t count) {
      std::array<T*, Rule::slots + 1> here = slots;
      for (std::size_t k = 0; k < Rule::slots; ++k) here[k] += at;
      run(count, rule, g + at, w + at, here.data());
    });
  }
}

template <class T>
void optimizer_state<T>::move(const tensors& gradients) {
  require_same_model();
  ++steps_;
  const double product = nadam_product();
  std::visit(
      [&](const auto& s) {
        for (const members& of : moving_) {
          const step_numbers now{steps_, rate_ * of.rate_factor, of.weight_decay, product};
          use_rule<T>(s, now, [&](const auto& rule) { apply(rule, of, gradients); });
        }
      },
      settings_);
}

template class optimizer_state<float>;
template class optimizer_state<double>;

}  // namespace nn
