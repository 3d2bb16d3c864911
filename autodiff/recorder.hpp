#pragma once
// The part of a tape that every statement touches: three streams and where they end. The one that
// records lives in thread-local storage, so a statement reaches it without a pointer.
//
// Per argument of a statement there is one entry in `partials` and one in `arguments` (its place),
// per statement one byte in `codes`: how many arguments. Results own consecutive places, so a
// record does not store its own. Record of y = f(a, b): partials dy/da, dy/db; arguments place(a),
// place(b); code 2.

#include <autodiff/expression.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace autodiff {

template <class T>
class basic_tape;

/// Whether every use of a scalar is checked, also of one whose place was rewound and taken by
/// another
/// (-DBACKSWEEP_CHECKED=ON). Otherwise one compare per statement finds what it can.
#ifdef BACKSWEEP_CHECKED
inline constexpr bool checked_build = true;
#else
inline constexpr bool checked_build = false;
#endif

namespace tape_code {
/// Codes up to this one are argument counts.
inline constexpr std::uint8_t longest = 120;
/// Added to a count: the youngest earlier place is one more argument, with partial 1, that is not
/// stored. Sums that grow term by term (s += a * b) are of this kind.
inline constexpr std::uint8_t carry = 128;
/// A longer record keeps its count as one more argument.
inline constexpr std::uint8_t long_record = 252;
/// A block of inputs: they own places and have no arguments. In their stead stands their number, to
/// which more can be added while the block is the youngest record.
inline constexpr std::uint8_t inputs = 253;
/// An operation that computed nothing: a tensor made a variable. Codes from here on have an object.
inline constexpr std::uint8_t leaf = 254;
/// A record with a sweep of its own.
inline constexpr std::uint8_t operation = 255;
}  // namespace tape_code

template <class T>
struct recorder {
  T* partials = nullptr;
  std::uint32_t* arguments = nullptr;
  // The next code stands at the address code_base + next.
  std::uintptr_t code_base = 0;
  std::size_t argument_count = 0;
  // The cold path decides what was reached, so that a statement makes one compare.
  std::size_t argument_limit = 0;
  // Tags of place 0 and of the next place.
  tag_type first = 0, next = 0;
  basic_tape<T>* tape = nullptr;

  std::uint64_t places() const noexcept { return next - first; }
  std::uint8_t* next_code() const noexcept {
    return reinterpret_cast<std::uint8_t*>(code_base + next);
  }
};

inline constexpr std::uint64_t most_places = std::uint64_t{1} << 31;

/// The recorder of this thread; without a tape an empty one, on which no variable is active.
template <class T>
inline constinit thread_local recorder<T> active_recorder{};

/// The text of an expression, to be read by expression_text.hpp: the name of its type, which is all
/// that tells what was computed and costs nothing to carry along.
template <class E>
constexpr const char* text_of() {
  return __PRETTY_FUNCTION__;
}

/// Which leaves of a statement are the variable of one before them, which has the partial of both.
struct merged_leaves {
  static constexpr std::size_t most = 16;  ///< leaves of a statement that is looked at
  std::uint32_t bits = 0;

  constexpr bool contains(std::size_t leaf) const { return leaf < most && (bits >> leaf & 1) != 0; }
  constexpr void add(std::size_t leaf) { bits |= std::uint32_t{1} << leaf; }
};

/// A statement as it is handed to whoever may look at it.
template <class T>
struct spelled_statement {
  const T& value;
  // Of its leaves.
  const T* partials;
  const tag_type* tags;
  std::size_t leaves;
  merged_leaves merged;
  const char* text;
  // From left to right; null for nested number types.
  const T* constants;
  std::size_t constant_count;

  bool is_argument(std::size_t leaf) const { return tags[leaf] != 0 && !merged.contains(leaf); }
};

/// Records a statement whose arguments are not all active, that found the memory full, or that is
/// watched. Returns the tag of its result: 0 when no argument is active. Throws tape_error for a
/// variable that is not of this recorder's tape, memory_error when its limit is reached,
/// domain_error when a strict tape refuses it.
template <class T>
[[gnu::noinline]] tag_type record_slowly(recorder<T>& r, const spelled_statement<T>& statement);

/// A leaf of a statement: its partial and its tag.
template <class T>
struct edge {
  T partial;
  tag_type tag;
};

/// The same for edges and then constants that come by value: were the address of a statement to
/// leave its function, every statement would go through memory. Few and small, so that registers
/// hold them: what is passed on the stack costs instructions where nothing is passed.
template <class T, class... Parts>
[[gnu::noinline, gnu::cold]] tag_type record_parts_slowly(T value, const char* text,
                                                          merged_leaves merged, Parts... parts) {
  constexpr std::size_t leaves = (std::same_as<Parts, edge<T>> + ...);
  constexpr std::size_t constant_count = sizeof...(Parts) - leaves;
  T partials[leaves], constants[constant_count + 1];
  tag_type tags[leaves];
  std::size_t at = 0;
  const auto put = [&](const auto& part) {
    if constexpr (std::same_as<decltype(part), const edge<T>&>) {
      partials[at] = part.partial;
      tags[at] = part.tag;
    } else {
      constants[at - leaves] = part;
    }
    ++at;
  };
  (put(parts), ...);
  return record_slowly(
      active_recorder<T>,
      spelled_statement<T>{value, partials, tags, leaves, merged, text, constants, constant_count});
}

/// Stores two neighbours at once: a loop that records is bound by the number of its stores.
template <class T>
[[gnu::always_inline]] inline void store_pair(T* to, const T& first, const T& second) {
  if constexpr (std::floating_point<T>) {
    using pair [[gnu::vector_size(2 * sizeof(T)), gnu::aligned(alignof(T))]] = T;
    *reinterpret_cast<pair*>(to) = pair{first, second};
  } else {
    new (to) T(first);
    new (to + 1) T(second);
  }
}
/// The same for the lower halves of two tags.
[[gnu::always_inline]] inline void store_pair(std::uint32_t* to, tag_type first, tag_type second) {
  if constexpr (std::endian::native == std::endian::big) std::swap(first, second);
  const std::uint64_t both = static_cast<std::uint32_t>(first) | second << 32;
  std::memcpy(to, &both, sizeof both);
}

/// Makes one argument of leaves I and J where the compiler sees them to be the same variable. J <
/// I.
template <std::size_t I, std::size_t J, class Statement>
[[gnu::always_inline]] inline void merge_leaves(Statement& s, merged_leaves& merged) {
  if constexpr (J < I) {
    const bool same = s.tags[I] == s.tags[J];
    if (__builtin_constant_p(same) && same && !merged.contains(J) && !merged.contains(I)) {
      s.partials[J] += s.partials[I];
      s.is_unit[J] = false;
      merged.add(I);
    }
  }
}

/// Records the statement e and returns the tag of its result, 0 when nothing in it is active.
template <class T, class E>
[[gnu::always_inline]] inline tag_type record(const E& e) {
  constexpr std::size_t n = E::leaves;
  if constexpr (n == 0) {
    return 0;
  } else {
    statement<T, n> s;
    e.template propagate<0>(unit{}, s);
    // For the notes of an explained tape. Most are known to the compiler: where they go costs
    // nothing before they are asked for, while the values of leaves would have to be kept.
    constexpr std::size_t constant_count = std::floating_point<T> ? E::constants : 0;
    [[maybe_unused]] T constants[constant_count + 1];
    if constexpr (constant_count > 0) e.template list_constants<0>(constants);
    merged_leaves merged;
    // Pairs are spelled out, not looped over, so that the comparisons fold before loops are
    // unrolled.
    [&]<std::size_t... Pair>(std::index_sequence<Pair...>) __attribute__((always_inline)) {
      (merge_leaves<Pair / n, Pair % n>(s, merged), ...);
    }
    (std::make_index_sequence<(n <= merged_leaves::most ? n * n : 0)>{});

    return [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
      recorder<T>& r = active_recorder<T>;
      const tag_type next = r.next;
      const std::size_t argument_count = r.argument_count;
      // Where the record ends after this statement. Both paths meet before these are stored, so
      // that in a loop the compiler sees what the next statement will load: a number in a register.
      tag_type next_after;
      std::size_t argument_count_after;
      // Appends the record without leaf `carried`, n for none: without storing it, where it is the
      // youngest place, or at all, where it is passive.
      const auto append = [&](std::size_t carried) __attribute__((always_inline)) {
        // A variable of this tape stands less than 2^31 places before the end; a passive one, one
        // of another tape and one from beyond the end are further away, in one direction or the
        // other.
        const tag_type distance = ((I == carried ? tag_type{0} : next - 1 - s.tags[I]) | ...);
        if (checked_build || n > tape_code::longest || distance >= most_places ||
            argument_count + n > r.argument_limit) [[unlikely]] {
          const tag_type result = [&]<std::size_t... J>(std::index_sequence<J...>)
              __attribute__((always_inline)) {
            return record_parts_slowly<T>(e.value(), text_of<E>(), merged,
                                          edge<T>{s.partials[I], s.tags[I]}..., constants[J]...);
          }
          (std::make_index_sequence<constant_count>());
          next_after = r.next;
          argument_count_after = r.argument_count;
          return result;
        }
        T* const partials = r.partials + argument_count;
        std::uint32_t* const arguments = r.arguments + argument_count;
        // Leaf k is stored with the one before it, or waits for the next one.
        std::size_t count = 0, waiting = n;
        const auto store = [&](std::size_t k) __attribute__((always_inline)) {
          if (waiting < n) {
            store_pair(partials + count, s.partials[waiting], s.partials[k]);
            store_pair(arguments + count, s.tags[waiting], s.tags[k]);
            count += 2;
          }
          waiting = waiting < n ? n : k;
        };
        ((merged.contains(I) || I == carried ? void() : store(I)), ...);
        if (waiting < n) {
          new (partials + count) T(s.partials[waiting]);
          arguments[count] = static_cast<std::uint32_t>(s.tags[waiting]);
          ++count;
        }
        argument_count_after = argument_count + count;
        next_after = next + 1;
        // char8_t aliases nothing. Through unsigned char, the compiler would have to believe that
        // every variable has changed.
        *reinterpret_cast<char8_t*>(r.code_base + next) =
            static_cast<char8_t>(count + (carried < n && s.tags[carried] != 0) * tape_code::carry);
        return next;
      };
      // A record keeps at least one argument; that is what bounds codes and places.
      std::size_t kept = 0, carried = n;
      ((kept += merged.contains(I) ? 0 : 1), ...);
      ((carried = carried == n && !merged.contains(I) && s.is_unit[I] && kept > 1 ? I : carried),
       ...);
      // The sum that grows is the youngest place, or passive before its first term.
      const bool leaves_out = carried < n && (s.tags[carried] == next - 1 || s.tags[carried] == 0);
      const tag_type result = leaves_out ? append(carried) : append(n);
      r.argument_count = argument_count_after;
      r.next = next_after;
      return result;
    }
    (std::make_index_sequence<n>());
  }
}

}  // namespace autodiff
