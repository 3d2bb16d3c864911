#pragma once
// The reverse sweep: one walk over the record, newest entry first. A record whose result has the
// adjoint w adds w * partial to the adjoint of each of its arguments. Source: Griewank and Walther,
// Evaluating Derivatives (2008), section 3.2.

#include <autodiff/recorder.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace autodiff {

/// A record with a sweep of its own: a tensor operation or a bridge between tensors and scalars.
template <class T>
class operation {
 public:
  virtual ~operation() = default;
  /// Adds this record's share to the adjoints of its arguments. `place` is the first of the scalar
  /// places that the record owns.
  virtual void sweep(basic_tape<T>& tape, std::uint32_t place) = 0;
  /// Forgets the adjoint, before a new sweep.
  virtual void clear() noexcept {}

  /// Number of consecutive scalar places that this record owns.
  std::uint32_t places = 0;
  /// Told from every earlier record of the tape, also from those that were rewound.
  std::uint32_t serial = 0;
};

/// How far the record had come at some point.
struct position {
  std::size_t arguments = 0, codes = 0, operations = 0;
  std::uint64_t places = 0;
};

/// The streams of a tape, to be read from any position.
template <class T>
struct streams {
  const T* partials;
  const std::uint32_t* arguments;
  const std::uint8_t* codes;
  operation<T>* const* operations;
};

/// One edge. Overloaded for several adjoints side by side (lanes.hpp).
template <class T>
[[gnu::always_inline]] inline void pull(T& adjoint, const T& partial, const T& weight) {
  adjoint += partial * weight;
}

/// Vectors at any address. Four doubles at once only where the CPU has registers for them:
/// elsewhere the compiler would build them in memory.
template <std::floating_point T>
struct vectors {
#ifdef __AVX__
  static constexpr std::size_t width = 4;
#else
  static constexpr std::size_t width = 2;
#endif
  using numbers [[gnu::vector_size(width * sizeof(T)), gnu::aligned(alignof(T)), gnu::may_alias]] =
      T;
  using four_places [[gnu::vector_size(16), gnu::aligned(alignof(std::uint32_t)), gnu::may_alias]] =
      std::uint32_t;
};

/// Whether the four codes from `codes` on are all this one.
[[gnu::always_inline]] inline bool all_are(const std::uint8_t* codes, std::size_t kind) noexcept {
  std::uint32_t found;
  std::memcpy(&found, codes, sizeof found);
  return found == kind * 0x01010101u;
}

/// Whether all bits of four places are 0.
template <class Places>
[[gnu::always_inline]] inline bool all_zero(Places four) noexcept {
#ifdef __SSE4_1__
  using halves [[gnu::vector_size(16)]] = long long;
  return __builtin_ia32_ptestz128(reinterpret_cast<halves>(four), reinterpret_cast<halves>(four));
#else
  std::uint64_t halves[2];
  std::memcpy(halves, &four, sizeof halves);
  return (halves[0] | halves[1]) == 0;
#endif
}

/// Whether four adjoints are +0, as those are that nothing has been added to.
template <std::floating_point T>
[[gnu::always_inline]] inline bool untouched(const T* four) noexcept {
  std::uint64_t words[4 * sizeof(T) / 8];
  std::memcpy(words, four, sizeof words);
  std::uint64_t bits = 0;
  for (const std::uint64_t word : words) bits |= word;
  return bits == 0;
}

/// Adds what four records of two arguments have for the first (K = 0) or second (K = 1) one: to
/// four neighbours, or all to the same place.
template <std::size_t K, std::floating_point T>
[[gnu::always_inline]] inline void pull_column(T* to, const T* partials, T weight,
                                               bool neighbours) {
  if (!neighbours) {
    *to += ((partials[K] + partials[2 + K]) + (partials[4 + K] + partials[6 + K])) * weight;
    return;
  }
  using numbers = typename vectors<T>::numbers;
  constexpr std::size_t width = vectors<T>::width;
  for (std::size_t i = 0; i < 4; i += width) {
    const numbers low = *reinterpret_cast<const numbers*>(partials + 2 * i);
    const numbers high = *reinterpret_cast<const numbers*>(partials + 2 * i + width);
    numbers& sums = *reinterpret_cast<numbers*>(to + i);
    if constexpr (width == 4)
      sums += __builtin_shufflevector(low, high, K, 2 + K, 4 + K, 6 + K) * weight;
    else
      sums += __builtin_shufflevector(low, high, K, 2 + K) * weight;
  }
}

/// Four records of two arguments that share one adjoint. In a loop over arrays, the first arguments
/// of successive records are neighbours or the same, and the second ones: then they are updated
/// together. Returns false, and does nothing, where an argument stands at `bound` or after it.
template <std::floating_point T>
[[gnu::always_inline]] inline bool pull_four(T* adjoints, const T* partials,
                                             const std::uint32_t* arguments, T weight,
                                             std::uint32_t bound) {
  using places = typename vectors<T>::four_places;
  const places first_two = *reinterpret_cast<const places*>(arguments);
  const places last_two = *reinterpret_cast<const places*>(arguments + 4);
  const places limit{bound, bound, bound, bound};
  if (!all_zero((first_two >= limit) | (last_two >= limit))) return false;
  const places first = __builtin_shufflevector(first_two, first_two, 0, 1, 0, 1);
  const places second = __builtin_shufflevector(first_two, first_two, 2, 3, 2, 3);
  const places step = second - first;
  // Third and fourth stand one and two steps after the second; a step is 0 or 1.
  const places apart = (last_two - second - step) ^ (step & places{0, 0, ~0u, ~0u});
  if (all_zero(apart | (step >> 1))) {
    const std::uint32_t a = arguments[0], b = arguments[1];
    const bool step_a = arguments[2] != a, step_b = arguments[3] != b;
    pull_column<0>(adjoints + a, partials, weight, step_a);
    pull_column<1>(adjoints + b, partials, weight, step_b);
  } else {
    for (std::size_t i = 0; i < 8; ++i) adjoints[arguments[i]] += partials[i] * weight;
  }
  return true;
}

/// Sweeps the records between two positions. `adjoints` holds one Adjoint per place, the seeds
/// already in: a number, or several side by side where no record is an operation.
template <class T, class Adjoint, class Local = void>
void sweep(basic_tape<T>& tape, const streams<T>& record, const position& from, const position& to,
           Adjoint* const adjoints) {
  constexpr bool numbers = std::is_floating_point_v<T>;
  const T* partials = record.partials + from.arguments;
  const std::uint32_t* arguments = record.arguments + from.arguments;
  const std::uint8_t* code = record.codes + from.codes;
  const std::uint8_t* const oldest = record.codes + to.codes;
  operation<T>* const* operations_end = record.operations + from.operations;
  Adjoint* at = adjoints + from.places;
  const auto pull_each = [&]<std::size_t... I>(const Adjoint& weight, std::index_sequence<I...>)
      __attribute__((always_inline)) {
    (pull(adjoints[arguments[I]], partials[I], weight), ...);
  };
  // Records of N arguments, N known to the compiler. Zero means that the output does not depend on
  // a result: it is skipped by selection, because its partials may be infinite.
  const auto plain = [&]<std::size_t N>(std::integral_constant<std::size_t, N>)
      __attribute__((always_inline)) {
    partials -= N;
    arguments -= N;
    const Adjoint weight = *--at;
    if (!is_zero(weight)) pull_each(weight, std::make_index_sequence<N>());
  };
  // As many records of a run as go in fours. Where nothing else reads the sums between, they have
  // the same adjoint.
  const auto pull_fours = [&](std::size_t kind, const Adjoint& weight)
      __attribute__((always_inline)) {
    if constexpr (std::floating_point<Adjoint>) {
      while (code - oldest > 4 && !is_zero(weight) && all_are(code - 4, kind) &&
             untouched(at - 4) &&
             pull_four(adjoints, partials - 8, arguments - 8, weight,
                       static_cast<std::uint32_t>(at - 4 - adjoints))) {
        code -= 4;
        at -= 4;
        partials -= 8;
        arguments -= 8;
        for (std::size_t i = 0; i < 4; ++i) at[i] = weight;
      }
    }
  };
  // A run of equal records that carry into each other, a sum that grew term by term: the adjoint of
  // each place stays in a register for the next.
  const auto run = [&]<std::size_t N>(std::size_t kind, std::integral_constant<std::size_t, N>)
      __attribute__((always_inline)) {
    Adjoint weight = *--at;
    while (true) {
      if constexpr (N == 2) pull_fours(kind, weight);
      partials -= N;
      arguments -= N;
      if (!is_zero(weight)) pull_each(weight, std::make_index_sequence<N>());
      weight += at[-1];
      at[-1] = weight;
      if (code == oldest || code[-1] != kind) return;
      --code;
      --at;
    }
  };
  // Any record of arguments.
  const auto general = [&](std::size_t kind) {
    const bool is_long = kind == tape_code::long_record;
    if (is_long) --partials;
    const std::size_t count = is_long ? *--arguments : kind & (tape_code::carry - 1u);
    partials -= count;
    arguments -= count;
    const Adjoint weight = *--at;
    if (!is_zero(weight)) {
      for (std::size_t i = 0; i < count; ++i) pull(adjoints[arguments[i]], partials[i], weight);
    }
    if (!is_long && kind >= tape_code::carry) at[-1] += weight;
  };
  // A run of operations, as a network records them.
  const auto operations = [&](std::size_t kind) __attribute__((always_inline)) {
    while (true) {
      operation<T>& swept = **--operations_end;
      if (kind == tape_code::operation) {
        at -= swept.places;
        if constexpr (std::same_as<Adjoint, T>)
          swept.sweep(tape, static_cast<std::uint32_t>(at - adjoints));
      }
      if (code == oldest || code[-1] < tape_code::leaf) return;
      kind = *--code;
    }
  };
  while (code != oldest) {
    const std::size_t kind = *--code;
    // Written out for numbers alone: of a nested type each += is a statement on the inner tape.
    if constexpr (numbers) {
      switch (kind) {
        case 1: plain(std::integral_constant<std::size_t, 1>{}); continue;
        case 2: plain(std::integral_constant<std::size_t, 2>{}); continue;
        case 3: plain(std::integral_constant<std::size_t, 3>{}); continue;
        case 4: plain(std::integral_constant<std::size_t, 4>{}); continue;
        case tape_code::carry + 1: run(kind, std::integral_constant<std::size_t, 1>{}); continue;
        case tape_code::carry + 2: run(kind, std::integral_constant<std::size_t, 2>{}); continue;
        case tape_code::carry + 3: run(kind, std::integral_constant<std::size_t, 3>{}); continue;
        default: break;
      }
    }
    if (kind == tape_code::inputs) {
      --partials;
      at -= *--arguments;
    } else if (kind >= tape_code::leaf) {
      operations(kind);
    } else {
      general(kind);
    }
  }
}

/// The same between positions of equal numbers of arguments: there are operations alone, because
/// every statement and every block of inputs has an argument.
template <class T>
void sweep_operations(basic_tape<T>& tape, const streams<T>& record, const position& from,
                      const position& to) {
  const std::uint8_t* code = record.codes + from.codes;
  operation<T>* const* youngest = record.operations + from.operations;
  operation<T>* const* const oldest = record.operations + to.operations;
  std::uint64_t place = from.places;
  while (youngest != oldest) {
    operation<T>& swept = **--youngest;
    if (*--code == tape_code::leaf) continue;
    place -= swept.places;
    swept.sweep(tape, static_cast<std::uint32_t>(place));
  }
}

using scalar_sweep = void(basic_tape<double>& tape, const streams<double>& record,
                          const position& from, const position& to, double* adjoints);

/// The same for double, compiled for the CPU that it runs on.
scalar_sweep& best_scalar_sweep() noexcept;

}  // namespace autodiff
