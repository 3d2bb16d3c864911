#pragma once
// Other libraries that train networks, beside ours. Like peers of the scalar suite they announce
// themselves, each from a source file of its own.

#include <bench/problems/training.hpp>

#include <memory>
#include <string>
#include <vector>

namespace bench::peers {

class training_tool {
 public:
  virtual ~training_tool() = default;
  /// One step; gives the loss before it.
  virtual float step() = 0;
};

struct training_peer {
  std::string name;
  std::unique_ptr<training_tool> (*make)(const problems::training& t);
  /// The 2-3-2 network of problems/small_net.hpp.
  std::unique_ptr<training_tool> (*make_small)();
  void (*set_threads)(int threads);
};

inline std::vector<training_peer>& training_peers() {
  static std::vector<training_peer> peers;
  return peers;
}

}  // namespace bench::peers
