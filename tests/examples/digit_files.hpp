#pragma once
// Images of handwritten digits for the examples.

#include <nn/data/data.hpp>

#include <filesystem>

/// 10,000 images of MNIST, or the 60,000, from IDX files in this folder, plain or gzip. With no
/// folder that of the project's data is tried, and then digits are drawn, fewer where it is to be
/// quick. Says what it took. Throws io_error for a folder without such files.
nn::dataset<float> load_digits(const std::filesystem::path& folder, bool quick);
