#pragma once
// What training measured, epoch by epoch.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nn {

/// The value of a metric.
struct measured {
  std::string name;
  double value;
};

/// What one epoch left. Losses and metrics of training are means over the batches, weighted by
/// their samples, while the weights moved; those of validation data are measured after the epoch,
/// where there is such data. Losses that are sums are divided by the samples.
struct epoch_record {
  double loss = 0;
  std::optional<double> validation_loss = std::nullopt;
  std::vector<measured> metrics = {};  ///< "accuracy", ..., then "validation_accuracy", ...
  double rate = 0;                     ///< of the last step
  double seconds = 0;                  ///< of training, without validation

  /// By name: "loss", "validation_loss", "rate", "seconds", or that of a metric. Throws
  /// domain_error, with the names that there are, for another one.
  double value(std::string_view name) const;
  /// The same; nothing for a name that it does not have.
  std::optional<double> find(std::string_view name) const;
  /// The names that it has a value for.
  std::vector<std::string> names() const;
};

using history = std::vector<epoch_record>;

/// The values of this name, one for each epoch. Throws as epoch_record::value() does.
std::vector<double> values_of(const history& past, std::string_view name);

}  // namespace nn
