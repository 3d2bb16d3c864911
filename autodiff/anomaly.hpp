#pragma once
// Where a NaN or an infinity in a gradient came from. The record holds partials and the sweep
// leaves adjoints, which is enough to find the edge; what the statement was is noted while a tape
// watches.

#include <autodiff/walk.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

namespace autodiff {

/// How closely a tape looks at what it records.
enum class watching {
  off,
  report,  ///< statements with a NaN value, or an infinite or NaN partial, are noted
  strict,  ///< a NaN value or partial throws where it is recorded, and after a sweep every anomaly
  explained,  ///< as report, and what each statement and operation was is remembered: graph.hpp
};

/// What a sweep does with edges from a result on which the output does not depend.
enum class zero_adjoints {
  skip,       ///< whatever their partials are: 0 * sqrt(x) has slope 0 at x = 0
  propagate,  ///< 0 times a partial, by IEEE arithmetic: NaN where the partial is infinite
};

struct anomaly {
  enum class kind {
    recorded,    ///< the statement has a NaN value, or an infinite or NaN partial
    swept,       ///< a finite adjoint became infinite or NaN on this edge
    suppressed,  ///< the edge has an infinite or NaN partial, and was skipped: zero adjoint
  } what;
  std::uint64_t place;  ///< of the statement's result
  double value;         ///< of the result, where the statement was watched
  double partial;
  double adjoint;    ///< of the result
  const char* text;  ///< names the type of the expression; null where it was not watched
};

/// "sqrt(x1 * x2), which has the value 0 at place 2: a partial derivative is nan"
std::string to_string(const anomaly& a);
std::ostream& operator<<(std::ostream& out, const anomaly& a);

/// Throws domain_error with the first few unless there are none.
void require_no_anomalies(const std::vector<anomaly>& found);

/// The number inside nested number types.
constexpr double innermost(double x) { return x; }
template <class X>
requires requires(const X& x) { x.value(); }
constexpr double innermost(const X& x) { return innermost(x.value()); }

/// What a tape notes of statements while it watches them.
class statement_watch {
 public:
  watching mode = watching::off;

  /// Looks at the statement that is about to be recorded at `place`. Throws domain_error for a NaN
  /// when the watch is strict.
  template <class T>
  void note(std::uint64_t place, const spelled_statement<T>& s) {
    if (mode == watching::off) return;
    anomaly found{anomaly::kind::recorded, place, innermost(s.value), 0, 0, s.text};
    for (std::size_t i = 0; i < s.leaves; ++i) {
      const double partial = innermost(s.partials[i]);
      if (s.is_argument(i) && !std::isfinite(partial) && !std::isnan(found.partial)) {
        found.partial = partial;
      }
    }
    const bool odd = std::isnan(found.value) || std::isnan(found.partial);
    if (odd && mode == watching::strict) require_no_anomalies({found});
    if (odd || found.partial != 0) noted_.push_back(found);
  }
  /// Forgets the statements from this place on.
  void cut(std::uint64_t place) noexcept {
    while (!noted_.empty() && noted_.back().place >= place) noted_.pop_back();
  }
  /// In the order of places.
  const std::vector<anomaly>& noted() const noexcept { return noted_; }

 private:
  std::vector<anomaly> noted_;
};

/// Appends what the sweep between two positions met, to what was noted before, which stands in the
/// order of places. `adjoints` are those that it left.
template <class T>
void find_anomalies(const streams<T>& record, const position& from, const position& to,
                    std::span<const T> adjoints, std::vector<anomaly>& found) {
  const std::size_t noted = found.size();
  const auto text_at = [&](std::uint64_t place) {
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(noted);
    const auto at = std::ranges::lower_bound(found.begin(), end, place, {}, &anomaly::place);
    return at != end && at->place == place ? at->text : nullptr;
  };
  walk_back(record, from, to, [&](const entry<T>& e) {
    if (e.place >= adjoints.size()) return;
    const double weight = innermost(adjoints[e.place]);
    for (const T& each : e.partials) {
      const double partial = innermost(each);
      const bool skipped = weight == 0 && !std::isfinite(partial);
      const bool arose = std::isfinite(weight) && !std::isfinite(partial * weight);
      if (!skipped && !arose) continue;
      const auto what = skipped ? anomaly::kind::suppressed : anomaly::kind::swept;
      found.push_back({what, e.place, 0, partial, weight, text_at(e.place)});
    }
  });
}

}  // namespace autodiff
