#pragma once
// The .npy format between a header and bytes, for whoever reads or writes it: files, entries of an
// archive, streams of rows.

#include <nn/data/byte_source.hpp>
#include <nn/data/number_array.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nn {

struct npy_header {
  element_type type;
  bool big_endian;
  bool fortran_order;  ///< first dimension fastest
  std::vector<std::size_t> extents;

  bool operator==(const npy_header&) const = default;
};

/// Throws io_error for what is no .npy or has other elements than numbers.
npy_header read_npy_header(byte_source& source);
/// Turns elements that have just been read into the byte order of this machine.
void to_native_order(const npy_header& header, std::span<std::uint8_t> bytes);

/// Header and values; the source is then at its end, which is verified.
number_array read_npy_array(byte_source& source);

/// Header of version 1.0 and values. Throws shape_error, naming the operation, when bytes are not
/// as many as the extents say.
std::string npy_text(std::string_view operation, const number_array& array);

}  // namespace nn
