#pragma once
// Batches from what may be larger than memory. Samples pass through a window: each that leaves it
// is drawn at random, and the next one of the stream takes its place. A window as large as the data
// set shuffles it fully; one of 1 keeps its order.

#include <autodiff/random.hpp>

#include <nn/data/batch_source.hpp>
#include <nn/data/row_stream.hpp>
#include <nn/network/init.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace nn {

template <class T>
class streaming_source : public batch_source<T> {
 public:
  /// Holds `window` samples in memory. The rows are to outlive this and are not to be used beside
  /// it. Throws domain_error for a window or a batch size of 0.
  streaming_source(row_stream<T>& rows, std::size_t window, std::size_t batch, seed shuffle,
                   nn::drop_last drop_last = nn::drop_last::no);

  std::size_t samples() const override;
  std::size_t batches() const override;
  std::size_t features() const override { return rows_.features(); }
  std::size_t outputs() const override { return rows_.outputs(); }
  /// Reads the stream up to the first batch. Throws what the rows throw.
  void begin(std::size_t epoch, std::size_t first_batch = 0) override;
  /// Throws what the rows throw, io_error when they are no longer as many as at the beginning.
  bool next(batch<T>& into) override;
  std::map<std::string, std::string> settings() const override;

 private:
  std::span<T> input(std::size_t slot);
  std::span<T> target(std::size_t slot);
  void fill(std::size_t slot);
  std::size_t draw();
  void leave(std::size_t slot);

  row_stream<T>& rows_;
  std::size_t window_, batch_;
  seed seed_;
  nn::drop_last drop_last_;
  bool has_begun_ = false;
  autodiff::generator random_;
  std::vector<T> inputs_, targets_;   // of the samples in the window
  std::vector<std::size_t> samples_;  // their numbers
  std::vector<std::size_t> drawn_;    // the numbers of a batch in the making
  std::size_t read_ = 0;              // of the stream in this epoch
};

}  // namespace nn
