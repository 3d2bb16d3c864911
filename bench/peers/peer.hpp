#pragma once
// Other tools beside ours. Each has an adaptor in a source file of its own, so that neither its
// macros nor its warnings reach anybody else, and announces itself there; the build takes the
// adaptors whose packages are installed.

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <bench/problems/list.hpp>

namespace bench::peers {

/// The derivatives of one problem by one tool.
class derivatives {
 public:
  virtual ~derivatives() = default;
  /// Sets the inputs, records, sweeps, reads, and leaves the tape as the next call wants it.
  virtual void compute() = 0;
  /// Row by row, of the last compute().
  virtual const std::vector<double>& values() const = 0;
  /// Of the tape of the last compute(), without adjoints; NaN where the tool does not tell.
  virtual double bytes() const = 0;
};

struct peer {
  std::string name;
  /// The problem has to outlive what is made.
  std::unique_ptr<derivatives> (*make)(const problems::problem& p);
};

/// The adaptors there are, and the Debian packages that their tools come in.
struct known_peer {
  std::string_view adaptor, packages;
};
inline constexpr std::array<known_peer, 4> known{{
    {"adolc", "libadolc-dev"},
    {"sacado", "libtrilinos-sacado-dev libtrilinos-kokkos-dev"},
    {"stan", "r-cran-stanheaders libeigen3-dev"},
    {"tmbad", "r-cran-tmb libeigen3-dev"},
}};

/// Those in this program.
inline std::vector<peer>& all() {
  static std::vector<peer> peers;
  return peers;
}
inline bool is_here(std::string_view name) {
  return std::any_of(all().begin(), all().end(), [&](const peer& p) { return p.name == name; });
}

/// A global variable of this type makes Tool<Problem> known, which is constructed from a Problem.
template <template <class Problem> class Tool>
struct announced {
  explicit announced(std::string name) {
    const auto make = [](const problems::problem& p) {
      return std::visit(
          [](const auto& posed) -> std::unique_ptr<derivatives> {
            return std::make_unique<Tool<std::decay_t<decltype(posed)>>>(posed);
          },
          p);
    };
    all().push_back({std::move(name), make});
  }
};

/// What all adaptors keep: the problem, its inputs and the derivatives, [outputs, inputs].
template <class Problem>
class on_problem : public derivatives {
 public:
  explicit on_problem(const Problem& problem) : problem_(problem), x_(problem.start()) {}
  const std::vector<double>& values() const override { return values_; }

 protected:
  std::vector<double>& resized_values(std::size_t outputs) {
    values_.resize(outputs * x_.size());
    return values_;
  }

  const Problem& problem_;
  const std::vector<double> x_;

 private:
  std::vector<double> values_;
};

}  // namespace bench::peers
