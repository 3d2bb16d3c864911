#include <nn/data/array_rows.hpp>

#include <autodiff/error.hpp>

#include <nn/data/byte_source.hpp>
#include <nn/data/idx_format.hpp>
#include <nn/data/npy_format.hpp>
#include <nn/data/number_array.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace nn {
namespace {

namespace fs = std::filesystem;

struct file_format {
  std::string_view operation, kind;
  npy_header (*read_header)(byte_source&);
};

constexpr file_format npy_file{"npy_rows", ".npy file", read_npy_header};
constexpr file_format idx_file{
    "idx_rows", "IDX file", [](byte_source& source) {
      return npy_header{element_type::uint8, false, false, read_idx_header(source)};
    }};

/// The rows of one file.
class array_file {
 public:
  array_file(const file_format& format, fs::path path) : format_(format), path_(std::move(path)) {
    header_ = open();
    const std::string shape = printed(header_.extents);
    if (header_.extents.empty()) {
      source_->refuse("holds a single number", "give an array with a row per sample");
    }
    if (header_.fortran_order && header_.extents.size() > 1) {
      source_->refuse(fmt::format("holds {} in Fortran order, not row by row", shape),
                      "save it in C order: numpy.ascontiguousarray");
    }
    std::vector<std::size_t> row_extents(header_.extents.begin() + 1, header_.extents.end());
    const std::optional<std::size_t> features = product(row_extents);
    row_extents.push_back(size(header_.type));
    const std::optional<std::size_t> row_bytes = product(row_extents);
    row_extents.push_back(samples());
    const std::optional<std::size_t> all = product(row_extents);
    if (!features || !row_bytes || !all) {
      source_->refuse(fmt::format("claims {} values, more than any memory holds", shape),
                      fetch_again);
    }
    if (samples() > 0 && *features == 0) {
      source_->refuse(fmt::format("holds {}, rows with nothing in them", shape),
                      "give an array with a row per sample");
    }
    verify(*all, shape);
    // A row is no longer than the file, which has none if there are no samples.
    row_ = {header_.type, {*features}, std::vector<std::uint8_t>(samples() == 0 ? 0 : *row_bytes)};
    rewind();
  }

  std::size_t samples() const { return header_.extents[0]; }
  std::size_t features() const { return row_.extents[0]; }
  const npy_header& header() const { return header_; }
  const fs::path& path() const { return path_; }

  /// Begins again at the first row. Where this throws, there is none any more.
  void rewind() {
    left_ = 0;
    const npy_header now = open();
    if (now != header_) {
      source_->refuse(
          fmt::format("holds {} {} now, where it held {} {}", name(now.type), printed(now.extents),
                      name(header_.type), printed(header_.extents)),
          "do not change it while it is read");
    }
    left_ = samples();
  }

  /// Null after the last row.
  const number_array* next() {
    if (left_ == 0) return nullptr;
    const std::size_t row = samples() - left_ + 1;
    if (source_->read(row_.bytes) < row_.bytes.size()) {
      source_->refuse(fmt::format("ends in row {}", row), "do not change it while it is read");
    }
    to_native_order(header_, row_.bytes);
    row_.origin = fmt::format("\"{}\", row {}", path_.string(), row);
    --left_;
    return &row_;
  }

 private:
  npy_header open() {
    source_.emplace(format_.operation, path_, format_.kind);
    return format_.read_header(*source_);
  }
  void verify(std::size_t bytes, std::string_view shape) {
    std::array<std::uint8_t, std::size_t{1} << 16> block{};
    for (std::size_t left = bytes; left > 0;) {
      const std::size_t ask = std::min(left, block.size());
      const std::size_t got = source_->read(std::span(block).first(ask));
      left -= got;
      if (got < ask) refuse_truncated(*source_, shape, bytes, bytes - left);
    }
    require_end(*source_, bytes, shape);
  }

  const file_format& format_;
  fs::path path_;
  std::optional<input_file> source_;
  npy_header header_{};
  number_array row_;
  std::size_t left_ = 0;  // rows that are to come
};

template <class T>
void put_label(const number_array& row, std::span<T> to, std::string_view operation,
               const fs::path& path, std::size_t sample) {
  std::array<std::size_t, 1> label{};
  row.copy_to(std::span<std::size_t>(label));
  if (label[0] >= to.size()) {
    throw autodiff::shape_error(operation,
                                fmt::format("label {} of sample {} in \"{}\" with {} classes",
                                            label[0], sample, path.string(), to.size()),
                                "pass as many classes as there are labels");
  }
  std::fill(to.begin(), to.end(), T(0));
  to[label[0]] = 1;
}

}  // namespace

template <class T>
struct array_rows<T>::files {
  files(const file_format& format, const fs::path& input_path, const fs::path& target_path,
        T divided_by, std::size_t class_count)
      : operation(format.operation),
        inputs(format, input_path),
        targets(format, target_path),
        divisor(divided_by),
        classes(class_count) {
    const auto &x = inputs.header().extents, &t = targets.header().extents;
    if (x[0] == t[0] && (classes == 0 || t.size() == 1)) return;
    throw autodiff::shape_error(
        operation,
        fmt::format("{} holds inputs {} and {} targets {}", input_path.string(), printed(x),
                    target_path.string(), printed(t)),
        classes == 0 ? "pass a row of each for every sample" : "pass a label for every sample");
  }

  std::string_view operation;
  array_file inputs, targets;
  T divisor;
  std::size_t classes;  // 0: the targets are no labels
  std::size_t sample = 0;
};

template <class T>
array_rows<T>::array_rows(std::unique_ptr<files> both) : files_(std::move(both)) {}

template <class T>
array_rows<T>::~array_rows() = default;

template <class T>
std::size_t array_rows<T>::samples() const {
  return files_->inputs.samples();
}

template <class T>
std::size_t array_rows<T>::features() const {
  return files_->inputs.features();
}

template <class T>
std::size_t array_rows<T>::outputs() const {
  return files_->classes == 0 ? files_->targets.features() : files_->classes;
}

template <class T>
void array_rows<T>::rewind() {
  files_->inputs.rewind();
  files_->targets.rewind();
  files_->sample = 0;
}

template <class T>
bool array_rows<T>::next(std::span<T> inputs, std::span<T> targets) {
  const number_array *const x = files_->inputs.next(), *const t = files_->targets.next();
  if (!x || !t) return false;
  x->copy_to(inputs);
  if (files_->divisor != T(1)) {
    for (T& value : inputs) value /= files_->divisor;
  }
  if (files_->classes == 0) {
    t->copy_to(targets);
  } else {
    put_label(*t, targets, files_->operation, files_->targets.path(), files_->sample);
  }
  ++files_->sample;
  return true;
}

template <class T>
idx_rows<T>::idx_rows(const fs::path& images, const fs::path& labels, std::size_t classes)
    : array_rows<T>(std::make_unique<typename array_rows<T>::files>(idx_file, images, labels,
                                                                    T(255), classes)) {}

template <class T>
npy_rows<T>::npy_rows(const fs::path& inputs, const fs::path& targets, std::size_t classes)
    : array_rows<T>(std::make_unique<typename array_rows<T>::files>(npy_file, inputs, targets, T(1),
                                                                    classes)) {}

#define INSTANTIATE(T)          \
  template class array_rows<T>; \
  template class idx_rows<T>;   \
  template class npy_rows<T>;
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
