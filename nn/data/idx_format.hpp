#pragma once
// The header of the IDX format, for whoever reads one: whole files, streams of rows.

#include <nn/data/byte_source.hpp>

#include <cstddef>
#include <vector>

namespace nn {

/// The extents, one per dimension; the values follow. Throws io_error for what is no IDX or has
/// other values than unsigned bytes.
std::vector<std::size_t> read_idx_header(byte_source& file);

}  // namespace nn
