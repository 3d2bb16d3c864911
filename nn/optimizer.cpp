#include <nn/optimizer.hpp>

#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/parallel.hpp>

#include <fmt/format.h>

#include <algorithm>
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

void require(bool holds, std::string_view what, double value, std::string_view remedy) {
  if (holds) return;
  throw autodiff::domain_error("optimizer", fmt::format("{} is {}", what, value), remedy);
}

void check(const sgd& s) {
  require(s.rate > 0 && std::isfinite(s.rate), "the rate", s.rate, "it must be positive");
}

void check(const adam& a) {
  require(a.rate > 0 && std::isfinite(a.rate), "the rate", a.rate, "it must be positive");
  require(a.beta1 >= 0 && a.beta1 < 1, "beta1", a.beta1, "it must be in [0, 1)");
  require(a.beta2 >= 0 && a.beta2 < 1, "beta2", a.beta2, "it must be in [0, 1)");
  require(a.epsilon > 0 && std::isfinite(a.epsilon), "epsilon", a.epsilon, "it must be positive");
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

[[noreturn]] void refuse_count(std::size_t parameters, std::size_t gradients) {
  throw autodiff::shape_error("optimizer",
                              fmt::format("{} parameters and {} gradients", parameters, gradients),
                              "pass the gradients of this model, in the order of its parameters");
}

}  // namespace

template <class T>
optimizer_state<T>::optimizer_state(const optimizer& settings) : settings_(settings) {
  std::visit([](const auto& s) { check(s); }, settings_);
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
void optimizer_state<T>::move(const sgd& s, const tensors& gradients) {
  const T factor = static_cast<T>(-s.rate);
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

/// Begins to remember a model, or finds it to be the one that is remembered.
template <class T>
void optimizer_state<T>::remember(const tensors& gradients) {
  if (first_moments_.empty()) {
    tensors zeros;
    for (const autodiff::tensor<T>& g : gradients) zeros.emplace_back(g.shape(), T(0));
    second_moments_ = zeros;
    first_moments_ = std::move(zeros);
  }
  const bool same_model =
      std::equal(gradients.begin(), gradients.end(), first_moments_.begin(), first_moments_.end(),
                 [](const auto& g, const auto& m) { return g.shape() == m.shape(); });
  if (!same_model) {
    throw autodiff::shape_error("optimizer", "the gradients are of another model than those before",
                                "make an optimizer_state for each model");
  }
}

template <class T>
void optimizer_state<T>::move(const adam& a, const tensors& gradients) {
  remember(gradients);
  ++steps_;
  // Both corrections of the bias are folded into the rate and epsilon of this step. They are those
  // of the rounded betas: in float 1 - beta2 is off by 5e-5, which the correction then takes back.
  const T beta1 = static_cast<T>(a.beta1), beta2 = static_cast<T>(a.beta2);
  const double first = 1 - std::pow(static_cast<double>(beta1), static_cast<double>(steps_));
  const double second =
      std::sqrt(1 - std::pow(static_cast<double>(beta2), static_cast<double>(steps_)));
  const autodiff::adam_numbers<T> numbers{beta1, beta2, static_cast<T>(a.rate * second / first),
                                          static_cast<T>(a.epsilon * second)};
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    T* const w = parameters_[i]->mutable_values().data();
    const T* const g = gradients[i].values().data();
    T* const m = first_moments_[i].mutable_values().data();
    T* const v = second_moments_[i].mutable_values().data();
    autodiff::parallel_elements(gradients[i].size(), [&](std::size_t at, std::size_t count) {
      autodiff::plain<T>().adam(count, numbers, g + at, m + at, v + at, w + at);
    });
  }
}

template class optimizer_state<float>;
template class optimizer_state<double>;

}  // namespace nn
