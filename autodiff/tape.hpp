#pragma once
// The record and the sweep. While a tape lives, every statement over its variables appends one record:
// the partial derivatives and places of its arguments. backward() walks the records once, newest
// first, and adds partial * adjoint to the adjoint of each argument; nothing else is needed for the
// gradient of any program. Tensor operations are records in the same order, with a sweep of their own.
//
// Three streams hold the scalar records: partials and arguments (one entry per argument) and codes
// (one byte per record: the number of its arguments). Results own consecutive places, so a record does
// not store its own. Record i of y = f(a, b): partials dy/da, dy/db; arguments place(a), place(b); code 2.
//
// Source of the sweep: Griewank and Walther, Evaluating Derivatives (2008), section 3.2.

#include <autodiff/error.hpp>
#include <autodiff/expression.hpp>
#include <autodiff/memory.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace autodiff {

template <class T>
class basic_tape;

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

/// The part of a tape that every statement touches. One is active per thread and number type; with no
/// tape it is an empty one, on which no variable counts as active.
template <class T>
struct recorder {
  T* partials = nullptr;
  std::uint32_t* arguments = nullptr;
  std::uint8_t* codes = nullptr;
  std::size_t argument_count = 0;
  std::size_t argument_limit = 0;  // one compare per statement: the cold path decides what was reached
  std::size_t code_count = 0;
  tag_type first = 0;        // tag of place 0
  std::uint64_t places = 0;  // places in use; tag - first < places is true of this tape's variables only
  basic_tape<T>* tape = nullptr;
};

/// Whether every use of a scalar is checked, also of one whose place was rewound and taken by another
/// (-DBACKSWEEP_CHECKED=ON). Otherwise one compare per statement finds what it can.
#ifdef BACKSWEEP_CHECKED
inline constexpr bool checked_build = true;
#else
inline constexpr bool checked_build = false;
#endif

namespace tape_code {
// Codes up to `longest` are argument counts. A longer record keeps its count as one more argument.
inline constexpr std::uint8_t longest = 250, long_record = 254, operation = 255;
}  // namespace tape_code

template <class T>
inline constinit thread_local recorder<T> no_tape{};
template <class T>
inline constinit thread_local recorder<T>* active_recorder = nullptr;

template <class T>
[[gnu::always_inline]] inline recorder<T>& active() {
  recorder<T>* r = active_recorder<T>;
  return r ? *r : no_tape<T>;
}

/// Figures about a tape, for people and benchmarks.
struct tape_statistics {
  std::size_t statements = 0;   // scalar records
  std::size_t arguments = 0;    // their arguments
  std::size_t operations = 0;   // tensor operations, blocks of inputs, bridges and marks
  std::size_t places = 0;       // scalars with an adjoint
  std::size_t bytes = 0;        // records of scalars and operations, without tensor values and adjoints
};

/// "12 statements, 30 arguments, ..."
std::ostream& operator<<(std::ostream& out, const tape_statistics& statistics);

/// What backward leaves behind.
enum class keeping {
  all,          ///< adjoints of intermediate tensors stay readable
  leaves_only,  ///< they are given back as soon as they were consumed, except those asked for by keep()
};
inline constexpr keeping keep_all = keeping::all;
inline constexpr keeping leaves_only = keeping::leaves_only;

namespace tape_errors {
[[noreturn]] void out_of_memory(std::size_t bytes, std::size_t limit);
[[noreturn]] void out_of_places();
[[noreturn]] void foreign(std::string_view operation, tag_type tag, tag_type tape, std::uint64_t places);
[[noreturn]] void passive(std::string_view operation);
[[noreturn]] void no_sweep_yet();
[[noreturn]] void recorded_after_sweep();
[[noreturn]] void foreign_mark();
}  // namespace tape_errors

/// The number of a new tape, unique in the process.
std::uint32_t next_tape_number() noexcept;

/// A tape records on the thread that made it, from construction to destruction; tapes nest, the
/// youngest records. Adjoints live on the tape: threads that share leaves do not race. Not copyable;
/// to be destroyed on its own thread.
template <class T>
class basic_tape : private recorder<T> {
  static_assert(std::is_trivially_copyable_v<T>, "the streams of a tape hold trivially copyable numbers");

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
  basic_tape() : limit_(physical_memory() / 4 * 3), outer_(active_recorder<T>) {
    divide_memory();
    this->first = tag_type{next_tape_number()} << 32;
    this->tape = this;
    active_recorder<T> = this;
  }
  ~basic_tape() {
    destroy_operations(0);
    memory_.touched(committed_bytes());
    if (active_recorder<T> == this) {
      active_recorder<T> = outer_;
      return;
    }
    for (recorder<T>* r = active_recorder<T>; r; r = r->tape->outer_) {
      if (r->tape->outer_ == this) {
        r->tape->outer_ = outer_;
        return;
      }
    }
  }
  basic_tape(const basic_tape&) = delete;
  basic_tape& operator=(const basic_tape&) = delete;

  /// A leaf with this value: a number gives a var, a std::vector or std::array of numbers a container
  /// of vars, a tensor a recorded tensor of the same values (shared, not copied).
  template <class Value>
  auto variable(const Value& value) {
    return make_variable(*this, value);
  }

  /// Sweeps the whole record from the scalar y: afterwards adjoint(x) is dy/dx for everything recorded.
  /// y is a var, an expression, or a tensor with one element. May be called again, for the same or
  /// another output; each call starts from zero adjoints. Throws tape_error when y is passive or not of
  /// this tape, shape_error when y has several elements.
  template <class Output>
  void backward(const Output& y, keeping kept = keep_all) {
    sweep_from(y, kept, [&](const auto& recorded) { seed(*this, recorded); });
  }

  /// The same from any output with its cotangent: afterwards adjoint(x) is the vector-Jacobian product.
  /// cotangent: a number for a var, a tensor of y's shape for a tensor.
  template <class Output, class Cotangent>
    requires(!std::same_as<Cotangent, keeping>)
  void backward(const Output& y, const Cotangent& cotangent, keeping kept = keep_all) {
    sweep_from(y, kept, [&](const auto& recorded) { seed(*this, recorded, cotangent); });
  }

  /// The adjoint of x after the last backward: a number for a var, a tensor of its shape for a tensor.
  /// Throws tape_error when x is passive, of another tape, or was recorded after the last backward.
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
    // A mark is a record: where its serial still stands, nothing before it was rewound and replaced.
    if (this->code_count > 0 && !stands(operation_count_, mark_serial_, this->code_count)) {
      mark_serial_ = add_operation<input_block>(0).serial;
    }
    inputs_open_ = false;
    return {this->argument_count, this->code_count, operation_count_, state_bytes_,
            this->places,         this->first,      mark_serial_};
  }

  /// Forgets everything after the mark and keeps the memory. Adjoints of what stays remain readable.
  /// Throws tape_error for a mark of another tape or of a part that was rewound since, even when that
  /// part was recorded again.
  void rewind(const mark_type& mark) {
    const bool valid = mark.codes == 0 || stands(mark.operations, mark.serial, mark.codes);
    if (mark.tape != this->first || !valid) tape_errors::foreign_mark();
    memory_.touched(committed_bytes());
    destroy_operations(mark.operations);
    this->argument_count = mark.arguments;
    this->code_count = mark.codes;
    state_bytes_ = mark.states;
    if constexpr (checked_build) bury_places_from(mark.places);
    else this->places = mark.places;
    if (adjoint_count_ > this->places) adjoint_count_ = this->places;
    if (swept_operations_ > operation_count_) swept_operations_ = operation_count_;
    inputs_open_ = false;
  }
  /// Forgets everything.
  void rewind() { rewind(mark_type{0, 0, 0, 0, 0, this->first, 0}); }

  /// Bounds the memory of the scalar record and its adjoints, in bytes; recording beyond it throws
  /// memory_error.
  void limit(std::size_t bytes) {
    limit_ = bytes;
    set_argument_limit();
  }

  /// Commits memory for this many bytes of scalar record ahead of time.
  void reserve(std::size_t bytes);

  tape_statistics statistics() const noexcept {
    tape_statistics s;
    s.statements = this->code_count - operation_count_;
    s.arguments = this->argument_count;
    s.operations = operation_count_;
    s.places = this->places;
    s.bytes = this->argument_count * argument_bytes + this->code_count + state_bytes_ +
              operation_count_ * sizeof(operation<T>*);
    return s;
  }

  // What the makers of variables and operations build on.

  /// Opens `count` consecutive places for inputs; gives the tag of the first.
  tag_type add_inputs(std::uint32_t count) {
    // A statement does not close the block, so look whether the block is still the youngest record:
    // places are owned in the order of the records.
    if (!inputs_open_ || this->codes[this->code_count - 1] != tape_code::operation) {
      add_operation<input_block>(0);
      inputs_open_ = true;
    }
    take_places(count);
    operations_[operation_count_ - 1]->places += count;
    return this->first + this->places - count;
  }

  /// Appends a record with a sweep of its own that owns `scalars` consecutive places.
  template <class Operation, class... Arguments>
  Operation& add_operation(std::uint32_t scalars, Arguments&&... arguments) {
    constexpr std::size_t bytes = (sizeof(Operation) + 15) / 16 * 16;
    static_assert(alignof(Operation) <= 16);
    if (state_bytes_ + bytes > state_capacity_ || operation_count_ == operation_capacity_ ||
        this->code_count == argument_capacity_) {
      tape_errors::out_of_memory(state_bytes_ + bytes, state_capacity_);
    }
    take_places(scalars);
    Operation* made;
    try {
      made = new (states_ + state_bytes_) Operation(std::forward<Arguments>(arguments)...);
    } catch (...) {
      this->places -= scalars;
      throw;
    }
    made->places = scalars;
    made->serial = ++serial_;
    state_bytes_ += bytes;
    operations_[operation_count_++] = made;
    this->codes[this->code_count++] = tape_code::operation;
    inputs_open_ = false;
    return *made;
  }

  /// Tag of the youngest operation; its lower half is the index for operation_at.
  tag_type operation_tag() const noexcept { return this->first + operation_count_ - 1; }
  /// Tag of the youngest scalar.
  tag_type youngest_place() const noexcept { return this->first + this->places - 1; }
  /// Serial of the youngest operation.
  std::uint32_t serial() const noexcept { return serial_; }
  /// The operation with this tag and serial. Throws tape_error (naming `what`) for one of another tape
  /// or one that was rewound, even when another stands in its place by now.
  operation<T>& operation_at(tag_type tag, std::uint32_t serial, std::string_view what) const {
    if (tag == 0) tape_errors::passive(what);
    const tag_type index = tag - this->first;
    if (index >= operation_count_ || operations_[index]->serial != serial) {
      tape_errors::foreign(what, tag, this->first, operation_count_);
    }
    return *operations_[index];
  }
  /// Throws tape_error unless the operation at this tag has been swept by the last backward.
  void require_swept(tag_type tag) const {
    if (adjoint_count_ == 0 && swept_operations_ == 0) tape_errors::no_sweep_yet();
    if (tag - this->first >= swept_operations_) tape_errors::recorded_after_sweep();
  }

  /// The place of a recorded scalar. Throws tape_error (naming `what`) when it is not of this tape.
  std::uint32_t place(tag_type tag, std::string_view what) const {
    if (tag == 0) tape_errors::passive(what);
    if (tag - this->first >= this->places) tape_errors::foreign(what, tag, this->first, this->places);
    if constexpr (checked_build) require_alive(tag, what);
    return static_cast<std::uint32_t>(tag - this->first);
  }
  /// The adjoint at a place during a sweep.
  T& adjoint_at(std::uint32_t place) noexcept { return adjoints_[place]; }
  /// The adjoint of a scalar after a sweep.
  const T& swept_adjoint(tag_type tag) const {
    const std::uint32_t at = place(tag, "adjoint");
    if (adjoint_count_ == 0) tape_errors::no_sweep_yet();
    if (at >= adjoint_count_) tape_errors::recorded_after_sweep();
    return adjoints_[at];
  }
  keeping kept() const noexcept { return kept_; }

  /// Records a statement whose arguments are not all active, or that found the memory full.
  /// Returns the tag of its result: 0 when no argument is active.
  tag_type record_slowly(const T* partials, const tag_type* tags, std::size_t count);

 private:
  template <class U, class E>
  friend tag_type record(const E& e);

  // Inputs own places and have no arguments. One without places is a mark.
  class input_block final : public operation<T> {
   public:
    void sweep(basic_tape&, std::uint32_t) override {}
  };

  // In the checked build a rewind leaves the places it frees behind as a block that nobody may use, so
  // that a variable from before the rewind is told from a new one.
  struct grave {
    std::uint64_t from, to;
  };
  void bury_places_from(std::uint64_t from) {
    while (!graves_.empty() && graves_.back().from >= from) graves_.pop_back();
    const std::uint64_t to = this->places;
    if (from == to) return;
    graves_.push_back({from, to});
    this->places = from;
    add_operation<input_block>(static_cast<std::uint32_t>(to - from));
  }
  void require_alive(tag_type tag, std::string_view what) const {
    const std::uint64_t at = tag - this->first;
    for (const grave& g : graves_) {
      if (g.from <= at && at < g.to) tape_errors::foreign(what, tag, this->first, g.from);
    }
  }

  static constexpr std::size_t argument_bytes = sizeof(T) + sizeof(std::uint32_t);
  // A record has at least one argument, so with its count and its adjoint an argument takes at most this.
  static constexpr std::size_t reserved_bytes = argument_bytes + 1 + sizeof(T);
  static constexpr std::uint64_t most_places = std::uint64_t{1} << 31;

  template <class Output, class Seed>
  void sweep_from(const Output& y, keeping kept, Seed&& seed_it);
  void sweep();
  void divide_memory();
  void set_argument_limit() noexcept;
  void take_places(std::uint32_t count) {
    if (this->places + count > most_places || this->places + count > argument_capacity_) {
      tape_errors::out_of_places();
    }
    this->places += count;
  }
  /// Whether the operation with this serial is still the youngest of the first `operations`, and the
  /// youngest record of the first `codes`.
  bool stands(std::size_t operations, std::uint32_t serial, std::size_t codes) const noexcept {
    return operations > 0 && operations <= operation_count_ && codes <= this->code_count &&
           operations_[operations - 1]->serial == serial &&
           this->codes[codes - 1] == tape_code::operation;
  }
  void destroy_operations(std::size_t from) noexcept {
    while (operation_count_ > from) operations_[--operation_count_]->~operation<T>();
  }
  std::size_t committed_bytes() const noexcept {
    return statistics().bytes + this->places * sizeof(T);
  }

  reserved_memory memory_;
  std::size_t limit_;
  T* adjoints_ = nullptr;
  operation<T>** operations_ = nullptr;
  std::byte* states_ = nullptr;
  std::size_t argument_capacity_ = 0, operation_capacity_ = 0, state_capacity_ = 0;
  std::size_t operation_count_ = 0, state_bytes_ = 0;
  std::size_t adjoint_count_ = 0, swept_operations_ = 0;
  recorder<T>* outer_ = nullptr;
  std::vector<grave> graves_;
  std::uint32_t serial_ = 0, mark_serial_ = 0;
  keeping kept_ = keep_all;
  bool inputs_open_ = false;
};

using tape = basic_tape<double>;

/// Records the statement e and returns the tag of its result, 0 when nothing in it is active.
template <class T, class E>
[[gnu::always_inline]] inline tag_type record(const E& e) {
  constexpr std::size_t n = E::leaves;
  if constexpr (n == 0) {
    return 0;
  } else {
    statement<T, n> s;
    e.template propagate<0>(unit{}, s);
    recorder<T>& r = active<T>();
    bool all_active = true;
    for (std::size_t i = 0; i < n; ++i) all_active &= s.tags[i] - r.first < r.places;
    if (checked_build || n > tape_code::longest || !all_active ||
        r.argument_count + n > r.argument_limit) [[unlikely]] {
      if (!r.tape) {
        for (std::size_t i = 0; i < n; ++i) {
          if (s.tags[i]) tape_errors::foreign("statement", s.tags[i], 0, 0);
        }
        return 0;
      }
      return r.tape->record_slowly(s.partials, s.tags, n);
    }
    T* partials = r.partials + r.argument_count;
    std::uint32_t* arguments = r.arguments + r.argument_count;
    for (std::size_t i = 0; i < n; ++i) {
      new (partials + i) T(s.partials[i]);
      arguments[i] = static_cast<std::uint32_t>(s.tags[i]);
    }
    r.argument_count += n;
    r.codes[r.code_count++] = static_cast<std::uint8_t>(n);
    return r.first + r.places++;
  }
}

template <class T>
tag_type basic_tape<T>::record_slowly(const T* partials, const tag_type* tags, std::size_t count) {
  std::size_t live = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (tags[i] == 0) continue;
    place(tags[i], "statement");
    ++live;
  }
  if (live == 0) return 0;
  if (this->argument_count + live + 1 > this->argument_limit) {
    set_argument_limit();
    if (this->argument_count + live + 1 > this->argument_limit) {
      if (this->places >= most_places) tape_errors::out_of_places();
      tape_errors::out_of_memory((this->argument_count + live + 1) * reserved_bytes, limit_);
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (tags[i] == 0) continue;
    new (this->partials + this->argument_count) T(partials[i]);
    this->arguments[this->argument_count++] = static_cast<std::uint32_t>(tags[i]);
  }
  std::uint8_t code = static_cast<std::uint8_t>(live);
  if (live > tape_code::longest) {
    code = tape_code::long_record;
    new (this->partials + this->argument_count) T(0);
    this->arguments[this->argument_count++] = static_cast<std::uint32_t>(live);
  }
  this->codes[this->code_count++] = code;
  return this->first + this->places++;
}

template <class T>
template <class Output, class Seed>
void basic_tape<T>::sweep_from(const Output& y, keeping kept, Seed&& seed_it) {
  const auto& recorded = as_recorded(y);
  kept_ = kept;
  adjoint_count_ = swept_operations_ = 0;
  for (std::size_t i = 0; i < this->places; ++i) new (adjoints_ + i) T(0);
  for (std::size_t i = 0; i < operation_count_; ++i) operations_[i]->clear();
  seed_it(recorded);
  // A nested tape records the arithmetic of this sweep elsewhere; this one must not grow meanwhile.
  sweep();
  adjoint_count_ = this->places;
  swept_operations_ = operation_count_;
}

template <class T>
void basic_tape<T>::sweep() {
  std::size_t argument = this->argument_count, next_operation = operation_count_;
  std::uint64_t place = this->places;
  for (std::size_t record = this->code_count; record-- > 0;) {
    std::size_t count = this->codes[record];
    if (count == tape_code::operation) [[unlikely]] {
      operation<T>& swept = *operations_[--next_operation];
      place -= swept.places;
      swept.sweep(*this, static_cast<std::uint32_t>(place));
      continue;
    }
    if (count == tape_code::long_record) [[unlikely]] count = this->arguments[--argument];
    argument -= count;
    const T weight = adjoints_[--place];
    // Zero means that the output does not depend on this result: skipped by selection, because its
    // partials may be infinite.
    if (is_zero(weight)) continue;
    const T* partials = this->partials + argument;
    const std::uint32_t* arguments = this->arguments + argument;
    for (std::size_t i = 0; i < count; ++i) adjoints_[arguments[i]] += partials[i] * weight;
  }
}

template <class T>
void basic_tape<T>::divide_memory() {
  // Shares of one region; the odd offsets keep streams that advance together from meeting in the same
  // cache sets.
  const std::size_t size = memory_.size();
  argument_capacity_ = size / 4 * 3 / (2 * sizeof(T) + sizeof(std::uint32_t) + 1);
  argument_capacity_ = argument_capacity_ / 4096 * 4096;
  std::byte* at = memory_.data();
  const auto take = [&at](std::size_t bytes, std::size_t stagger) {
    std::byte* start = at + stagger;
    at += (bytes + stagger + 4095) / 4096 * 4096;
    return start;
  };
  this->partials = reinterpret_cast<T*>(take(argument_capacity_ * sizeof(T), 0));
  this->arguments = reinterpret_cast<std::uint32_t*>(take(argument_capacity_ * sizeof(std::uint32_t), 1088));
  this->codes = reinterpret_cast<std::uint8_t*>(take(argument_capacity_, 2240));
  adjoints_ = reinterpret_cast<T*>(take(argument_capacity_ * sizeof(T), 3392));
  operation_capacity_ = size / 64 / sizeof(operation<T>*);
  operations_ = reinterpret_cast<operation<T>**>(take(operation_capacity_ * sizeof(operation<T>*), 640));
  states_ = take(0, 1792);
  state_capacity_ = static_cast<std::size_t>(memory_.data() + size - states_);
  set_argument_limit();
}

template <class T>
void basic_tape<T>::set_argument_limit() noexcept {
  const std::size_t by_memory = limit_ / reserved_bytes;
  const std::size_t by_places = this->argument_count + (most_places - this->places);
  this->argument_limit = by_memory < by_places ? by_memory : by_places;
  if (this->argument_limit > argument_capacity_) this->argument_limit = argument_capacity_;
}

template <class T>
void basic_tape<T>::reserve(std::size_t bytes) {
  const std::size_t count = bytes / reserved_bytes;
  if (count > this->argument_limit) tape_errors::out_of_memory(bytes, limit_);
  for (std::size_t i = this->argument_count; i < count; ++i) {
    new (this->partials + i) T(0);
    this->arguments[i] = 0;
  }
  memory_.touched(bytes);
}

}  // namespace autodiff
