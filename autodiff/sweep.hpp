#pragma once
// The reverse sweep: one walk over the record, newest entry first. A record whose result has the
// adjoint w adds w * partial to the adjoint of each of its arguments. Source: Griewank and Walther,
// Evaluating Derivatives (2008), section 3.2.

#include <autodiff/recorder.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace autodiff {

/// A record with a sweep of its own: a block of inputs, a tensor operation, a bridge between both.
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

/// Sweeps `codes` records that end where r ends. `adjoints` holds one number per place, the
/// output's seed already in; `operations_end` points behind the youngest operation.
template <class T>
void sweep(basic_tape<T>& tape, const recorder<T>& r, std::size_t codes, T* const adjoints,
           operation<T>* const* operations_end) {
  const T* partials = r.partials + r.argument_count;
  const std::uint32_t* arguments = r.arguments + r.argument_count;
  const std::uint8_t* code = r.next_code();
  const std::uint8_t* const oldest = code - codes;
  T* at = adjoints + r.places();
  const auto pull = [&]<std::size_t... I>(const T& weight, std::index_sequence<I...>)
      __attribute__((always_inline)) {
    ((adjoints[arguments[I]] += partials[I] * weight), ...);
  };
  // Records of N arguments, N known to the compiler. Zero means that the output does not depend on
  // a result: it is skipped by selection, because its partials may be infinite.
  const auto plain = [&]<std::size_t N>(std::integral_constant<std::size_t, N>)
      __attribute__((always_inline)) {
    partials -= N;
    arguments -= N;
    const T weight = *--at;
    if (!is_zero(weight)) pull(weight, std::make_index_sequence<N>());
  };
  // A run of equal records that carry into each other, a sum that grew term by term: the adjoint of
  // each place stays in a register for the next.
  const auto run = [&]<std::size_t N>(std::size_t kind, std::integral_constant<std::size_t, N>)
      __attribute__((always_inline)) {
    T weight = *--at;
    while (true) {
      partials -= N;
      arguments -= N;
      if (!is_zero(weight)) pull(weight, std::make_index_sequence<N>());
      weight += at[-1];
      at[-1] = weight;
      if (code == oldest || code[-1] != kind) return;
      --code;
      --at;
    }
  };
  const auto pull_all = [&](std::size_t count) __attribute__((always_inline)) {
    arguments -= count;
    const T weight = *--at;
    if (is_zero(weight)) return weight;
    for (std::size_t i = 0; i < count; ++i) adjoints[arguments[i]] += partials[i] * weight;
    return weight;
  };
  // Any record of arguments.
  const auto general = [&](std::size_t kind) {
    if (kind == tape_code::long_record) {
      const std::size_t count = *--arguments;
      partials -= count + 1;
      pull_all(count);
    } else {
      const std::size_t count = kind & (tape_code::carry - 1u);
      partials -= count;
      const T weight = pull_all(count);
      if (kind >= tape_code::carry) at[-1] += weight;
    }
  };
  while (code != oldest) {
    const std::size_t kind = *--code;
    if (kind == tape_code::operation || kind == tape_code::inputs) [[unlikely]] {
      operation<T>& swept = **--operations_end;
      at -= swept.places;
      swept.sweep(tape, static_cast<std::uint32_t>(at - adjoints));
      continue;
    }
    // Written out for numbers alone: of a nested type each += is a statement on the inner tape.
    if constexpr (std::is_floating_point_v<T>) {
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
    general(kind);
  }
}

}  // namespace autodiff
