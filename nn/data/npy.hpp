#pragma once
// Arrays in NumPy's .npy format. Source: NumPy Enhancement Proposal 1, "A simple file format for
// NumPy arrays", versions 1.0 to 3.0 of the header.

#include <nn/data/number_array.hpp>

#include <filesystem>

namespace nn {

/// Reads an array of any shape, in either byte order, C or Fortran order; the file may be gzip.
/// Memory grows with the bytes that the file really has, whatever its header claims.
/// Throws io_error: missing, unreadable or a directory; not .npy; elements that are no numbers, or
/// complex ones; shorter or longer than its header says.
number_array read_npy(const std::filesystem::path& path);
/// Writes it in C order and the byte order of this machine, whole or not at all. Throws io_error
/// when the file cannot be written, shape_error when bytes are not as many as the extents say.
void write_npy(const std::filesystem::path& path, const number_array& array);

}  // namespace nn
