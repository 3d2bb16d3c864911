#pragma once
// Training: epochs of shuffled batches; each batch is recorded, swept and stepped (nn/step.hpp).

#include <autodiff/tensor/tensor.hpp>

#include <nn/data.hpp>
#include <nn/init.hpp>
#include <nn/loss.hpp>
#include <nn/network.hpp>
#include <nn/optimizer.hpp>
#include <nn/progress.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace nn {

struct training {
  nn::loss loss = mean_squared_error;
  nn::optimizer optimizer = adam{};
  std::size_t epochs = 10;
  std::size_t batch = 64;
  nn::seed shuffle{0};  ///< of the order of samples
  nn::progress progress = nn::progress::automatic;
};

/// What one epoch left.
struct epoch_record {
  double loss;  ///< mean over the batches, weighted by their samples, while the weights moved
  std::optional<double> validation_loss;      ///< after the epoch, where validation data was passed
  std::optional<double> validation_accuracy;  ///< the same, for targets with at least two columns
  double seconds;                             ///< of training, without validation
};

using history = std::vector<epoch_record>;

/// Trains the network in place on [n, inputs] -> [n, outputs]. Throws shape_error when the data
/// does not fit the network, domain_error for settings out of range and when the loss is no longer
/// finite, naming epoch and batch; the weights are then those before the step that failed.
template <class T>
history train(network<T>& net, const dataset<T>& data, const training& how);
/// The same, measuring loss and accuracy on validation data after every epoch.
template <class T>
history train(network<T>& net, const dataset<T>& data, const dataset<T>& validation,
              const training& how);

}  // namespace nn
