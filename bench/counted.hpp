#pragma once

#include <cmath>
#include <cstddef>

namespace bench {

/// A double that counts the operations done on it, for figures per operation.
class counted {
 public:
  counted(double value = 0) : value_(value) {}
  double value() const { return value_; }

  static inline std::size_t operations = 0;

  friend counted operator+(counted a, counted b) { return count(a.value_ + b.value_); }
  friend counted operator-(counted a, counted b) { return count(a.value_ - b.value_); }
  friend counted operator*(counted a, counted b) { return count(a.value_ * b.value_); }
  friend counted operator/(counted a, counted b) { return count(a.value_ / b.value_); }
  friend counted operator-(counted a) { return count(-a.value_); }
  counted& operator+=(counted b) { return *this = *this + b; }
  counted& operator-=(counted b) { return *this = *this - b; }
  counted& operator*=(counted b) { return *this = *this * b; }
  counted& operator/=(counted b) { return *this = *this / b; }
  friend bool operator<(counted a, counted b) { return a.value_ < b.value_; }
  friend bool operator>(counted a, counted b) { return a.value_ > b.value_; }
  friend bool operator==(counted a, counted b) { return a.value_ == b.value_; }
  friend counted exp(counted x) { return count(std::exp(x.value_)); }
  friend counted log(counted x) { return count(std::log(x.value_)); }
  friend counted sqrt(counted x) { return count(std::sqrt(x.value_)); }
  friend counted sin(counted x) { return count(std::sin(x.value_)); }
  friend counted cos(counted x) { return count(std::cos(x.value_)); }
  friend counted tanh(counted x) { return count(std::tanh(x.value_)); }
  friend counted abs(counted x) { return count(std::fabs(x.value_)); }

 private:
  static counted count(double result) {
    ++operations;
    return result;
  }

  double value_;
};

}  // namespace bench
