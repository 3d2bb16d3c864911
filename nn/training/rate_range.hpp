#pragma once
// Which rate to train with: a short training whose rate rises from step to step, until the loss
// goes up.
// Source: Smith, Cyclical learning rates for training neural networks (WACV 2017), section 3.3.

#include <nn/data/data.hpp>
#include <nn/network/model.hpp>
#include <nn/training/training.hpp>

#include <cstddef>
#include <filesystem>
#include <type_traits>
#include <vector>

namespace nn {

struct rate_sweep {
  double from = 1e-7, to = 10;
  std::size_t steps = 100;  ///< at rates that have the same ratio from one to the next
};

/// Ends where the loss is no longer finite, or its average is four times the lowest one; of a loss
/// that has come down to 0 or below, where the average is back at its first value.
struct rate_curve {
  std::vector<double> rates, losses;
  std::vector<double> smoothed;  ///< averages of the losses up to here, the last ones weighing most
  /// Where the smoothed loss falls fastest, by the logarithm of the rate; NaN where it never falls.
  double suggestion;
};

/// Trains with the loss, optimizer, groups, batch and seed of `how`, and gives the model back as it
/// was. Throws domain_error for rates that are not positive and rising, fewer than 3 steps, or a
/// loss that is not finite at once, shape_error for no data; and what train() throws.
template <class T>
rate_curve rate_range(const std::type_identity_t<model_view<T>>& model, const dataset<T>& data,
                      const training& how, const rate_sweep& sweep = {});

/// The losses by rate, into a picture.
void plot_rate_curve(const std::filesystem::path& file, const rate_curve& found);

}  // namespace nn
