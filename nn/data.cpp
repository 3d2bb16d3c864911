#include <nn/data.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/indexing.hpp>

#include <nn/idx.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace nn {

template <class T>
dataset<T> image_dataset(std::span<const std::uint8_t> images, std::span<const std::uint8_t> labels,
                         std::size_t classes) {
  if (images.empty() || labels.empty() || images.size() % labels.size() != 0) {
    throw autodiff::shape_error(
        "image_dataset", fmt::format("{} pixels for {} labels", images.size(), labels.size()),
        "pass as many labels as images, all images of one size");
  }
  const std::size_t n = labels.size();
  dataset<T> data;
  data.inputs = autodiff::tensor<T>(autodiff::shape{n, images.size() / n});
  std::transform(images.begin(), images.end(), data.inputs.mutable_values().begin(),
                 [](std::uint8_t grey) { return static_cast<T>(grey) / T(255); });
  const std::vector<std::size_t> indices(labels.begin(), labels.end());
  data.targets = autodiff::one_hot<T>(indices, classes);
  return data;
}

template <class T>
dataset<T> load_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                    std::size_t classes) {
  const idx_array pixels = read_idx_images(images);
  const idx_array digits = read_idx_labels(labels);
  if (pixels.extents[0] != digits.extents[0]) {
    throw autodiff::shape_error(
        "load_idx",
        fmt::format("{} holds {} images and {} holds {} labels", images.string(), pixels.extents[0],
                    labels.string(), digits.extents[0]),
        "pass the two files of one set");
  }
  return image_dataset<T>(pixels.values, digits.values, classes);
}

template <class T>
std::pair<dataset<T>, dataset<T>> split(const dataset<T>& data, std::size_t first, seed seed) {
  const auto &x = data.inputs.shape(), &t = data.targets.shape();
  if (x.rank() == 0 || t.rank() == 0 || x[0] != t[0]) {
    throw autodiff::shape_error(
        "split",
        fmt::format("inputs {} and targets {}", autodiff::to_string(x), autodiff::to_string(t)),
        "pass a row of each for every sample");
  }
  if (first > data.size()) {
    throw autodiff::shape_error("split",
                                fmt::format("{} samples asked for, {} there", first, data.size()),
                                "ask for fewer");
  }
  std::vector<std::size_t> order(data.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  autodiff::generator(seed.value).shuffle(std::span<std::size_t>(order));
  const auto part = [&](std::span<const std::size_t> rows) {
    return dataset<T>{autodiff::take_rows(data.inputs, rows),
                      autodiff::take_rows(data.targets, rows)};
  };
  const std::span<const std::size_t> all(order);
  return {part(all.first(first)), part(all.subspan(first))};
}

batches::batches(std::size_t samples, std::size_t batch, seed seed)
    : order_(samples), batch_(batch), random_(seed.value) {
  if (batch == 0) {
    throw autodiff::domain_error("batches", "a batch size of 0", "use at least 1");
  }
  std::iota(order_.begin(), order_.end(), std::size_t{0});
}

void batches::shuffle() { random_.shuffle(std::span<std::size_t>(order_)); }

std::size_t batches::count() const noexcept { return (order_.size() + batch_ - 1) / batch_; }

std::span<const std::size_t> batches::operator[](std::size_t i) const noexcept {
  const std::size_t from = i * batch_;
  return std::span(order_).subspan(from, std::min(batch_, order_.size() - from));
}

#define INSTANTIATE(T)                                                                            \
  template dataset<T> image_dataset(std::span<const std::uint8_t>, std::span<const std::uint8_t>, \
                                    std::size_t);                                                 \
  template dataset<T> load_idx(const std::filesystem::path&, const std::filesystem::path&,        \
                               std::size_t);                                                      \
  template std::pair<dataset<T>, dataset<T>> split(const dataset<T>&, std::size_t, seed);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
