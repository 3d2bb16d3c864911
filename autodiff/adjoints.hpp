#pragma once
// What sweeps leave behind: an adjoint for each place and operation that was there, and where they
// ended, so that a sweep can go on from there.

#include <autodiff/anomaly.hpp>
#include <autodiff/sweep.hpp>
#include <autodiff/walk.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace autodiff {

/// The adjoints of one tape. The oldest places() places and operations() operations have one; the
/// last sweep came down to frontier(), and stands there until that part of the record is rewound.
template <class T>
class swept_adjoints {
 public:
  /// Adjoints of this record, kept in `all`, one a place. Neither moves.
  swept_adjoints(const streams<T>& record, T* all) noexcept : record_(record), all_(all) {}

  T& operator[](std::size_t place) noexcept { return all_[place]; }
  const T& operator[](std::size_t place) const noexcept { return all_[place]; }
  std::size_t places() const noexcept { return places_; }
  std::size_t operations() const noexcept { return operations_; }
  bool is_empty() const noexcept { return places_ == 0 && operations_ == 0; }
  std::span<const T> swept() const noexcept { return {all_, places_}; }
  const position& frontier() const noexcept { return frontier_; }
  /// Whether a sweep can go on down to this position.
  bool reaches(const position& to) const noexcept {
    return frontier_stands_ && to.codes <= frontier_.codes;
  }

  /// Puts the frontier at the end of the record, with the adjoints that plant_seed() gives outputs
  /// and zero elsewhere. What throws leaves no adjoints.
  template <class Seed>
  void start(const position& end, Seed&& plant_seed) {
    forget();
    std::fill_n(all_, end.places, T(0));
    for (std::size_t i = 0; i < touched_; ++i) record_.operations[i]->clear();
    touched_ = end.operations;
    plant_seed();
    stand_at(end, end.places, end.operations);
  }
  /// The same, added to the adjoints that inputs and leaf tensors have.
  template <class Seed>
  void start_again(const position& end, Seed&& plant_seed) {
    clear_computed(end);
    forget();
    touched_ = end.operations;
    plant_seed();
    stand_at(end, end.places, end.operations);
  }

  /// Sweeps the record from the frontier down to a position that it reaches. Whatever throws leaves
  /// no adjoints, and what was recorded since the start gets none.
  void sweep_to(basic_tape<T>& tape, const position& to);

  /// Forgets what was rewound: all after a mark.
  void cut(const position& mark) noexcept {
    if (frontier_.codes > mark.codes) frontier_stands_ = false;
    places_ = std::min<std::size_t>(places_, mark.places);
    operations_ = std::min(operations_, mark.operations);
    touched_ = std::min(touched_, mark.operations);
  }

  /// What a sweep does where the output does not depend on a result.
  zero_adjoints zeros = zero_adjoints::skip;

 private:
  void forget() noexcept {
    places_ = operations_ = 0;
    frontier_stands_ = false;
  }
  void stand_at(const position& frontier, std::size_t places, std::size_t operations) noexcept {
    frontier_ = frontier;
    places_ = places;
    operations_ = operations;
    frontier_stands_ = true;
  }
  void clear_computed(const position& end);
  void propagate_everything(basic_tape<T>& tape, const position& to);

  streams<T> record_;
  T* all_;
  std::size_t places_ = 0, operations_ = 0;
  // The oldest operations, which may hold an adjoint: also of a sweep that threw.
  std::size_t touched_ = 0;
  position frontier_;
  bool frontier_stands_ = false;
};

// A nested tape records the arithmetic of this sweep elsewhere; this one does not grow meanwhile.
template <class T>
void swept_adjoints<T>::sweep_to(basic_tape<T>& tape, const position& to) {
  const std::size_t places = places_, operations = operations_;
  forget();
  if (zeros == zero_adjoints::propagate)
    propagate_everything(tape, to);
  else if (frontier_.arguments == to.arguments)
    sweep_operations(tape, record_, frontier_, to);
  else if constexpr (std::same_as<T, double>)
    best_scalar_sweep()(tape, record_, frontier_, to, all_);
  else
    sweep(tape, record_, frontier_, to, all_);
  stand_at(to, places, operations);
}

template <class T>
void swept_adjoints<T>::clear_computed(const position& end) {
  // What no sweep reached, or one that threw left half done.
  std::fill(all_ + places_, all_ + end.places, T(0));
  for (std::size_t i = operations_; i < end.operations; ++i) record_.operations[i]->clear();
  walk_back(record_, end, position{}, [&](const entry<T>& e) {
    if (e.kind != entry<T>::kind::inputs) std::fill_n(all_ + e.place, e.places, T(0));
    if (e.kind == entry<T>::kind::operation) e.object->clear();
  });
}

template <class T>
void swept_adjoints<T>::propagate_everything(basic_tape<T>& tape, const position& to) {
  walk_back(record_, frontier_, to, [&](const entry<T>& e) {
    if (e.object) e.object->sweep(tape, static_cast<std::uint32_t>(e.place));
    const T weight = all_[e.place];
    for (std::size_t i = 0; i < e.arguments.size(); ++i) {
      all_[e.arguments[i]] += e.partials[i] * weight;
    }
    if (e.carries) all_[e.place - 1] += weight;
  });
}

}  // namespace autodiff
