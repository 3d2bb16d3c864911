#pragma once
// The record and the sweep. While a tape lives, every statement over its variables appends one
// record (recorder.hpp): the partial derivatives and places of its arguments. backward() walks the
// records once, newest first (sweep.hpp), and nothing else is needed for the gradient of any
// program. Tensor operations are records in the same order, with a sweep of their own.

#include <autodiff/error.hpp>
#include <autodiff/expression.hpp>
#include <autodiff/memory.hpp>
#include <autodiff/recorder.hpp>
#include <autodiff/sweep.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace autodiff {

/// Figures about a tape, for people and benchmarks.
struct tape_statistics {
  std::size_t statements = 0;  // scalar records
  std::size_t arguments = 0;   // their arguments
  std::size_t operations = 0;  // tensor operations, blocks of inputs, bridges and marks
  std::size_t places = 0;      // scalars with an adjoint
  std::size_t bytes = 0;  // records of scalars and operations, without tensor values and adjoints
};

/// "12 statements, 30 arguments, ..."
std::ostream& operator<<(std::ostream& out, const tape_statistics& statistics);

/// What backward leaves behind.
enum class keeping {
  all,          ///< adjoints of intermediate tensors stay readable
  leaves_only,  ///< they are given back as soon as they were consumed, except those asked for by
                ///< keep()
};
inline constexpr keeping keep_all = keeping::all;
inline constexpr keeping leaves_only = keeping::leaves_only;

namespace tape_errors {
[[noreturn]] void out_of_memory(std::size_t bytes, std::size_t limit);
[[noreturn]] void out_of_places();
[[noreturn]] void foreign(std::string_view operation, tag_type tag, tag_type tape,
                          std::uint64_t places);
[[noreturn]] void passive(std::string_view operation);
[[noreturn]] void no_sweep_yet();
[[noreturn]] void recorded_after_sweep();
[[noreturn]] void foreign_mark();
[[noreturn]] void cotangent_count(std::size_t outputs, std::size_t cotangents);
}  // namespace tape_errors

/// The number of a new tape, unique in the process.
std::uint32_t next_tape_number() noexcept;

/// A tape records on the thread that made it, from construction to destruction; tapes nest, the
/// youngest records. Adjoints live on the tape: threads that share leaves do not race. Not
/// copyable; to be destroyed on its own thread.
template <class T>
class basic_tape {
  static_assert(std::is_trivially_copyable_v<T>,
                "the streams of a tape hold trivially copyable numbers");

 public:
  using value_type = T;

  /// A position in the record.
  struct mark_type {
    std::size_t arguments, codes, operations, states;
    std::uint64_t places;
    tag_type tape;
    std::uint32_t serial;
  };

  /// Starts recording. Throws memory_error when no address space is left.
  basic_tape()
      : first_(tag_type{next_tape_number()} << 32),
        limit_(physical_memory() / 4 * 3),
        outer_(active_recorder<T>.tape) {
    recorder<T> fresh = divide_memory();
    if (outer_) outer_->parked_ = active_recorder<T>;
    active_recorder<T> = fresh;
  }
  ~basic_tape() {
    destroy_operations(0);
    memory_.touched(committed_bytes());
    if (active_recorder<T>.tape == this) {
      active_recorder<T> = outer_ ? outer_->parked_ : recorder<T>{};
      return;
    }
    for (basic_tape* inner = active_recorder<T>.tape; inner; inner = inner->outer_) {
      if (inner->outer_ == this) {
        inner->outer_ = outer_;
        return;
      }
    }
  }
  basic_tape(const basic_tape&) = delete;
  basic_tape& operator=(const basic_tape&) = delete;

  /// A leaf with this value: a number gives a var, a std::vector or std::array of numbers a
  /// container of vars, a tensor a recorded tensor of the same values (shared, not copied).
  template <class Value>
  auto variable(const Value& value) {
    return make_variable(*this, value);
  }

  /// Sweeps the whole record from the scalar y: afterwards adjoint(x) is dy/dx for everything
  /// recorded. y is a var, an expression, or a tensor with one element. May be called again, for
  /// the same or another output; each call starts from zero adjoints. Throws tape_error when y is
  /// passive or not of this tape, shape_error when y has several elements.
  template <class Output>
  void backward(const Output& y, keeping kept = keep_all) {
    sweep_from(y, kept, [&](const auto& recorded) { return seed(*this, recorded); });
  }

  /// The same from any output with its cotangent: afterwards adjoint(x) is the vector-Jacobian
  /// product. cotangent: a number for a var, a tensor of y's shape for a tensor, a std::vector of
  /// numbers for one of vars.
  template <class Output, class Cotangent>
  requires(!std::same_as<Cotangent, keeping>) void backward(const Output& y,
                                                            const Cotangent& cotangent,
                                                            keeping kept = keep_all) {
    sweep_from(y, kept, [&](const auto& recorded) { return seed(*this, recorded, cotangent); });
  }

  /// The adjoint of x after the last backward: a number for a var, a tensor of its shape for a
  /// tensor. Throws tape_error when x is passive, of another tape, or was recorded after the last
  /// backward.
  template <class Variable>
  auto adjoint(const Variable& x) const {
    return adjoint_of(*this, x);
  }

  /// Keeps the adjoint of this tensor in a sweep that keeps leaves_only.
  template <class Variable>
  void keep(const Variable& x) {
    keep_adjoint(*this, x);
  }

  /// The present end of the record. Throws memory_error when the tape is full.
  mark_type mark() {
    // A mark is a record: where its serial still stands, nothing before it was rewound and
    // replaced.
    if (code_count() > 0 && !stands(operation_count_, mark_serial_, code_count())) {
      mark_serial_ = add_operation<input_block>(0).serial;
    }
    const recorder<T>& r = at_work();
    return {r.argument_count, code_count(), operation_count_, state_bytes_,
            r.places(),       first_,       mark_serial_};
  }

  /// Forgets everything after the mark and keeps the memory. Adjoints of what stays remain
  /// readable. Throws tape_error for a mark of another tape or of a part that was rewound since,
  /// even when that part was recorded again.
  void rewind(const mark_type& mark) {
    const bool valid = mark.codes == 0 || stands(mark.operations, mark.serial, mark.codes);
    if (mark.tape != first_ || !valid) tape_errors::foreign_mark();
    memory_.touched(committed_bytes());
    destroy_operations(mark.operations);
    recorder<T>& r = at_work();
    const std::uint64_t freed = r.places() - mark.places;
    r.argument_count = mark.arguments;
    r.next = first_ + mark.places;
    r.code_base = reinterpret_cast<std::uintptr_t>(codes_ + mark.codes) - r.next;
    state_bytes_ = mark.states;
    if constexpr (checked_build) bury(freed);
    if (adjoint_count_ > r.places()) adjoint_count_ = r.places();
    if (swept_operations_ > operation_count_) swept_operations_ = operation_count_;
  }
  /// Forgets everything.
  void rewind() { rewind(mark_type{0, 0, 0, 0, 0, first_, 0}); }

  /// Bounds the memory of the scalar record and its adjoints, in bytes; recording beyond it throws
  /// memory_error.
  void limit(std::size_t bytes) {
    limit_ = bytes;
    set_argument_limit(at_work());
  }

  /// Commits memory for this many bytes of scalar record ahead of time.
  void reserve(std::size_t bytes);

  tape_statistics statistics() const noexcept {
    tape_statistics s;
    const recorder<T>& r = at_work();
    s.statements = code_count() - operation_count_;
    s.arguments = r.argument_count;
    s.operations = operation_count_;
    s.places = r.places();
    s.bytes = r.argument_count * argument_bytes + code_count() + state_bytes_ +
              operation_count_ * sizeof(operation<T>*);
    return s;
  }

  // What the makers of variables and operations build on.

  /// Opens `count` consecutive places for inputs; gives the tag of the first.
  tag_type add_inputs(std::uint32_t count) {
    if (code_count() == 0 || at_work().next_code()[-1] != tape_code::inputs) {
      add_operation<input_block>(0);
      at_work().next_code()[-1] = tape_code::inputs;
    }
    const tag_type tag = take_places(count);
    operations_[operation_count_ - 1]->places += count;
    return tag;
  }

  /// Appends a record with a sweep of its own that owns `scalars` consecutive places.
  template <class Operation, class... Arguments>
  Operation& add_operation(std::uint32_t scalars, Arguments&&... arguments) {
    constexpr std::size_t bytes = (sizeof(Operation) + 15) / 16 * 16;
    static_assert(alignof(Operation) <= 16);
    if (state_bytes_ + bytes > state_capacity_ || operation_count_ == operation_capacity_ ||
        code_count() == argument_capacity_) {
      tape_errors::out_of_memory(state_bytes_ + bytes, state_capacity_);
    }
    auto* made = new (states_ + state_bytes_) Operation(std::forward<Arguments>(arguments)...);
    try {
      codes_[code_count()] = tape_code::operation;
      take_places(scalars);
      ++at_work().code_base;
    } catch (...) {
      made->~Operation();
      throw;
    }
    made->places = scalars;
    made->serial = ++serial_;
    state_bytes_ += bytes;
    operations_[operation_count_++] = made;
    return *made;
  }

  /// Tag of the youngest operation; its lower half is the index for operation_at.
  tag_type operation_tag() const noexcept { return first_ + operation_count_ - 1; }
  /// Tag of the youngest scalar.
  tag_type youngest_place() const noexcept { return at_work().next - 1; }
  /// Serial of the youngest operation.
  std::uint32_t serial() const noexcept { return serial_; }
  /// The operation with this tag and serial. Throws tape_error (naming `what`) for one of another
  /// tape or one that was rewound, even when another stands in its place by now.
  operation<T>& operation_at(tag_type tag, std::uint32_t serial, std::string_view what) const {
    if (tag == 0) tape_errors::passive(what);
    const tag_type index = tag - first_;
    if (index >= operation_count_ || operations_[index]->serial != serial) {
      tape_errors::foreign(what, tag, first_, operation_count_);
    }
    return *operations_[index];
  }
  /// Throws tape_error unless the operation at this tag has been swept by the last backward.
  void require_swept(tag_type tag) const {
    if (adjoint_count_ == 0 && swept_operations_ == 0) tape_errors::no_sweep_yet();
    if (tag - first_ >= swept_operations_) tape_errors::recorded_after_sweep();
  }

  /// The place of a recorded scalar. Throws tape_error (naming `what`) when it is not of this tape.
  std::uint32_t place(tag_type tag, std::string_view what) const {
    if (tag == 0) tape_errors::passive(what);
    const std::uint64_t places = at_work().places();
    if (tag - first_ >= places) tape_errors::foreign(what, tag, first_, places);
    if constexpr (checked_build) require_alive(tag, what);
    return static_cast<std::uint32_t>(tag - first_);
  }
  /// The adjoint at a place during a sweep.
  T& adjoint_at(std::uint32_t place) noexcept { return adjoints_[place]; }
  /// The adjoint of a scalar after a sweep.
  const T& swept_adjoint(tag_type tag) const {
    if (checked_build || tag - first_ >= adjoint_count_) [[unlikely]]
      require_swept_place(tag);
    return adjoints_[tag - first_];
  }
  keeping kept() const noexcept { return kept_; }

 private:
  friend tag_type record_slowly<T>(recorder<T>& r, const T* partials, const tag_type* tags,
                                   std::size_t count);

  // Inputs own places and have no arguments. One without places is a mark.
  class input_block final : public operation<T> {
   public:
    void sweep(basic_tape&, std::uint32_t) override {}
  };

  // In the checked build a rewind leaves the places it frees behind as a block that nobody may use,
  // so that a variable from before the rewind is told from a new one.
  struct grave {
    std::uint64_t from, to;
  };
  void bury(std::uint64_t freed) {
    const std::uint64_t from = at_work().places();
    while (!graves_.empty() && graves_.back().from >= from) graves_.pop_back();
    if (freed == 0) return;
    graves_.push_back({from, from + freed});
    add_operation<input_block>(static_cast<std::uint32_t>(freed));
  }
  void require_alive(tag_type tag, std::string_view what) const {
    const std::uint64_t at = tag - first_;
    for (const grave& g : graves_) {
      if (g.from <= at && at < g.to) tape_errors::foreign(what, tag, first_, g.from);
    }
  }

  static constexpr std::size_t argument_bytes = sizeof(T) + sizeof(std::uint32_t);
  // A record has at least one argument, so with its count and its adjoint an argument takes at most
  // this.
  static constexpr std::size_t reserved_bytes = argument_bytes + 1 + sizeof(T);

  template <class Output, class Seed>
  void sweep_from(const Output& y, keeping kept, Seed&& checked_seed);
  recorder<T> divide_memory();
  void set_argument_limit(recorder<T>& r) noexcept;
  /// Throws memory_error unless so many more arguments fit.
  void make_room(recorder<T>& r, std::size_t arguments);
  void require_swept_place(tag_type tag) const;
  /// Gives the tag of the first.
  tag_type take_places(std::uint32_t count) {
    recorder<T>& r = at_work();
    const std::uint64_t places = r.places() + count;
    if (places > most_places || places > argument_capacity_) tape_errors::out_of_places();
    const tag_type tag = r.next;
    r.next += count;
    r.code_base -= count;
    r.argument_limit = std::min(r.argument_limit, arguments_by_places(r));
    return tag;
  }
  /// Arguments that may be recorded before places run out: every statement takes one of each at
  /// least.
  std::size_t arguments_by_places(const recorder<T>& r) const noexcept {
    return r.argument_count +
           (std::min<std::uint64_t>(most_places, argument_capacity_) - r.places());
  }
  /// The recorder of this tape, whether it is the one that records now or an inner tape is.
  recorder<T>& at_work() noexcept {
    return active_recorder<T>.tape == this ? active_recorder<T> : parked_;
  }
  const recorder<T>& at_work() const noexcept {
    return active_recorder<T>.tape == this ? active_recorder<T> : parked_;
  }
  std::size_t code_count() const noexcept {
    return static_cast<std::size_t>(at_work().next_code() - codes_);
  }
  /// Whether the operation with this serial is still the youngest of the first `operations`, and
  /// the youngest record of the first `codes`.
  bool stands(std::size_t operations, std::uint32_t serial, std::size_t codes) const noexcept {
    return operations > 0 && operations <= operation_count_ && codes <= code_count() &&
           operations_[operations - 1]->serial == serial &&
           codes_[codes - 1] == tape_code::operation;
  }
  void destroy_operations(std::size_t from) noexcept {
    while (operation_count_ > from) operations_[--operation_count_]->~operation<T>();
  }
  std::size_t committed_bytes() const noexcept {
    return statistics().bytes + at_work().places() * sizeof(T);
  }

  reserved_memory memory_;
  tag_type first_;
  recorder<T> parked_;  // while an inner tape records
  std::size_t limit_;
  std::uint8_t* codes_ = nullptr;
  T* adjoints_ = nullptr;
  operation<T>** operations_ = nullptr;
  std::byte* states_ = nullptr;
  std::size_t argument_capacity_ = 0, operation_capacity_ = 0, state_capacity_ = 0;
  std::size_t operation_count_ = 0, state_bytes_ = 0;
  std::size_t adjoint_count_ = 0, swept_operations_ = 0;
  basic_tape* outer_;
  std::vector<grave> graves_;
  std::uint32_t serial_ = 0, mark_serial_ = 0;
  keeping kept_ = keep_all;
};

using tape = basic_tape<double>;

template <class T>
tag_type record_slowly(recorder<T>& r, const T* partials, const tag_type* tags, std::size_t count) {
  std::size_t live = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (tags[i] == 0) continue;
    if (!r.tape) tape_errors::foreign("statement", tags[i], 0, 0);
    r.tape->place(tags[i], "statement");
    ++live;
  }
  if (live == 0) return 0;
  if (r.argument_count + live + 1 > r.argument_limit) r.tape->make_room(r, live + 1);
  for (std::size_t i = 0; i < count; ++i) {
    if (tags[i] == 0) continue;
    new (r.partials + r.argument_count) T(partials[i]);
    r.arguments[r.argument_count++] = static_cast<std::uint32_t>(tags[i]);
  }
  auto code = static_cast<std::uint8_t>(live);
  if (live > tape_code::longest) {
    code = tape_code::long_record;
    new (r.partials + r.argument_count) T(0);
    r.arguments[r.argument_count++] = static_cast<std::uint32_t>(live);
  }
  *r.next_code() = code;
  return r.next++;
}

template <class T>
void basic_tape<T>::make_room(recorder<T>& r, std::size_t arguments) {
  set_argument_limit(r);
  if (r.argument_count + arguments <= r.argument_limit) return;
  if (r.places() + arguments > most_places) tape_errors::out_of_places();
  tape_errors::out_of_memory((r.argument_count + arguments) * reserved_bytes, limit_);
}

template <class T>
template <class Output, class Seed>
void basic_tape<T>::sweep_from(const Output& y, keeping kept, Seed&& checked_seed) {
  const auto& recorded = as_recorded(y);
  const auto plant_seed = checked_seed(recorded);
  kept_ = kept;
  adjoint_count_ = swept_operations_ = 0;
  // A nested tape records the arithmetic of this sweep elsewhere; this one does not grow meanwhile.
  const recorder<T> r = at_work();
  std::fill_n(adjoints_, r.places(), T(0));
  for (std::size_t i = 0; i < operation_count_; ++i) operations_[i]->clear();
  plant_seed();
  autodiff::sweep(*this, r, code_count(), adjoints_, operations_ + operation_count_);
  adjoint_count_ = r.places();
  swept_operations_ = operation_count_;
}

template <class T>
void basic_tape<T>::require_swept_place(tag_type tag) const {
  const std::uint32_t at = place(tag, "adjoint");
  if (adjoint_count_ == 0) tape_errors::no_sweep_yet();
  if (at >= adjoint_count_) tape_errors::recorded_after_sweep();
}

template <class T>
recorder<T> basic_tape<T>::divide_memory() {
  // Shares of one region; the odd offsets keep streams that advance together from meeting in the
  // same cache sets.
  const std::size_t size = memory_.size();
  argument_capacity_ = size / 4 * 3 / reserved_bytes / 4096 * 4096;
  std::byte* at = memory_.data();
  const auto take = [&at](std::size_t bytes, std::size_t stagger) {
    std::byte* start = at + stagger;
    at += (bytes + stagger + 4095) / 4096 * 4096;
    return start;
  };
  recorder<T> r;
  r.tape = this;
  r.first = r.next = first_;
  r.partials = reinterpret_cast<T*>(take(argument_capacity_ * sizeof(T), 0));
  r.arguments =
      reinterpret_cast<std::uint32_t*>(take(argument_capacity_ * sizeof(std::uint32_t), 1088));
  codes_ = reinterpret_cast<std::uint8_t*>(take(argument_capacity_, 2240));
  r.code_base = reinterpret_cast<std::uintptr_t>(codes_) - r.next;
  adjoints_ = reinterpret_cast<T*>(take(argument_capacity_ * sizeof(T), 3392));
  operation_capacity_ = size / 64 / sizeof(operation<T>*);
  operations_ =
      reinterpret_cast<operation<T>**>(take(operation_capacity_ * sizeof(operation<T>*), 640));
  states_ = take(0, 1792);
  state_capacity_ = static_cast<std::size_t>(memory_.data() + size - states_);
  set_argument_limit(r);
  return r;
}

template <class T>
void basic_tape<T>::set_argument_limit(recorder<T>& r) noexcept {
  r.argument_limit =
      std::min({limit_ / reserved_bytes, arguments_by_places(r), argument_capacity_});
}

template <class T>
void basic_tape<T>::reserve(std::size_t bytes) {
  const std::size_t count = bytes / reserved_bytes;
  recorder<T>& r = at_work();
  if (count > r.argument_limit) tape_errors::out_of_memory(bytes, limit_);
  for (std::size_t i = r.argument_count; i < count; ++i) {
    new (r.partials + i) T(0);
    r.arguments[i] = 0;
  }
  memory_.touched(bytes);
}

}  // namespace autodiff
