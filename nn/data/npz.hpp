#pragma once
// Several arrays under names in one file: NumPy's .npz, a zip archive of .npy files.

#include <nn/data/number_array.hpp>

#include <filesystem>
#include <map>
#include <string>

namespace nn {

using named_arrays = std::map<std::string, number_array>;

enum class npz_entries {
  stored,    ///< as numpy.savez
  deflated,  ///< as numpy.savez_compressed
};

/// Reads all arrays of the archive. Memory grows with the bytes that it really has, of which
/// deflate makes 1,032 at most. Throws io_error: missing, unreadable or a directory; no zip
/// archive, or a damaged or encrypted one, or one whose entries overlap; an entry that is no .npy,
/// which the message names; a name that stands twice; a build without libzip.
named_arrays read_npz(const std::filesystem::path& path);
/// Writes it whole or not at all; the same arrays give the same bytes. Throws io_error when the
/// file cannot be written or a name is no UTF-8 text or too long, shape_error when an array has not
/// as many bytes as its extents say.
void write_npz(const std::filesystem::path& path, const named_arrays& arrays,
               npz_entries how = npz_entries::stored);

}  // namespace nn
