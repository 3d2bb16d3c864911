#pragma once
// Samples one after the other, from what may be larger than memory.

#include <cstddef>
#include <span>

namespace nn {

template <class T>
class row_stream {
 public:
  virtual ~row_stream() = default;

  virtual std::size_t samples() const = 0;
  /// Entries of a row of the inputs and of the targets.
  virtual std::size_t features() const = 0;
  virtual std::size_t outputs() const = 0;

  /// Begins again at the first sample.
  virtual void rewind() = 0;
  /// Puts the next sample into spans of these sizes; false, and nothing put, after the last one.
  virtual bool next(std::span<T> inputs, std::span<T> targets) = 0;
};

}  // namespace nn
