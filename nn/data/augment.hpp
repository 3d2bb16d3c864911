#pragma once
// More images than there are: each is shifted by a random number of pixels, anew in every epoch.

#include <nn/data/batch_source.hpp>
#include <nn/network/init.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace nn {

/// How far an image moves, in pixels: down and to the right, where not below 0.
struct image_shift {
  std::ptrdiff_t down = 0, right = 0;
};

/// Uniform in -most .. most both ways; a function of seed, epoch and sample alone. Throws
/// domain_error for more than 2^32.
image_shift drawn_shift(seed seed, std::size_t epoch, std::size_t sample, std::size_t most);

/// Moves an image of rows x columns, row-major; what it leaves free becomes 0. Throws shape_error
/// when a span does not hold the image.
template <class T>
void shift_image(std::span<const T> from, std::span<T> to, std::size_t rows, std::size_t columns,
                 image_shift by);

struct shift_images {
  std::size_t rows, columns;  ///< of each image; one row of the inputs is one image
  std::size_t most = 2;       ///< pixels
};

/// The batches of another source, whose inputs are images, with each image shifted by drawn_shift.
template <class T>
class shifting_source : public batch_source<T> {
 public:
  /// The source is to outlive this and is not to be used beside it. Throws shape_error unless its
  /// rows have rows x columns entries, domain_error as drawn_shift.
  shifting_source(batch_source<T>& source, const shift_images& how, seed seed);

  std::size_t samples() const override { return source_.samples(); }
  std::size_t batches() const override { return source_.batches(); }
  std::size_t features() const override { return source_.features(); }
  std::size_t outputs() const override { return source_.outputs(); }
  void begin(std::size_t epoch, std::size_t first_batch = 0) override;
  bool next(batch<T>& into) override;
  std::map<std::string, std::string> settings() const override;

 private:
  batch_source<T>& source_;
  shift_images how_;
  seed seed_;
  std::size_t epoch_ = 0;
};

}  // namespace nn
