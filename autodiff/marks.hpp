#pragma once
// What a tape knows about being rewound: which marks stand, and in the checked build which places
// were given up.

#include <autodiff/sweep.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace autodiff {

/// A position in the record of a tape, to rewind or to sweep to.
struct tape_mark : position {
  std::size_t states = 0, blocks = 0;
  tag_type tape = 0;
  std::uint32_t serial = 0;
};

/// The marks of a tape that still hold. A mark is known by where it stands and by a serial number,
/// because what stood there may have been rewound and recorded again.
class standing_marks {
 public:
  /// Sets a mark at the present end of the record, unless one stands there already: marking in a
  /// loop takes no memory. Gives its serial number.
  std::uint32_t set(std::size_t codes) {
    if (!is_set(codes)) marks_.push_back({codes, ++serial_});
    return marks_.back().serial;
  }
  /// Whether there is a mark at the present end of the record.
  bool is_set(std::size_t codes) const noexcept {
    return !marks_.empty() && marks_.back().codes == codes;
  }
  /// Whether this mark was set and is not forgotten. The start of the record always is a mark.
  bool holds(std::size_t codes, std::uint32_t serial) const {
    if (codes == 0) return true;
    // By codes, which stay in order when the serial numbers start again at 0.
    const auto at = std::ranges::lower_bound(marks_, codes, {}, &mark::codes);
    return at != marks_.end() && at->codes == codes && at->serial == serial;
  }
  /// Forgets the marks after this end of the record.
  void cut(std::size_t codes) noexcept {
    while (!marks_.empty() && marks_.back().codes > codes) marks_.pop_back();
  }

 private:
  struct mark {
    std::size_t codes;
    std::uint32_t serial;
  };
  std::vector<mark> marks_;  // ascending
  std::uint32_t serial_ = 0;
};

/// The places that a tape gave up, rewind by rewind. In the checked build nothing else is recorded
/// there, so that a variable from before a rewind is told from a new one.
class graves {
 public:
  /// Buries the places [from, to), and with them the graves that begin there.
  void bury(std::uint64_t from, std::uint64_t to) {
    while (!graves_.empty() && graves_.back().from >= from) graves_.pop_back();
    if (from < to) graves_.push_back({from, to});
  }
  /// Where the grave of this place begins: what the tape was rewound to. Nothing for a place that
  /// is in use.
  std::optional<std::uint64_t> find(std::uint64_t place) const {
    const auto after = std::ranges::upper_bound(graves_, place, {}, &grave::from);
    if (after == graves_.begin() || place >= after[-1].to) return std::nullopt;
    return after[-1].from;
  }

 private:
  struct grave {
    std::uint64_t from, to;
  };
  std::vector<grave> graves_;  // ascending, apart from each other
};

}  // namespace autodiff
