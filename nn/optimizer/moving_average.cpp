#include <nn/optimizer/moving_average.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/parallel.hpp>

#include <nn/optimizer/update_loops.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace nn {
namespace {

/// Exchanged twice, a tensor would not come back.
template <class T>
void require_distinct(std::vector<autodiff::tensor<T>*> model) {
  std::ranges::sort(model, std::less<>());
  if (std::ranges::adjacent_find(model) == model.end()) return;
  throw autodiff::domain_error("moving_average", "parameters() handed out a tensor twice",
                               "visit it once, however often the model uses it");
}

}  // namespace

template <class T>
moving_average<T>::moving_average(const parameters& model, const averaging& how) : how_(how) {
  if (!(how.decay >= 0 && how.decay < 1)) {
    throw autodiff::domain_error("moving_average", fmt::format("the decay is {}", how.decay),
                                 "it must be in [0, 1)");
  }
  require_distinct(model);
  for (const tensor* p : model) averages_.emplace_back(p->shape(), p->values());
}

template <class T>
void moving_average<T>::require_fit(const parameters& model) const {
  if (model.size() != averages_.size()) {
    throw autodiff::shape_error(
        "moving_average",
        fmt::format("{} averages and a model of {} parameters", averages_.size(), model.size()),
        "make a moving_average for each model");
  }
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (model[i]->is_recorded()) {
      throw autodiff::tape_error("moving_average",
                                 fmt::format("parameter {} is a variable of a tape", i),
                                 "wait until its step is over and it is a constant again");
    }
    if (model[i]->shape() != averages_[i].shape()) {
      throw autodiff::shape_error("moving_average",
                                  fmt::format("parameter {} has shape {} and its average {}", i,
                                              autodiff::to_string(model[i]->shape()),
                                              autodiff::to_string(averages_[i].shape())),
                                  "make a moving_average for each model");
    }
  }
}

template <class T>
void moving_average<T>::update(const parameters& model) {
  if (is_swapped_in_) {
    throw autodiff::domain_error("moving_average", "the model has its averages for parameters",
                                 "swap them out before the next step");
  }
  require_fit(model);
  ++steps_;
  const double seen = 1 - std::pow(how_.decay, static_cast<double>(steps_));
  const double share = how_.corrected ? (1 - how_.decay) / seen : 1 - how_.decay;
  const auto run = update_of<average_rule<T>>();
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (steps_ == 1) {
      averages_[i] = tensor(model[i]->shape(), model[i]->values());
      continue;
    }
    T* const average = averages_[i].mutable_values().data();
    const T* const w = model[i]->values().data();
    autodiff::parallel_elements(averages_[i].size(), [&](std::size_t at, std::size_t count) {
      run(count, {static_cast<T>(share)}, w + at, average + at, nullptr);
    });
  }
}

template <class T>
void moving_average<T>::swap(const parameters& model) {
  require_fit(model);
  for (std::size_t i = 0; i < model.size(); ++i) std::swap(*model[i], averages_[i]);
  is_swapped_in_ = !is_swapped_in_;
}

template class moving_average<float>;
template class moving_average<double>;

}  // namespace nn
