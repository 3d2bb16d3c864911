#include <nn/data/batch_source.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/indexing.hpp>

#include <fmt/format.h>

#include <functional>
#include <numeric>
#include <span>
#include <utility>

namespace nn {
namespace {

/// Entries of a row of [n, ...].
std::size_t row_size(const autodiff::shape& s) {
  return std::accumulate(s.begin() + 1, s.end(), std::size_t{1}, std::multiplies<>());
}

}  // namespace

template <class T>
memory_source<T>::memory_source(dataset<T> data, std::size_t batch, seed shuffle,
                                nn::drop_last drop_last)
    : data_(std::move(data)),
      batch_(batch),
      seed_(shuffle),
      drop_last_(drop_last),
      batches_(data_.size(), batch, shuffle, drop_last) {
  const auto &x = data_.inputs.shape(), &t = data_.targets.shape();
  if (x.rank() == 0 || t.rank() == 0 || x[0] != t[0]) {
    throw autodiff::shape_error(
        "memory_source",
        fmt::format("inputs {} and targets {}", autodiff::to_string(x), autodiff::to_string(t)),
        "pass inputs [n, ...] and targets [n, ...], a row for each sample");
  }
  batches_.shuffle(0);
}

template <class T>
std::size_t memory_source<T>::features() const {
  return row_size(data_.inputs.shape());
}
template <class T>
std::size_t memory_source<T>::outputs() const {
  return row_size(data_.targets.shape());
}

template <class T>
void memory_source<T>::begin(std::size_t epoch, std::size_t first_batch) {
  batches_.shuffle(epoch);
  next_ = first_batch;
}

template <class T>
bool memory_source<T>::next(batch<T>& into) {
  if (next_ >= batches_.count()) return false;
  const std::span<const std::size_t> rows = batches_[next_];
  into.inputs = autodiff::take_rows(data_.inputs, rows);
  into.targets = autodiff::take_rows(data_.targets, rows);
  into.samples.assign(rows.begin(), rows.end());
  ++next_;
  return true;
}

template <class T>
std::map<std::string, std::string> memory_source<T>::settings() const {
  return {{"batch", std::to_string(batch_)},
          {"shuffle_seed", std::to_string(seed_.value)},
          {"drop_last", drop_last_ == drop_last::yes ? "true" : "false"}};
}

template class memory_source<float>;
template class memory_source<double>;

}  // namespace nn
