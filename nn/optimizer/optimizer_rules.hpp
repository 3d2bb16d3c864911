#pragma once
// From an optimizer's settings to the rule of one step: what it keeps of each weight, and the
// numbers of update_rules.hpp. Formulas without a source here are those of optimizer_settings.hpp.

#include <nn/optimizer/optimizer_settings.hpp>
#include <nn/optimizer/update_rules.hpp>

#include <cmath>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nn {

/// What a rule is made for.
struct step_numbers {
  std::size_t step;  ///< counted from 1
  double rate, weight_decay;
  double nadam_product;  ///< of its momenta of steps 1 to `step`
};

/// A slot, as it is before the first step.
struct slot_start {
  std::string_view name;
  double value = 0;
};
using slot_starts = std::vector<slot_start>;

inline double power(double base, std::size_t exponent) {
  return std::pow(base, static_cast<double>(exponent));
}

// For every optimizer: its slots, in the order in which its rule counts them, and use_rule(), which
// calls use(rule).

/// Calls with(true_type or false_type) for each of the conditions: numbers of a program as
/// parameters of a rule.
template <class With>
void as_types(bool first, bool second, With&& with) {
  using std::false_type, std::true_type;
  if (first)
    second ? with(true_type{}, true_type{}) : with(true_type{}, false_type{});
  else
    second ? with(false_type{}, true_type{}) : with(false_type{}, false_type{});
}

inline slot_starts slots_of(const sgd& s, double) {
  return s.momentum > 0 ? slot_starts{{"velocity"}} : slot_starts{};
}
template <class T, class Use>
void use_rule(const sgd& s, const step_numbers& now, Use&& use) {
  const T rate = static_cast<T>(now.rate), decay = static_cast<T>(now.weight_decay);
  if (s.momentum == 0) return use(sgd_rule<T>{rate, decay});
  const double share = now.step == 1 ? 1 : 1 - s.dampening;
  use(momentum_rule<T>{rate, decay, static_cast<T>(s.momentum), static_cast<T>(share), s.nesterov});
}

inline slot_starts slots_of(const adagrad& s, double) {
  return {{"squares", s.initial_accumulator}};
}
template <class T, class Use>
void use_rule(const adagrad& s, const step_numbers& now, Use&& use) {
  const double rate = now.rate / (1 + static_cast<double>(now.step - 1) * s.rate_decay);
  use(adagrad_rule<T>{static_cast<T>(rate), static_cast<T>(now.weight_decay),
                      static_cast<T>(s.epsilon)});
}

inline slot_starts slots_of(const adadelta&, double) { return {{"squares"}, {"squared_steps"}}; }
template <class T, class Use>
void use_rule(const adadelta& s, const step_numbers& now, Use&& use) {
  use(adadelta_rule<T>{static_cast<T>(now.rate), static_cast<T>(now.weight_decay),
                       static_cast<T>(s.rho), static_cast<T>(s.epsilon)});
}

inline slot_starts slots_of(const rmsprop& s, double) {
  slot_starts slots{{"squares"}};
  if (s.centred) slots.push_back({"mean"});
  if (s.momentum > 0) slots.push_back({"velocity"});
  return slots;
}
template <class T, class Use>
void use_rule(const rmsprop& s, const step_numbers& now, Use&& use) {
  as_types(s.centred, s.momentum > 0, [&](auto centred, auto momentum) {
    use(rmsprop_rule<T, centred, momentum>{
        static_cast<T>(now.rate), static_cast<T>(now.weight_decay), static_cast<T>(s.alpha),
        static_cast<T>(s.epsilon), static_cast<T>(s.momentum)});
  });
}

/// The numbers of adam and adamw: weight decay joins the gradient as `decay`, or is decoupled.
template <class T, class Settings, class Use>
void use_adam_rule(const Settings& s, const step_numbers& now, double decay, double decoupled,
                   Use&& use) {
  // The corrections of the bias are those of the rounded betas: in float 1 - beta2 is off by 5e-5,
  // which the correction then takes back.
  const T beta1 = static_cast<T>(s.beta1), beta2 = static_cast<T>(s.beta2);
  const double first = 1 - power(static_cast<double>(beta1), now.step);
  const double root = std::sqrt(1 - power(static_cast<double>(beta2), now.step));
  as_types(s.amsgrad, now.weight_decay > 0, [&](auto amsgrad, auto decays) {
    use(adam_rule<T, amsgrad, decays>{static_cast<T>(now.rate * root / first),
                                      static_cast<T>(decay), static_cast<T>(now.rate * decoupled),
                                      beta1, beta2, static_cast<T>(s.epsilon * root)});
  });
}

inline slot_starts moments(bool amsgrad) {
  slot_starts slots{{"first_moment"}, {"second_moment"}};
  if (amsgrad) slots.push_back({"largest_second_moment"});
  return slots;
}
inline slot_starts slots_of(const adam& s, double) { return moments(s.amsgrad); }
inline slot_starts slots_of(const adamw& s, double) { return moments(s.amsgrad); }
template <class T, class Use>
void use_rule(const adam& s, const step_numbers& now, Use&& use) {
  use_adam_rule<T>(s, now, now.weight_decay, 0, use);
}
template <class T, class Use>
void use_rule(const adamw& s, const step_numbers& now, Use&& use) {
  use_adam_rule<T>(s, now, 0, now.weight_decay, use);
}

inline slot_starts slots_of(const nadam&, double) { return moments(false); }
/// The momentum of a step: beta1 (1 - 0.96^(step momentum_decay) / 2).
inline double nadam_momentum(const nadam& s, std::size_t step) {
  return s.beta1 * (1 - 0.5 * std::pow(0.96, static_cast<double>(step) * s.momentum_decay));
}
template <class T, class Use>
void use_rule(const nadam& s, const step_numbers& now, Use&& use) {
  const T beta2 = static_cast<T>(s.beta2);
  const double root = std::sqrt(1 - power(static_cast<double>(beta2), now.step));
  const double momentum = nadam_momentum(s, now.step), next = nadam_momentum(s, now.step + 1);
  const double of_gradient = (1 - momentum) / (1 - now.nadam_product);
  const double of_moment = next / (1 - now.nadam_product * next);
  const double decoupled = s.decoupled ? now.rate * now.weight_decay : 0;
  use(nadam_rule<T>{static_cast<T>(now.rate * root * of_gradient),
                    static_cast<T>(now.rate * root * of_moment),
                    static_cast<T>(s.decoupled ? 0 : now.weight_decay), static_cast<T>(decoupled),
                    static_cast<T>(s.beta1), beta2, static_cast<T>(s.epsilon * root)});
}

inline slot_starts slots_of(const adamax&, double) {
  return {{"first_moment"}, {"largest_gradient"}};
}
template <class T, class Use>
void use_rule(const adamax& s, const step_numbers& now, Use&& use) {
  const T beta1 = static_cast<T>(s.beta1);
  const double first = 1 - power(static_cast<double>(beta1), now.step);
  use(adamax_rule<T>{static_cast<T>(now.rate / first), static_cast<T>(now.weight_decay), beta1,
                     static_cast<T>(s.beta2), static_cast<T>(s.epsilon)});
}

inline slot_starts slots_of(const lion&, double) { return {{"first_moment"}}; }
template <class T, class Use>
void use_rule(const lion& s, const step_numbers& now, Use&& use) {
  use(lion_rule<T>{static_cast<T>(now.rate), static_cast<T>(now.rate * now.weight_decay),
                   static_cast<T>(s.beta1), static_cast<T>(s.beta2)});
}

inline slot_starts slots_of(const rprop&, double rate) {
  return {{"previous_gradient"}, {"step_size", rate}};
}
template <class T, class Use>
void use_rule(const rprop& s, const step_numbers&, Use&& use) {
  use(rprop_rule<T>{static_cast<T>(s.shrink), static_cast<T>(s.grow), static_cast<T>(s.least),
                    static_cast<T>(s.most)});
}

}  // namespace nn
