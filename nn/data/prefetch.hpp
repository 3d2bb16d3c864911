#pragma once
// The next batches are prepared on a thread of their own while the last one is learned from. The
// batches and their order are those of the source; only the waiting goes.

#include <nn/data/batch_source.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace nn {

template <class T>
class prefetching_source : public batch_source<T> {
 public:
  /// Keeps up to `ahead` batches ready. The source is to outlive this and is not to be used beside
  /// it. Throws domain_error for none ahead.
  explicit prefetching_source(batch_source<T>& source, std::size_t ahead = 2);
  prefetching_source(const prefetching_source&) = delete;
  prefetching_source& operator=(const prefetching_source&) = delete;
  /// Waits for the batch that is being prepared.
  ~prefetching_source() override;

  std::size_t samples() const override { return source_.samples(); }
  std::size_t batches() const override { return source_.batches(); }
  std::size_t features() const override { return source_.features(); }
  std::size_t outputs() const override { return source_.outputs(); }
  void begin(std::size_t epoch, std::size_t first_batch = 0) override;
  /// Throws what the source threw, where it threw it: after the batches before. Then the epoch is
  /// over until the next begin().
  bool next(batch<T>& into) override;
  std::map<std::string, std::string> settings() const override { return source_.settings(); }

 private:
  struct worker;

  batch_source<T>& source_;
  std::size_t ahead_;
  std::unique_ptr<worker> worker_;
};

}  // namespace nn
