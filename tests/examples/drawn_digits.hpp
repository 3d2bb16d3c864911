#pragma once
// Handwritten digits without a data set: each digit is a few pen strokes through control points, in
// several ways people write it. The points are shaken, slanted, turned, stretched and bent, the
// strokes inked with pens of different widths, and the paper is dirty. A linear classifier stays
// well below a network with a hidden layer on them, as on real handwriting.

#include <cstddef>
#include <cstdint>
#include <vector>

struct drawn_digits {
  std::vector<std::uint8_t> images;  ///< [n, 28, 28], 0 is paper and 255 ink
  std::vector<std::uint8_t> labels;  ///< [n], 0 to 9; every block of ten holds each digit once
};

/// Draws n digits. The same seed gives the same bytes on every machine, and the first k of n digits
/// are the digits that draw_digits(k, seed) gives.
drawn_digits draw_digits(std::size_t n, std::uint64_t seed);
