#pragma once
// Several outputs in one sweep. The record is read once and every place has N adjoints side by
// side, one lane an output: the rows of a Jacobian cost little more than one of them. Source:
// Griewank and Walther, Evaluating Derivatives (2008), section 3.2 (vector mode).

#include <autodiff/memory.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace autodiff {

/// N numbers side by side.
template <class T, std::size_t N>
struct lanes {
  std::array<T, N> at{};

  friend bool is_zero(const lanes& x) {
    return std::all_of(x.at.begin(), x.at.end(), [](const T& each) { return is_zero(each); });
  }
  lanes& operator+=(const lanes& other) {
    for (std::size_t i = 0; i < N; ++i) at[i] += other.at[i];
    return *this;
  }
  /// A lane with zero weight keeps its adjoint by selection: the partial may be infinite.
  friend void pull(lanes& adjoint, const T& partial, const lanes& weight) {
    for (std::size_t i = 0; i < N; ++i) {
      if (!is_zero(weight.at[i])) adjoint.at[i] += partial * weight.at[i];
    }
  }
};

/// The same in vector registers.
template <class T, std::size_t N>
requires(std::is_floating_point_v<T> && sizeof(T) <= 8 && N > 1 &&
         (N & (N - 1)) == 0) struct lanes<T, N> {
  using numbers [[gnu::vector_size(N * sizeof(T))]] = T;
  numbers at{};

  friend bool is_zero(const lanes& x) {
    bool zero = true;
    for (std::size_t i = 0; i < N; ++i) zero &= x.at[i] == T(0);
    return zero;
  }
  lanes& operator+=(const lanes& other) {
    at += other.at;
    return *this;
  }
  [[gnu::always_inline]] friend void pull(lanes& adjoint, const T& partial, const lanes& weight) {
    const auto asked = weight.at != numbers{};
    const auto share = __builtin_bit_cast(decltype(asked), weight.at * partial) & asked;
    adjoint.at += __builtin_bit_cast(numbers, share);
  }
};

namespace lanes_errors {
[[noreturn]] void too_many(std::size_t outputs, std::size_t lanes);
[[noreturn]] void out_of_memory(std::size_t bytes, std::size_t size);
[[noreturn]] void no_lane(std::size_t lane, std::size_t lanes);
[[noreturn]] void rewound();
}  // namespace lanes_errors

/// The adjoints of up to N outputs of one tape. Reuse it between sweeps: it keeps its memory.
template <class T, std::size_t N>
class adjoint_lanes {
 public:
  /// Throws memory_error when the system grants no address space.
  explicit adjoint_lanes(basic_tape<T>& tape) : tape_(tape) {}
  ~adjoint_lanes() { memory_.touched(places_ * sizeof(lanes<T, N>)); }
  adjoint_lanes(const adjoint_lanes&) = delete;
  adjoint_lanes& operator=(const adjoint_lanes&) = delete;

  /// Sweeps from at most N outputs at once, lane i from outputs[i]. The lane of a passive output
  /// stays zero. The tape's own adjoints stay as they were, unless it holds tensor operations: then
  /// it sweeps once an output. Zero adjoints are skipped, whatever the tape does with its own, and
  /// a strict tape does not look at lanes. Throws tape_error for an output of another tape,
  /// shape_error for more than N outputs, memory_error where the lanes do not fit.
  void backward(std::span<const basic_var<T>> outputs) {
    if (outputs.size() > N) lanes_errors::too_many(outputs.size(), N);
    for (const basic_var<T>& y : outputs) {
      if (y.is_recorded()) tape_.place(y.tag(), "backward");
    }
    const position from = tape_.end();
    if (from.places * sizeof(lanes<T, N>) > memory_.size()) {
      lanes_errors::out_of_memory(from.places * sizeof(lanes<T, N>), memory_.size());
    }
    memory_.touched(places_ * sizeof(lanes<T, N>));
    places_ = from.places;
    rewinds_ = tape_.rewinds();
    std::fill_n(all(), places_, lanes<T, N>{});
    if (from.operations > 0) {
      sweep_one_by_one(outputs);
      return;
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].is_recorded()) {
        all()[tape_.place(outputs[i].tag(), "backward")].at[i] += T(1);
      }
    }
    sweep(tape_, tape_.record(), from, position{}, all());
  }

  /// The adjoints of x after the last backward, one a lane. Throws tape_error when x is passive, of
  /// another tape, was recorded after it, or the tape was rewound since.
  const lanes<T, N>& adjoints(const basic_var<T>& x) const {
    const std::uint32_t place = tape_.place(x.tag(), "adjoint");
    if (place >= places_ || rewinds_ != tape_.rewinds()) [[unlikely]] {
      if (places_ == 0) tape_errors::no_sweep_yet("adjoint");
      if (rewinds_ != tape_.rewinds()) lanes_errors::rewound();
      tape_errors::recorded_after_sweep("adjoint");
    }
    return all()[place];
  }
  /// One of them. Throws shape_error for a lane beyond the last.
  T adjoint(const basic_var<T>& x, std::size_t lane) const {
    if (lane >= N) lanes_errors::no_lane(lane, N);
    return adjoints(x).at[lane];
  }

 private:
  void sweep_one_by_one(std::span<const basic_var<T>> outputs) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].is_recorded()) continue;
      tape_.backward(outputs[i]);
      for (std::uint64_t place = 0; place < places_; ++place) {
        all()[place].at[i] = tape_.adjoint_at(static_cast<std::uint32_t>(place));
      }
    }
  }
  lanes<T, N>* all() const noexcept { return reinterpret_cast<lanes<T, N>*>(memory_.data()); }

  basic_tape<T>& tape_;
  reserved_memory memory_;
  std::uint64_t places_ = 0, rewinds_ = 0;
};

}  // namespace autodiff
