#pragma once
// When training no longer helps: what is monitored has not become better for some epochs. A
// function of the values so far; nothing else is remembered.
// Source: Prechelt, Early stopping, but when? (Neural Networks: Tricks of the Trade, 1998).

#include <nn/optimizer/schedule.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace nn {

struct early_stopping {
  std::string monitor = "validation_loss";  ///< a name of epoch_record::value()
  nn::aim aim = nn::aim::lower;
  std::size_t patience = 10;  ///< so many epochs in a row without a better value, and it stops
  double min_delta = 0;       ///< better by no more than this is not better
  bool restore_best = true;   ///< the model ends as it was after its best epoch
};

/// How the best of some values came about.
struct best_value {
  std::optional<std::size_t> at;  ///< its place; none while no value is a number
  std::size_t since = 0;          ///< how many values came after it, none of them better
};

/// A NaN is never better. Throws domain_error for a patience of 0 and for a min_delta that is
/// negative or not finite.
best_value best_of(std::span<const double> values, const early_stopping& how);

}  // namespace nn
