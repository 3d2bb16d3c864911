#pragma once
// Other libraries that train a classifier for an epoch, beside ours. They announce themselves, each
// from a source file of its own.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace bench::peers {

/// Samples as rows, and a network 784-128-10, relu, for softmax cross-entropy and adam.
struct epoch_problem {
  std::span<const float> inputs;  // [samples, widths.front()]
  std::vector<std::size_t> labels;
  std::vector<std::size_t> widths;
  std::size_t batch;
};

/// What an epoch measured.
struct epoch_result {
  double loss, accuracy;
};

class epoch_tool {
 public:
  virtual ~epoch_tool() = default;
  /// All samples in a new order, batch by batch: shuffled, learned, loss and accuracy measured.
  virtual epoch_result epoch() = 0;
};

struct epoch_peer {
  std::string name;
  std::unique_ptr<epoch_tool> (*make)(const epoch_problem& p);
};

inline std::vector<epoch_peer>& epoch_peers() {
  static std::vector<epoch_peer> peers;
  return peers;
}

}  // namespace bench::peers
