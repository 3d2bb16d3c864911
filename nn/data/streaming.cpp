#include <nn/data/streaming.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nn {

template <class T>
streaming_source<T>::streaming_source(row_stream<T>& rows, std::size_t window, std::size_t batch,
                                      seed shuffle, nn::drop_last drop_last)
    : rows_(rows),
      window_(std::min(window, rows.samples())),
      batch_(batch),
      seed_(shuffle),
      drop_last_(drop_last),
      random_(shuffle.value) {
  if (window == 0 || batch == 0) {
    throw autodiff::domain_error("streaming_source",
                                 fmt::format("a window of {} and batches of {}", window, batch),
                                 "use at least 1 of both");
  }
  inputs_.resize(window_ * rows.features());
  targets_.resize(window_ * rows.outputs());
  samples_.reserve(window_);
}

template <class T>
std::size_t streaming_source<T>::samples() const {
  return std::min(rows_.samples(), batches() * batch_);
}

template <class T>
std::size_t streaming_source<T>::batches() const {
  const bool has_rest = rows_.samples() % batch_ != 0;
  return rows_.samples() / batch_ + (has_rest && drop_last_ == drop_last::no);
}

template <class T>
void streaming_source<T>::begin(std::size_t epoch, std::size_t first_batch) {
  samples_.clear();  // nothing is left of the last epoch, should the rows throw
  rows_.rewind();
  random_ = autodiff::generator(seed_.value, epoch);
  read_ = 0;
  has_begun_ = true;
  for (std::size_t slot = 0; slot < window_; ++slot) fill(slot);
  for (std::size_t b = 0; b < std::min(first_batch, batches()); ++b) {
    for (std::size_t i = 0; i < batch_ && !samples_.empty(); ++i) leave(draw());
  }
}

template <class T>
bool streaming_source<T>::next(batch<T>& into) {
  if (!has_begun_) begin(0);
  if (samples_.empty()) return false;
  const std::size_t n = std::min(batch_, rows_.samples() - read_ + samples_.size());
  if (n < batch_ && drop_last_ == drop_last::yes) {
    samples_.clear();
    return false;
  }
  auto inputs = autodiff::tensor<T>::undefined({n, features()}),
       targets = autodiff::tensor<T>::undefined({n, outputs()});
  T *x = inputs.mutable_values().data(), *t = targets.mutable_values().data();
  drawn_.clear();
  while (drawn_.size() < n) {
    const std::size_t slot = draw();
    const std::span<const T> from = input(slot), target_from = target(slot);
    x = std::copy(from.begin(), from.end(), x);
    t = std::copy(target_from.begin(), target_from.end(), t);
    drawn_.push_back(samples_[slot]);
    leave(slot);
  }
  into.inputs = std::move(inputs);
  into.targets = std::move(targets);
  into.samples.swap(drawn_);
  return true;
}

template <class T>
std::map<std::string, std::string> streaming_source<T>::settings() const {
  return {{"batch", std::to_string(batch_)},
          {"window", std::to_string(window_)},
          {"shuffle_seed", std::to_string(seed_.value)},
          {"drop_last", drop_last_ == drop_last::yes ? "true" : "false"}};
}

template <class T>
std::span<T> streaming_source<T>::input(std::size_t slot) {
  return std::span(inputs_).subspan(slot * features(), features());
}

template <class T>
std::span<T> streaming_source<T>::target(std::size_t slot) {
  return std::span(targets_).subspan(slot * outputs(), outputs());
}

/// Puts the next sample of the stream into a slot, or the one behind the last. An epoch whose
/// stream fails is over.
template <class T>
void streaming_source<T>::fill(std::size_t slot) {
  try {
    if (!rows_.next(input(slot), target(slot))) {
      throw autodiff::io_error(
          "streaming_source", fmt::format("{} samples where there were {}", read_, rows_.samples()),
          "do not change a file while it is read");
    }
  } catch (...) {
    samples_.clear();
    throw;
  }
  if (slot == samples_.size()) samples_.emplace_back();
  samples_[slot] = read_++;
}

template <class T>
std::size_t streaming_source<T>::draw() {
  return random_.below(samples_.size());
}

/// The sample in this slot has left the window.
template <class T>
void streaming_source<T>::leave(std::size_t slot) {
  if (read_ < rows_.samples()) {
    fill(slot);
    return;
  }
  const std::size_t last = samples_.size() - 1;
  if (slot != last) {
    const std::span<T> x = input(last), t = target(last);
    std::copy(x.begin(), x.end(), input(slot).begin());
    std::copy(t.begin(), t.end(), target(slot).begin());
    samples_[slot] = samples_[last];
  }
  samples_.pop_back();
}

template class streaming_source<float>;
template class streaming_source<double>;

}  // namespace nn
