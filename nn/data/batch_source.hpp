#pragma once
// Where training gets its batches. Whatever is random in an epoch is a function of the seed and of
// the number of the epoch, never of what was drawn before: a source that begins in the middle of
// epoch 7 hands out what one would have that never stopped.

#include <autodiff/tensor/tensor.hpp>

#include <nn/data/data.hpp>
#include <nn/network/init.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace nn {

/// Some samples of an epoch.
template <class T>
struct batch {
  autodiff::tensor<T> inputs;   ///< [n, features], or samples of another shape
  autodiff::tensor<T> targets;  ///< [n, outputs], the same
  /// Of each row, its number in the data set, counted from 0.
  std::vector<std::size_t> samples;

  std::size_t size() const noexcept { return samples.size(); }
};

template <class T>
class batch_source {
 public:
  virtual ~batch_source() = default;

  /// Samples of an epoch, and the batches that they come in; the last one may be shorter, or be
  /// left out with what it would have held.
  virtual std::size_t samples() const = 0;
  virtual std::size_t batches() const = 0;
  /// Entries of a row of the inputs and of the targets.
  virtual std::size_t features() const = 0;
  virtual std::size_t outputs() const = 0;

  /// The next batch is this one of this epoch. May be called at any time.
  virtual void begin(std::size_t epoch, std::size_t first_batch = 0) = 0;
  /// Puts the next batch into `into`; false, and nothing put, after the last one of the epoch.
  /// Before the first begin() it is that of epoch 0.
  virtual bool next(batch<T>& into) = 0;

  /// What decides which samples come in which batch, by name: "batch" = "64". A checkpoint keeps
  /// it, and a training with other settings does not go on from there.
  virtual std::map<std::string, std::string> settings() const { return {}; }
};

/// A data set in memory, in an order drawn anew for every epoch.
template <class T>
class memory_source : public batch_source<T> {
 public:
  /// Throws domain_error for a batch size of 0, shape_error unless inputs [n, ...] and
  /// targets [n, ...] have the same number of samples.
  memory_source(dataset<T> data, std::size_t batch, seed shuffle,
                nn::drop_last drop_last = nn::drop_last::no);

  std::size_t samples() const override { return batches_.samples(); }
  std::size_t batches() const override { return batches_.count(); }
  std::size_t features() const override;
  std::size_t outputs() const override;
  void begin(std::size_t epoch, std::size_t first_batch = 0) override;
  bool next(batch<T>& into) override;
  std::map<std::string, std::string> settings() const override;

 private:
  dataset<T> data_;
  std::size_t batch_;
  seed seed_;
  nn::drop_last drop_last_;
  nn::batches batches_;
  std::size_t next_ = 0;
};

}  // namespace nn
