#pragma once
// What the tests of batch sources hold them to.

#include <autodiff/tensor/tensor.hpp>
#include <nn/data/batch_source.hpp>

#include <cstddef>
#include <vector>

/// n samples, told apart by their first feature and their target: i and 10 i.
inline nn::dataset<double> numbered_samples(std::size_t n) {
  nn::dataset<double> data{autodiff::tensor<double>(autodiff::shape{n, 2}),
                           autodiff::tensor<double>(autodiff::shape{n, 1})};
  for (std::size_t i = 0; i < n; ++i) {
    data.inputs.mutable_values()[2 * i] = static_cast<double>(i);
    data.inputs.mutable_values()[2 * i + 1] = -1;
    data.targets.mutable_values()[i] = 10 * static_cast<double>(i);
  }
  return data;
}

/// The numbers in the batches that are left of the epoch; empty where rows, targets or the numbers
/// of samples parted.
inline std::vector<std::vector<std::size_t>> rest_of_epoch(nn::batch_source<double>& source) {
  std::vector<std::vector<std::size_t>> epoch;
  for (nn::batch<double> b; source.next(b);) {
    const std::size_t n = b.samples.size();
    if (b.inputs.shape() != autodiff::shape{n, 2} || b.targets.shape() != autodiff::shape{n, 1}) {
      return {};
    }
    for (std::size_t i = 0; i < n; ++i) {
      const auto number = static_cast<double>(b.samples[i]);
      if (b.inputs.value(i, 0) != number || b.targets.value(i, 0) != 10 * number) return {};
    }
    epoch.push_back(b.samples);
  }
  return epoch;
}

inline std::vector<std::vector<std::size_t>> epoch_of(nn::batch_source<double>& source,
                                                      std::size_t epoch,
                                                      std::size_t first_batch = 0) {
  source.begin(epoch, first_batch);
  return rest_of_epoch(source);
}

/// All samples of an epoch, one list.
inline std::vector<std::size_t> joined(const std::vector<std::vector<std::size_t>>& epoch) {
  std::vector<std::size_t> all;
  for (const auto& one : epoch) all.insert(all.end(), one.begin(), one.end());
  return all;
}
