#pragma once
// Numbers with guards on both sides.

#include <algorithm>
#include <cstddef>
#include <vector>

/// A stretch of n numbers: writing beyond either end is noticed.
template <class T>
class guarded {
 public:
  explicit guarded(std::size_t n) : numbers_(n + 2 * margin, T(12345)) {}
  T* data() { return numbers_.data() + margin; }
  T operator[](std::size_t i) const { return numbers_[margin + i]; }
  bool intact() const {
    const auto sound = [](T x) { return x == T(12345); };
    return std::all_of(numbers_.begin(), numbers_.begin() + margin, sound) &&
           std::all_of(numbers_.end() - margin, numbers_.end(), sound);
  }

 private:
  static constexpr std::ptrdiff_t margin = 32;
  std::vector<T> numbers_;
};
