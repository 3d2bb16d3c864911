#pragma once
// The IDX format of the MNIST files: two zero bytes, a type code, the rank, one big-endian 32-bit
// extent per dimension, then the values, last dimension fastest. Plain files and gzip files are
// told apart by their content. A file is either read whole and proven whole (lengths, checksum) or
// refused with a message that says what it holds instead.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace nn {

/// What an IDX file of unsigned bytes holds. values.size() is the product of the extents.
struct idx_array {
  std::vector<std::size_t> extents;  ///< one per dimension; a zero means no values
  std::vector<std::uint8_t> values;  ///< row-major
};

/// Reads an IDX file of unsigned bytes, of any rank from 1 to 255, plain or gzip.
/// Memory grows with the bytes that the file really has, whatever its header claims.
/// Throws autodiff::io_error: missing, unreadable or a directory; not IDX; values of another type
/// than unsigned byte; shorter or longer than its header says; damaged gzip.
idx_array read_idx(const std::filesystem::path& path);

/// Grey images, [n, rows, columns] (magic number 2051), 0 is background and 255 ink.
/// Throws autodiff::io_error as read_idx does, and where the rank is not 3.
idx_array read_idx_images(const std::filesystem::path& path);

/// Labels, [n] (magic number 2049).
/// Throws autodiff::io_error as read_idx does, and where the rank is not 1.
idx_array read_idx_labels(const std::filesystem::path& path);

}  // namespace nn
