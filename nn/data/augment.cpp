#include <nn/data/augment.hpp>

#include <autodiff/error.hpp>
#include <autodiff/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nn {

image_shift drawn_shift(seed seed, std::size_t epoch, std::size_t sample, std::size_t most) {
  // Far beyond any image, and 2 most + 1 is still a number.
  constexpr std::size_t most_of_all = std::size_t{1} << 32;
  if (most > most_of_all) {
    throw autodiff::domain_error("drawn_shift", fmt::format("a shift of up to {} pixels", most),
                                 "shift by less than the images are wide");
  }
  // Other numbers than the order of the epoch is drawn from, should the seed be the same.
  constexpr std::uint64_t own = 0x5348494654ULL;
  const std::uint64_t of_epoch = autodiff::generator(seed.value ^ own, epoch)();
  autodiff::generator random(of_epoch, sample);
  const auto draw = [&] {
    return static_cast<std::ptrdiff_t>(random.below(2 * std::uint64_t{most} + 1)) -
           static_cast<std::ptrdiff_t>(most);
  };
  const std::ptrdiff_t down = draw();
  return {down, draw()};
}

template <class T>
void shift_image(std::span<const T> from, std::span<T> to, std::size_t rows, std::size_t columns,
                 image_shift by) {
  if (from.size() != rows * columns || to.size() != rows * columns) {
    throw autodiff::shape_error("shift_image",
                                fmt::format("an image of {} x {} in {} and {} pixels", rows,
                                            columns, from.size(), to.size()),
                                "pass all pixels of one image, and as many to write to");
  }
  // Along an axis, pixel i comes from i - by; `first` up to `last` are those that come from one.
  const auto range = [](std::size_t extent, std::ptrdiff_t shift) {
    const auto n = static_cast<std::ptrdiff_t>(extent);
    return std::pair{std::clamp<std::ptrdiff_t>(shift, 0, n),
                     shift >= 0 ? n : std::max<std::ptrdiff_t>(n + shift, 0)};
  };
  const auto [top, bottom] = range(rows, by.down);
  const auto [left, right] = range(columns, by.right);
  std::fill(to.begin(), to.end(), T(0));
  if (left >= right) return;
  const auto width = static_cast<std::ptrdiff_t>(columns);
  for (std::ptrdiff_t row = top; row < bottom; ++row) {
    const auto source = from.begin() + ((row - by.down) * width + left - by.right);
    std::copy(source, source + (right - left), to.begin() + (row * width + left));
  }
}

template <class T>
shifting_source<T>::shifting_source(batch_source<T>& source, const shift_images& how, seed seed)
    : source_(source), how_(how), seed_(seed) {
  if (source.features() != how.rows * how.columns) {
    throw autodiff::shape_error(
        "shifting_source",
        fmt::format("images of {} x {} in rows of {}", how.rows, how.columns, source.features()),
        "pass the rows and columns of the images");
  }
  drawn_shift(seed, 0, 0, how.most);  // throws now for one that is too large
}

template <class T>
void shifting_source<T>::begin(std::size_t epoch, std::size_t first_batch) {
  source_.begin(epoch, first_batch);
  epoch_ = epoch;
}

template <class T>
bool shifting_source<T>::next(batch<T>& into) {
  if (!source_.next(into)) return false;
  auto shifted = autodiff::tensor<T>::undefined(into.inputs.shape());
  const std::size_t pixels = features();
  const std::span<const T> from = into.inputs.values();
  const std::span<T> to = shifted.mutable_values();
  for (std::size_t i = 0; i < into.size(); ++i) {
    shift_image<T>(from.subspan(i * pixels, pixels), to.subspan(i * pixels, pixels), how_.rows,
                   how_.columns, drawn_shift(seed_, epoch_, into.samples[i], how_.most));
  }
  into.inputs = std::move(shifted);
  return true;
}

template <class T>
std::map<std::string, std::string> shifting_source<T>::settings() const {
  auto all = source_.settings();
  all["shift"] = std::to_string(how_.most);
  all["shift_seed"] = std::to_string(seed_.value);
  return all;
}

#define INSTANTIATE(T)                                                                  \
  template void shift_image(std::span<const T>, std::span<T>, std::size_t, std::size_t, \
                            image_shift);                                               \
  template class shifting_source<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
