#pragma once
// How parameters move along their gradients: an optimizer's settings at work on one model.

#include <autodiff/error.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <nn/optimizer/optimizer_settings.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nn {

/// A parameter as a group sees it.
struct parameter_place {
  std::size_t index;      ///< in the order of model.parameters()
  std::string_view name;  ///< in model.state(), "parameters.<index>" for models without
  const autodiff::shape& shape;
};

/// Parameters that are treated in their own way. The first group whose `holds` says so has a
/// parameter; those of no group follow the optimizer's settings.
struct parameter_group {
  std::function<bool(const parameter_place&)> holds;
  double rate_factor = 1;                             ///< times the optimizer's rate
  std::optional<double> weight_decay = std::nullopt;  ///< instead of the optimizer's
  bool frozen = false;                                ///< these stay as they are
};

/// Settings at work on one model, and what they remember of each parameter in slots of its shape.
template <class T>
class optimizer_state {
 public:
  /// Throws domain_error naming the setting that is out of range.
  explicit optimizer_state(const optimizer& settings, std::vector<parameter_group> groups = {});

  /// Moves every parameter of the model by its gradient, in the order of model.parameters(). Throws
  /// shape_error when the gradients are not those of this model or it is another model than before,
  /// tape_error while a parameter is recorded; no parameter has moved then.
  template <class Model>
  void update(Model& model, const std::vector<autodiff::tensor<T>>& gradients) {
    collect(model);
    require_fit(gradients);
    if (is_plain_) return move_plainly(gradients);
    remember(model);
    move(gradients);
  }

  /// The rate of the next updates, before the factors of groups; at first that of the settings. Of
  /// rprop it is the size of the first steps alone.
  double rate() const noexcept { return rate_; }
  /// Throws domain_error for one that is negative or not finite.
  void rate(double rate);

  /// Makes the slots of a model as they are before the first update, for a state that is to be
  /// restored; an update does so itself. Does nothing where there are slots already.
  template <class Model>
  void prepare(Model& model) {
    collect(model);
    if (!is_plain_) remember(model);
  }
  /// Calls visit(name, tensor) for every slot of every parameter that is not frozen, in a fixed
  /// order; names as "first_moment.3". Together with steps() they are all that the next updates
  /// depend on besides settings, rate and gradients: a visitor may write values that it read
  /// before. None before prepare() or the first update, and none of plain sgd.
  template <class Visitor>
  void state(Visitor&& visit) {
    was_visited_ = true;
    for (slot& s : slots_) {
      for (std::size_t i = 0; i < s.values.size(); ++i)
        if (moves_[i]) visit(std::string_view(s.name + "." + std::to_string(i)), s.values[i]);
    }
  }
  /// Of each parameter the number of the group that has it, that of all groups for one of none.
  /// Empty before prepare() or the first update, and for plain sgd without groups.
  std::span<const std::size_t> groups() const noexcept { return group_of_; }
  /// Updates so far.
  std::size_t steps() const noexcept { return steps_; }
  void steps(std::size_t count) noexcept { steps_ = count; }

 private:
  using tensors = std::vector<autodiff::tensor<T>>;

  struct slot {
    std::string name;
    tensors values;
  };
  struct members {
    double rate_factor, weight_decay;
    std::vector<std::size_t> parameters;
  };

  template <class Model>
  void collect(Model& model) {
    parameters_.clear();
    model.parameters([this](autodiff::tensor<T>& p) { parameters_.push_back(&p); });
  }
  template <class Model>
  void remember(Model& model) {
    if (!shapes_.empty()) return;
    std::vector<std::string> names(parameters_.size());
    if constexpr (requires { model.state([](std::string_view, autodiff::tensor<T>&) {}); }) {
      model.state([&](std::string_view name, autodiff::tensor<T>& t) {
        for (std::size_t i = 0; i < names.size(); ++i)
          if (parameters_[i] == &t) names[i] = name;
      });
    }
    begin(names);
  }

  void require_fit(const tensors& gradients) const;
  void require_same_model();
  void begin(std::span<const std::string> names);
  double nadam_product();
  void move_plainly(const tensors& gradients);
  void move(const tensors& gradients);
  template <class Rule>
  void apply(const Rule& rule, const members& of, const tensors& gradients);

  optimizer settings_;
  std::vector<parameter_group> groups_;
  double rate_;
  bool is_plain_;  // sgd that remembers nothing, the same for all parameters
  std::size_t steps_ = 0;
  std::vector<autodiff::tensor<T>*> parameters_;  // during an update
  std::vector<autodiff::shape> shapes_;           // of the model's parameters
  std::vector<std::size_t> group_of_;             // each of them
  std::vector<bool> moves_;                       // those that are not frozen
  std::vector<members> moving_;                   // the same, by their groups
  std::vector<slot> slots_;
  bool was_visited_ = false;  // so that slots may have been replaced
  double nadam_product_ = 1;  // of the momenta of so many steps
  std::size_t nadam_steps_ = 0;
};

}  // namespace nn
