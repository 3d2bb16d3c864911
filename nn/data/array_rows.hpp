#pragma once
// Samples from IDX and .npy files that may be larger than memory, row by row. Both files are read
// through once at the beginning, so that what they promise is true before anything is learned.

#include <nn/data/row_stream.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace nn {

/// Two files side by side: row i of the inputs belongs to row i of the targets. rewind() throws
/// io_error when a file is gone or another one has taken its place; no rows are left then.
template <class T>
class array_rows : public row_stream<T> {
 public:
  ~array_rows() override;

  std::size_t samples() const override;
  std::size_t features() const override;
  std::size_t outputs() const override;
  void rewind() override;
  bool next(std::span<T> inputs, std::span<T> targets) override;

 protected:
  struct files;

  explicit array_rows(std::unique_ptr<files> both);

 private:
  std::unique_ptr<files> files_;
};

/// Grey images and labels in IDX files, plain or gzip: pixels / 255, one-hot targets. Throws
/// io_error as read_idx does, shape_error when there are not as many labels as images, when a label
/// is not below classes.
template <class T>
class idx_rows : public array_rows<T> {
 public:
  idx_rows(const std::filesystem::path& images, const std::filesystem::path& labels,
           std::size_t classes = 10);
};

/// Arrays in .npy files, plain or gzip, as load_npy reads them. Throws io_error as read_npy does
/// and for arrays in Fortran order, whose rows are everywhere in the file; shape_error and
/// domain_error as load_npy.
template <class T>
class npy_rows : public array_rows<T> {
 public:
  npy_rows(const std::filesystem::path& inputs, const std::filesystem::path& targets,
           std::size_t classes = 0);
};

}  // namespace nn
