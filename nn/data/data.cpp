#include <nn/data/data.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/indexing.hpp>

#include <nn/data/idx.hpp>
#include <nn/data/npy.hpp>
#include <nn/data/number_array.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>

namespace nn {
namespace {

/// [n, ...] -> [n, features]; [n] -> [n, 1].
void flatten_rows(number_array& array) {
  std::size_t features = 1;
  for (std::size_t axis = 1; axis < array.extents.size(); ++axis) features *= array.extents[axis];
  array.extents = {array.extents[0], features};
}

template <class T>
void require_rows(std::string_view operation, const dataset<T>& data) {
  const auto &x = data.inputs.shape(), &t = data.targets.shape();
  if (x.rank() > 0 && t.rank() > 0 && x[0] == t[0]) return;
  throw autodiff::shape_error(
      operation,
      fmt::format("inputs {} and targets {}", autodiff::to_string(x), autodiff::to_string(t)),
      "pass a row of each for every sample");
}

/// Puts 0, 1, ... there in a random order, the same for the same seed and epoch.
void draw_order(std::span<std::size_t> order, seed seed, std::size_t epoch) {
  std::iota(order.begin(), order.end(), std::size_t{0});
  autodiff::generator(seed.value, epoch).shuffle(order);
}

/// The class of each row of targets [n, outputs], counted from 0.
template <class T>
std::vector<std::size_t> classes_of(const autodiff::tensor<T>& targets) {
  const std::size_t n = targets.shape()[0], outputs = n == 0 ? 0 : targets.size() / n;
  std::vector<std::size_t> classes(n);
  std::map<T, std::size_t> numbers;  // for targets of one entry
  for (std::size_t i = 0; i < n; ++i) {
    const std::span<const T> row = targets.values().subspan(i * outputs, outputs);
    if (outputs > 1) {
      classes[i] = static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
      continue;
    }
    if (outputs == 0 || row[0] != std::trunc(row[0])) {
      throw autodiff::domain_error(
          "split",
          fmt::format("the target of sample {} is {}, which is no class", i,
                      outputs == 0 ? "empty" : fmt::format("{}", row[0])),
          "pass classes, one-hot or as whole numbers, or do without stratified");
    }
    classes[i] = numbers.emplace(row[0], numbers.size()).first->second;
  }
  return classes;
}

/// Takes `count` of the samples in `left` out of it, from each class its share: up to the last
/// sample of a class the rounded share of all so far, so that the sum is `count`.
std::vector<std::size_t> draw(std::vector<std::size_t>& left, std::span<const std::size_t> classes,
                              std::size_t count) {
  std::vector<std::size_t> shares;  // by class, at first all its samples
  for (const std::size_t sample : left) {
    shares.resize(std::max(shares.size(), classes[sample] + 1));
    ++shares[classes[sample]];
  }
  std::size_t seen = 0, given = 0;
  for (std::size_t& share : shares) {
    seen += share;
    const double up_to_here =
        static_cast<double>(count) * static_cast<double>(seen) / static_cast<double>(left.size());
    share = static_cast<std::size_t>(std::llround(up_to_here)) - given;
    given += share;
  }
  std::vector<std::size_t> drawn;
  const auto is_drawn = [&](std::size_t sample) {
    std::size_t& share = shares[classes[sample]];
    if (share == 0) return false;
    --share;
    drawn.push_back(sample);
    return true;
  };
  std::vector<std::size_t> rest;
  for (const std::size_t sample : left) {
    if (!is_drawn(sample)) rest.push_back(sample);
  }
  left = std::move(rest);
  return drawn;
}

}  // namespace

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
dataset<T> load_npy(const std::filesystem::path& inputs, const std::filesystem::path& targets,
                    std::size_t classes) {
  number_array x = read_npy(inputs), t = read_npy(targets);
  const auto has_rows = [](const number_array& array) {
    return !array.extents.empty() && (array.extents[0] == 0 || !array.bytes.empty());
  };
  if (!has_rows(x) || !has_rows(t) || x.extents[0] != t.extents[0]) {
    throw autodiff::shape_error(
        "load_npy",
        fmt::format("{} holds inputs {} and {} targets {}", inputs.string(), printed(x.extents),
                    targets.string(), printed(t.extents)),
        "pass a row of each for every sample");
  }
  flatten_rows(x);
  if (classes == 0) {
    flatten_rows(t);
    return {x.tensor<T>(), t.tensor<T>()};
  }
  if (t.extents.size() != 1) {
    throw autodiff::shape_error(
        "load_npy", fmt::format("labels {} in {}", printed(t.extents), targets.string()),
        "pass one label per sample, [n], or no number of classes");
  }
  const std::vector<std::size_t> labels = t.values<std::size_t>();
  return {x.tensor<T>(), autodiff::one_hot<T>(labels, classes)};
}

template <class T>
dataset<T> take_rows(const dataset<T>& data, std::span<const std::size_t> rows) {
  return {autodiff::take_rows(data.inputs, rows), autodiff::take_rows(data.targets, rows)};
}

template <class T>
std::pair<dataset<T>, dataset<T>> split(const dataset<T>& data, std::size_t first, seed seed) {
  require_rows("split", data);
  if (first > data.size()) {
    throw autodiff::shape_error("split",
                                fmt::format("{} samples asked for, {} there", first, data.size()),
                                "ask for fewer");
  }
  std::vector<std::size_t> order(data.size());
  draw_order(order, seed, 0);
  const std::span<const std::size_t> all(order);
  return {take_rows(data, all.first(first)), take_rows(data, all.subspan(first))};
}

template <class T>
split_data<T> split(const dataset<T>& data, const split_parts& parts, seed seed) {
  require_rows("split", data);
  if (!(parts.validation >= 0 && parts.test >= 0 && parts.validation + parts.test <= 1)) {
    throw autodiff::domain_error(
        "split", fmt::format("parts of {} and {} of the data", parts.validation, parts.test),
        "use fractions from 0 that leave some of 1 for training");
  }
  const std::size_t n = data.size();
  const std::vector<std::size_t> classes =
      parts.stratified ? classes_of(data.targets) : std::vector<std::size_t>(n, std::size_t{0});
  const auto share = [&](double fraction) {
    return static_cast<std::size_t>(std::llround(fraction * static_cast<double>(n)));
  };
  std::vector<std::size_t> left(n);
  draw_order(left, seed, 0);
  const std::vector<std::size_t> test = draw(left, classes, share(parts.test));
  const std::vector<std::size_t> validation =
      draw(left, classes, std::min(share(parts.validation), left.size()));
  return {take_rows<T>(data, left), take_rows<T>(data, validation), take_rows<T>(data, test)};
}

batches::batches(std::size_t samples, std::size_t batch, seed seed, nn::drop_last drop_last)
    : order_(samples), batch_(batch), seed_(seed), drop_last_(drop_last) {
  if (batch == 0) {
    throw autodiff::domain_error("batches", "a batch size of 0", "use at least 1");
  }
  std::iota(order_.begin(), order_.end(), std::size_t{0});
}

void batches::shuffle(std::size_t epoch) { draw_order(order_, seed_, epoch); }

std::size_t batches::count() const noexcept {
  const bool has_rest = order_.size() % batch_ != 0;
  return order_.size() / batch_ + (has_rest && drop_last_ == drop_last::no);
}

std::size_t batches::samples() const noexcept { return std::min(order_.size(), count() * batch_); }

std::span<const std::size_t> batches::operator[](std::size_t i) const noexcept {
  const std::size_t from = i * batch_;
  return std::span(order_).subspan(from, std::min(batch_, order_.size() - from));
}

#define INSTANTIATE(T)                                                                            \
  template dataset<T> image_dataset(std::span<const std::uint8_t>, std::span<const std::uint8_t>, \
                                    std::size_t);                                                 \
  template dataset<T> load_idx(const std::filesystem::path&, const std::filesystem::path&,        \
                               std::size_t);                                                      \
  template dataset<T> load_npy(const std::filesystem::path&, const std::filesystem::path&,        \
                               std::size_t);                                                      \
  template dataset<T> take_rows(const dataset<T>&, std::span<const std::size_t>);                 \
  template std::pair<dataset<T>, dataset<T>> split(const dataset<T>&, std::size_t, seed);         \
  template split_data<T> split(const dataset<T>&, const split_parts&, seed);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
