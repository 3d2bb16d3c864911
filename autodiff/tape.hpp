#pragma once
// The record and the sweep. While a tape lives, every statement over its variables appends one
// record (recorder.hpp): the partial derivatives and places of its arguments. backward() walks the
// records once, newest first (sweep.hpp), and nothing else is needed for the gradient of any
// program. Tensor operations are records in the same order, with a sweep of their own.

#include <autodiff/anomaly.hpp>
#include <autodiff/expression.hpp>
#include <autodiff/memory.hpp>
#include <autodiff/misuse.hpp>
#include <autodiff/recorder.hpp>
#include <autodiff/statistics.hpp>
#include <autodiff/sweep.hpp>
#include <autodiff/walk.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace autodiff {

/// What backward leaves behind.
enum class keeping {
  all,          ///< adjoints of intermediate tensors stay readable
  leaves_only,  ///< they are given back as soon as they were consumed, except those asked for by
                ///< keep()
};
inline constexpr keeping keep_all = keeping::all;
inline constexpr keeping leaves_only = keeping::leaves_only;

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

  /// A position in the record, to rewind or to sweep to.
  struct mark_type : position {
    std::size_t states, blocks;
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

  /// Scalar leaves with these values, put into `out`: for loops that make the same variables again
  /// and again, without an allocation. Throws shape_error when the sizes differ.
  template <class Variable>
  void variables(std::span<const T> values, std::span<Variable> out) {
    make_variables(*this, values, out);
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
  /// product. cotangent: a number for a var, a tensor of y's shape for a tensor, a vector or array
  /// of numbers for a vector or array of vars (of which passive ones have no share).
  template <class Output, class Cotangent>
  requires(!std::same_as<Cotangent, keeping>) void backward(const Output& y,
                                                            const Cotangent& cotangent,
                                                            keeping kept = keep_all) {
    sweep_from(y, kept, [&](const auto& recorded) { return seed(*this, recorded, cotangent); });
  }

  /// The same, added to the adjoints that variables and leaf tensors have from earlier sweeps:
  /// gradients of a sum, term by term, also when the terms were recorded one after the other
  /// between rewinds. Adjoints of what was computed are those of this sweep alone.
  template <class Output>
  void accumulate(const Output& y, keeping kept = keep_all) {
    add_from(y, kept, [&](const auto& recorded) { return seed(*this, recorded); });
  }
  template <class Output, class Cotangent>
  requires(!std::same_as<Cotangent, keeping>) void accumulate(const Output& y,
                                                              const Cotangent& cotangent,
                                                              keeping kept = keep_all) {
    add_from(y, kept, [&](const auto& recorded) { return seed(*this, recorded, cotangent); });
  }

  /// Sweeps from y back to a mark and no further: afterwards adjoint(x) is dy/dx for what was
  /// recorded after the mark, and for anything before it the part that flows through what was
  /// recorded after. resume_to() goes on from there. Throws tape_error like rewind() for the mark,
  /// like backward() for y.
  template <class Output>
  void backward_to(const mark_type& mark, const Output& y) {
    require_standing(mark, "backward_to");
    sweep_from(
        y, keep_all, [&](const auto& recorded) { return seed(*this, recorded); }, mark);
  }
  template <class Output, class Cotangent>
  void backward_to(const mark_type& mark, const Output& y, const Cotangent& cotangent) {
    require_standing(mark, "backward_to");
    sweep_from(
        y, keep_all, [&](const auto& recorded) { return seed(*this, recorded, cotangent); }, mark);
  }
  /// Goes on where the last sweep ended, down to an older mark or to the start. Throws tape_error
  /// when that place was rewound.
  void resume_to(const mark_type& mark) {
    require_standing(mark, "resume_to");
    continue_to(mark);
  }
  void resume() { continue_to(position{}); }
  /// Adds to the adjoint of x between partial sweeps. Throws tape_error where x has none yet, like
  /// adjoint().
  template <class Variable, class Number>
  void add_adjoint(const Variable& x, const Number& share) {
    static_cast<void>(adjoint(x));
    seed(*this, x, share)();
  }

  /// The adjoint of x after the last backward: a number for a var, a tensor of its shape for a
  /// tensor. Throws tape_error when x is passive, of another tape, or was recorded after the last
  /// backward.
  template <class Variable>
  auto adjoint(const Variable& x) const {
    return adjoint_of(*this, x);
  }

  /// The adjoints of these scalars, put into `out`. Throws shape_error when the sizes differ, else
  /// like adjoint().
  template <class Variable>
  void adjoints(std::span<const Variable> variables, std::span<T> out) const {
    adjoints_of(*this, variables, out);
  }

  /// Keeps the adjoint of this tensor in a sweep that keeps leaves_only.
  template <class Variable>
  void keep(const Variable& x) {
    keep_adjoint(*this, x);
  }

  /// The present end of the record.
  mark_type mark() {
    const std::size_t codes = code_count();
    if (marks_.empty() || marks_.back().codes != codes) marks_.push_back({codes, ++serial_});
    mark_type m;
    static_cast<position&>(m) = end();
    m.states = state_bytes_;
    m.blocks = block_count_;
    m.tape = first_;
    m.serial = marks_.back().serial;
    return m;
  }

  /// Forgets everything after the mark and keeps the memory. Adjoints of what stays remain
  /// readable. Throws tape_error for a mark of another tape or of a part that was rewound since,
  /// even when that part was recorded again.
  void rewind(const mark_type& mark) {
    require_standing(mark, "rewind");
    ++rewinds_;
    memory_.touched(committed_bytes());
    destroy_operations(mark.operations);
    recorder<T>& r = at_work();
    const std::uint64_t freed = r.places() - mark.places;
    r.argument_count = mark.arguments;
    r.next = first_ + mark.places;
    r.code_base = reinterpret_cast<std::uintptr_t>(codes_ + mark.codes) - r.next;
    state_bytes_ = mark.states;
    block_count_ = mark.blocks;
    while (!marks_.empty() && marks_.back().codes > mark.codes) marks_.pop_back();
    while (!noted_.empty() && noted_.back().place >= mark.places) noted_.pop_back();
    if constexpr (checked_build) bury(freed);
    if (frontier_.codes > mark.codes) frontier_stands_ = false;
    if (adjoint_count_ > r.places()) adjoint_count_ = r.places();
    if (swept_operations_ > operation_count_) swept_operations_ = operation_count_;
  }
  /// Forgets everything.
  void rewind() {
    mark_type start{};
    start.tape = first_;
    rewind(start);
  }

  /// Bounds the memory of scalar statements and their adjoints, in bytes, those of inputs not
  /// counted; recording beyond it throws memory_error.
  void limit(std::size_t bytes) {
    limit_ = bytes;
    set_argument_limit(at_work());
  }

  /// Commits memory for this many bytes of scalar record ahead of time.
  void reserve(std::size_t bytes);

  /// Looks at every statement from now on: see watching. Recording is several times slower
  /// meanwhile.
  void watch(watching mode) {
    watching_ = mode;
    set_argument_limit(at_work());
  }

  /// Where NaN, infinity and skipped edges came from: what was noted while statements were watched,
  /// then what the last sweep met, in the order in which it met them. Unwatched statements have no
  /// text.
  std::vector<anomaly> anomalies() const;

  /// How many edges the last sweep skipped although their partial is infinite or NaN, because
  /// nothing depended on their result.
  std::size_t suppressed() const;

  /// What a sweep does where the output does not depend on a result; skip, unless asked otherwise.
  void treat_zero_adjoints(zero_adjoints how) noexcept { zero_adjoints_ = how; }

  tape_statistics statistics() const noexcept {
    tape_statistics s;
    const recorder<T>& r = at_work();
    s.statements = code_count() - operation_count_ - block_count_;
    s.arguments = r.argument_count - block_count_;
    s.operations = operation_count_ + block_count_;
    s.places = r.places();
    s.bytes = record_bytes();
    return s;
  }

  // What the makers of variables and operations build on.

  /// Opens `count` consecutive places for inputs; gives the tag of the first.
  tag_type add_inputs(std::uint32_t count) {
    recorder<T>& r = at_work();
    const std::size_t codes = code_count();
    const bool extends = codes > 0 && codes_[codes - 1] == tape_code::inputs &&
                         (marks_.empty() || marks_.back().codes != codes);
    if (!extends && r.argument_count + 1 > r.argument_limit) make_room(r, 1);
    const tag_type tag = take_places(count);
    if (!extends) {
      codes_[codes] = tape_code::inputs;
      ++r.code_base;
      r.arguments[r.argument_count++] = 0;
      ++block_count_;
    }
    r.arguments[r.argument_count - 1] += count;
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
    if constexpr (checked_build) place(tag, "adjoint");
    if (tag - first_ >= adjoint_count_) [[unlikely]]
      refuse_adjoint(tag);
    return adjoints_[tag - first_];
  }
  /// How often the tape was rewound.
  std::uint64_t rewinds() const noexcept { return rewinds_; }
  keeping kept() const noexcept { return kept_; }

 private:
  friend tag_type record_slowly<T>(recorder<T>& r, const T& value, const T* partials,
                                   const tag_type* tags, std::size_t count, const char* text);
  template <class U, std::size_t N>
  friend class adjoint_lanes;

  struct standing_mark {
    std::size_t codes;
    std::uint32_t serial;
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
    // The block takes the room of what it buries, which a limit lowered since must not forbid.
    const std::size_t limit = std::exchange(limit_, memory_.size());
    add_inputs(static_cast<std::uint32_t>(freed));
    limit_ = limit;
    set_argument_limit(at_work());
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
  void sweep_from(const Output& y, keeping kept, Seed&& checked_seed, const position& to = {});
  template <class Output, class Seed>
  void add_from(const Output& y, keeping kept, Seed&& checked_seed);
  void continue_to(const position& to);
  void forget_sweep() noexcept {
    adjoint_count_ = swept_operations_ = 0;
    frontier_stands_ = false;
  }
  /// The first so many places and operations have adjoints, swept down to the frontier.
  void stand_at_frontier(std::size_t places, std::size_t operations) noexcept {
    adjoint_count_ = places;
    swept_operations_ = operations;
    frontier_stands_ = true;
  }
  void forget_computed_adjoints();
  void propagate_everything(const position& from, const position& to);
  position end() const noexcept {
    const recorder<T>& r = at_work();
    return {r.argument_count, code_count(), operation_count_, r.places()};
  }
  streams<T> record() const noexcept {
    const recorder<T>& r = at_work();
    return {r.partials, r.arguments, codes_, operations_};
  }
  void require_standing(const mark_type& mark, std::string_view what) const {
    // By codes, which stay in order when the serial numbers start again at 0.
    const auto at = std::ranges::lower_bound(marks_, mark.codes, {}, &standing_mark::codes);
    const bool stands = mark.codes == 0 || (at != marks_.end() && at->codes == mark.codes &&
                                            at->serial == mark.serial);
    if (mark.tape != first_ || !stands) tape_errors::foreign_mark(what);
  }
  std::span<const T> swept_places() const noexcept { return {adjoints_, adjoint_count_}; }
  void note(std::uint64_t place, const T& value, const T* partials, const tag_type* tags,
            std::size_t count, const char* text);
  recorder<T> divide_memory();
  void set_argument_limit(recorder<T>& r) noexcept;
  std::size_t largest_argument_count(const recorder<T>& r) const noexcept;
  /// Throws memory_error unless so many more arguments fit.
  void make_room(recorder<T>& r, std::size_t arguments);
  [[noreturn]] void refuse_adjoint(tag_type tag) const;
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
  void destroy_operations(std::size_t from) noexcept {
    while (operation_count_ > from) operations_[--operation_count_]->~operation<T>();
  }
  std::size_t record_bytes() const noexcept {
    return at_work().argument_count * argument_bytes + code_count() + state_bytes_ +
           operation_count_ * sizeof(operation<T>*);
  }
  std::size_t committed_bytes() const noexcept {
    return record_bytes() + at_work().places() * sizeof(T);
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
  std::size_t operation_count_ = 0, state_bytes_ = 0, block_count_ = 0;
  std::size_t adjoint_count_ = 0, swept_operations_ = 0;
  position frontier_;  // where the last sweep ended
  basic_tape* outer_;
  std::vector<standing_mark> marks_;  // by codes
  std::vector<grave> graves_;
  std::vector<anomaly> noted_;  // while watching, by place
  std::uint64_t rewinds_ = 0;
  std::uint32_t serial_ = 0;
  keeping kept_ = keep_all;
  watching watching_ = watching::off;
  zero_adjoints zero_adjoints_ = zero_adjoints::skip;
  bool frontier_stands_ = false;
};

using tape = basic_tape<double>;

template <class T>
tag_type record_slowly(recorder<T>& r, const T& value, const T* partials, const tag_type* tags,
                       std::size_t count, const char* text) {
  std::size_t live = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (tags[i] == 0) continue;
    if (!r.tape) tape_errors::foreign("statement", tags[i], 0, 0);
    r.tape->place(tags[i], "statement");
    ++live;
  }
  if (live == 0) return 0;
  if (r.argument_count + live + 1 > r.argument_limit) r.tape->make_room(r, live + 1);
  if (r.tape->watching_ != watching::off) {
    r.tape->note(r.places(), value, partials, tags, count, text);
  }
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
  if (r.argument_count + arguments <= largest_argument_count(r)) return;
  if (r.places() + arguments > most_places) tape_errors::out_of_places();
  tape_errors::out_of_memory((r.argument_count + arguments) * reserved_bytes, limit_);
}

template <class T>
template <class Output, class Seed>
void basic_tape<T>::sweep_from(const Output& y, keeping kept, Seed&& checked_seed,
                               const position& to) {
  const auto& recorded = as_recorded(y);
  const auto plant_seed = checked_seed(recorded);
  kept_ = kept;
  forget_sweep();
  frontier_ = end();
  std::fill_n(adjoints_, frontier_.places, T(0));
  for (std::size_t i = 0; i < operation_count_; ++i) operations_[i]->clear();
  plant_seed();
  stand_at_frontier(frontier_.places, frontier_.operations);
  continue_to(to);
}

template <class T>
template <class Output, class Seed>
void basic_tape<T>::add_from(const Output& y, keeping kept, Seed&& checked_seed) {
  const auto& recorded = as_recorded(y);
  const auto plant_seed = checked_seed(recorded);
  kept_ = kept;
  frontier_ = end();
  forget_computed_adjoints();
  forget_sweep();
  plant_seed();
  stand_at_frontier(frontier_.places, frontier_.operations);
  continue_to(position{});
}

// A nested tape records the arithmetic of this sweep elsewhere; this one does not grow meanwhile.
template <class T>
void basic_tape<T>::continue_to(const position& to) {
  if (!frontier_stands_ || to.codes > frontier_.codes) tape_errors::nothing_to_resume();
  // A sweep that throws leaves none. One that goes on has no adjoints for what was recorded since.
  const std::size_t places = adjoint_count_, operations = swept_operations_;
  forget_sweep();
  if (zero_adjoints_ == zero_adjoints::propagate)
    propagate_everything(frontier_, to);
  else if constexpr (std::same_as<T, double>)
    best_scalar_sweep()(*this, record(), frontier_, to, adjoints_);
  else
    autodiff::sweep(*this, record(), frontier_, to, adjoints_);
  frontier_ = to;
  stand_at_frontier(places, operations);
  if (watching_ == watching::strict) require_no_anomalies(anomalies());
}

template <class T>
void basic_tape<T>::forget_computed_adjoints() {
  std::fill(adjoints_ + adjoint_count_, adjoints_ + frontier_.places, T(0));
  walk_back(record(), frontier_, position{}, [&](const entry<T>& e) {
    if (e.kind != entry<T>::kind::inputs) std::fill_n(adjoints_ + e.place, e.places, T(0));
    if (e.swept && !e.swept->is_leaf()) e.swept->clear();
  });
}

template <class T>
void basic_tape<T>::propagate_everything(const position& from, const position& to) {
  walk_back(record(), from, to, [&](const entry<T>& e) {
    if (e.swept) e.swept->sweep(*this, static_cast<std::uint32_t>(e.place));
    const T weight = adjoints_[e.place];
    for (std::size_t i = 0; i < e.arguments.size(); ++i) {
      adjoints_[e.arguments[i]] += e.partials[i] * weight;
    }
    if (e.carries) adjoints_[e.place - 1] += weight;
  });
}

template <class T>
void basic_tape<T>::note(std::uint64_t place, const T& value, const T* partials,
                         const tag_type* tags, std::size_t count, const char* text) {
  anomaly found{anomaly::kind::recorded, place, innermost(value), 0, 0, text};
  for (std::size_t i = 0; i < count; ++i) {
    const double partial = innermost(partials[i]);
    if (tags[i] != 0 && !std::isfinite(partial) && !std::isnan(found.partial)) {
      found.partial = partial;
    }
  }
  const bool odd = std::isnan(found.value) || std::isnan(found.partial);
  if (odd && watching_ == watching::strict) require_no_anomalies({found});
  if (odd || found.partial != 0) noted_.push_back(found);
}

template <class T>
std::vector<anomaly> basic_tape<T>::anomalies() const {
  std::vector<anomaly> found = noted_;
  find_anomalies(record(), end(), frontier_, swept_places(), found);
  return found;
}

template <class T>
std::size_t basic_tape<T>::suppressed() const {
  std::vector<anomaly> found;
  find_anomalies(record(), end(), frontier_, swept_places(), found);
  return static_cast<std::size_t>(
      std::ranges::count(found, anomaly::kind::suppressed, &anomaly::what));
}

template <class T>
void basic_tape<T>::refuse_adjoint(tag_type tag) const {
  place(tag, "adjoint");
  if (adjoint_count_ == 0) tape_errors::no_sweep_yet();
  tape_errors::recorded_after_sweep();
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
  // A watched statement is one that finds the memory full.
  r.argument_limit = watching_ == watching::off ? largest_argument_count(r) : 0;
}

template <class T>
std::size_t basic_tape<T>::largest_argument_count(const recorder<T>& r) const noexcept {
  return std::min({limit_ / reserved_bytes, arguments_by_places(r), argument_capacity_});
}

template <class T>
void basic_tape<T>::reserve(std::size_t bytes) {
  const std::size_t count = bytes / reserved_bytes;
  recorder<T>& r = at_work();
  if (count > largest_argument_count(r)) tape_errors::out_of_memory(bytes, limit_);
  for (std::size_t i = r.argument_count; i < count; ++i) {
    new (r.partials + i) T(0);
    r.arguments[i] = 0;
  }
  memory_.touched(bytes);
}

// What is not worth compiling in every program; the rest is short and belongs inline.
#define AUTODIFF_COMPILED_ONCE(EXTERN)                                                             \
  EXTERN template tag_type record_slowly<double>(recorder<double>&, const double&, const double*,  \
                                                 const tag_type*, std::size_t, const char*);       \
  EXTERN template void basic_tape<double>::continue_to(const position&);                           \
  EXTERN template void basic_tape<double>::forget_computed_adjoints();                             \
  EXTERN template void basic_tape<double>::propagate_everything(const position&, const position&); \
  EXTERN template void basic_tape<double>::note(std::uint64_t, const double&, const double*,       \
                                                const tag_type*, std::size_t, const char*);        \
  EXTERN template std::vector<anomaly> basic_tape<double>::anomalies() const;                      \
  EXTERN template std::size_t basic_tape<double>::suppressed() const;                              \
  EXTERN template recorder<double> basic_tape<double>::divide_memory();                            \
  EXTERN template void basic_tape<double>::make_room(recorder<double>&, std::size_t);              \
  EXTERN template void basic_tape<double>::refuse_adjoint(tag_type) const;                         \
  EXTERN template void basic_tape<double>::reserve(std::size_t);
AUTODIFF_COMPILED_ONCE(extern)

}  // namespace autodiff
