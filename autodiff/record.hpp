#pragma once
// What a tape has recorded, in the order in which it happened: statements, blocks of inputs and
// operations. The recorder of this thread (recorder.hpp) appends to it while its tape is the
// youngest; a rewind takes back what came after a mark.

#include <autodiff/anomaly.hpp>
#include <autodiff/expression.hpp>
#include <autodiff/marks.hpp>
#include <autodiff/misuse.hpp>
#include <autodiff/notebook.hpp>
#include <autodiff/operations.hpp>
#include <autodiff/recorder.hpp>
#include <autodiff/statistics.hpp>
#include <autodiff/storage.hpp>
#include <autodiff/sweep.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

namespace autodiff {

/// The number of a new tape, unique in the process.
std::uint32_t next_tape_number() noexcept;

/// The part of a tape that grows. Its public members are the tape's.
template <class T>
class basic_record {
 public:
  /// A position in the record, to rewind or to sweep to.
  using mark_type = tape_mark;

  basic_record(const basic_record&) = delete;
  basic_record& operator=(const basic_record&) = delete;

  /// The present end of the record.
  mark_type mark() {
    const position here = end();
    return {here, operations_.state_bytes(), block_count_, first_, marks_.set(here.codes)};
  }

  /// Bounds the memory of scalar statements and their adjoints, in bytes, those of inputs not
  /// counted; recording beyond it throws memory_error.
  void limit(std::size_t bytes) {
    storage_.limit(bytes);
    set_argument_limit(at_work());
  }

  /// Commits memory for this many bytes of scalar record ahead of time. Throws memory_error when
  /// they are more than the limit.
  void reserve(std::size_t bytes) {
    const recorder<T>& r = at_work();
    if (bytes / record_storage<T>::bytes_by_argument > largest_argument_count(r)) {
      tape_errors::out_of_memory(bytes, storage_.limit());
    }
    storage_.reserve(r.argument_count, bytes);
  }

  /// Looks at every statement from now on: see watching. Recording is several times slower
  /// meanwhile.
  void watch(watching mode) {
    watch_.mode = mode;
    set_argument_limit(at_work());
  }
  /// Whether it notes all that a graph shows.
  bool is_explained() const noexcept { return watch_.mode == watching::explained; }
  /// What it noted.
  const notebook& notes() const noexcept { return notes_; }
  notebook& notes() noexcept { return notes_; }

  tape_statistics statistics() const noexcept {
    tape_statistics s;
    const recorder<T>& r = at_work();
    s.statements = code_count() - operations_.size() - block_count_;
    s.arguments = r.argument_count - block_count_;
    s.operations = operations_.size() + block_count_;
    s.places = r.places();
    s.bytes = bytes();
    return s;
  }

  // What the makers of variables and operations build on.

  /// Opens `count` consecutive places for inputs; gives the tag of the first.
  tag_type add_inputs(std::uint32_t count) {
    recorder<T>& r = at_work();
    const std::size_t codes = code_count();
    const bool extends =
        codes > 0 && storage_.codes()[codes - 1] == tape_code::inputs && !marks_.is_set(codes);
    if (!extends && r.argument_count + 1 > r.argument_limit) make_room(r, 1);
    require_places(r, count);
    const tag_type tag = r.next;
    take_places(r, count);
    if (!extends) {
      storage_.codes()[codes] = tape_code::inputs;
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
    return add_object<Operation>(tape_code::operation, scalars,
                                 std::forward<Arguments>(arguments)...);
  }
  /// Appends one that is never swept: its adjoint may be accumulated over sweeps.
  template <class Leaf, class... Arguments>
  Leaf& add_leaf(Arguments&&... arguments) {
    return add_object<Leaf>(tape_code::leaf, 0, std::forward<Arguments>(arguments)...);
  }
  /// Appends at most `count` leaves that own nothing: make_all(make) calls make(arguments...) for
  /// each of them, which gives its tag and serial, and records nothing else. None is recorded when
  /// it throws.
  template <class Leaf, class MakeAll>
  void add_leaves(std::size_t count, MakeAll&& make_all) {
    recorder<T>& r = at_work();
    std::uint8_t* code = r.next_code();
    require_codes(code, count);
    const tag_type first = first_;
    r.code_base += operations_.template add_run<Leaf>(
        count, [&](auto&& make) __attribute__((always_inline)) {
          make_all([&](auto&&... arguments) __attribute__((always_inline)) {
            const auto [index, serial] = make(std::forward<decltype(arguments)>(arguments)...);
            *code++ = tape_code::leaf;
            return identity{first + index, serial};
          });
        });
  }

  /// How a variable finds its operation: what operation_at takes.
  struct identity {
    tag_type tag;
    std::uint32_t serial;
  };
  /// Tag of the youngest operation; its lower half is the index for operation_at.
  tag_type operation_tag() const noexcept { return first_ + operations_.size() - 1; }
  /// Tag of the youngest scalar.
  tag_type youngest_place() const noexcept { return at_work().next - 1; }
  /// Serial of the youngest operation.
  std::uint32_t serial() const noexcept { return operations_.serial(); }
  /// The operation with this tag and serial. Throws tape_error (naming `what`) for one of another
  /// tape or one that was rewound, even when another stands in its place by now.
  [[gnu::always_inline]] operation<T>& operation_at(tag_type tag, std::uint32_t serial,
                                                    std::string_view what) const {
    if (!operations_.holds(tag - first_, serial)) [[unlikely]]
      refuse_operation(tag, what);
    return operations_[tag - first_];
  }

  /// The place of a recorded scalar. Throws tape_error (naming `what`) when it is not of this tape.
  std::uint32_t place(tag_type tag, std::string_view what) const {
    if (tag == 0) tape_errors::passive(what);
    const std::uint64_t places = at_work().places();
    if (tag - first_ >= places) tape_errors::foreign(what, tag, first_, places);
    if constexpr (checked_build) {
      if (const auto buried = graves_.find(tag - first_)) {
        tape_errors::foreign(what, tag, first_, *buried);
      }
    }
    return static_cast<std::uint32_t>(tag - first_);
  }
  /// How often the tape was rewound.
  std::uint64_t rewinds() const noexcept { return rewinds_; }

  /// How far the record has come, and its streams, to be read from there.
  position end() const noexcept {
    const recorder<T>& r = at_work();
    return {r.argument_count, code_count(), operations_.size(), r.places()};
  }
  streams<T> record() const noexcept {
    return {storage_.partials(), storage_.arguments(), storage_.codes(), operations_.data()};
  }

 protected:
  /// Makes the record of this tape the one that this thread appends to. Throws memory_error when no
  /// address space is left.
  explicit basic_record(basic_tape<T>& tape);
  ~basic_record();

  /// Throws tape_error (naming `what`) unless one can rewind to this mark.
  void require_standing(const mark_type& mark, std::string_view what) const {
    if (mark.tape != first_ || !marks_.holds(mark.codes, mark.serial)) {
      tape_errors::foreign_mark(what);
    }
  }
  /// Forgets everything after a mark that stands. Returns whether there was anything.
  bool cut(const mark_type& mark);

  tag_type first() const noexcept { return first_; }
  T* adjoint_stream() const noexcept { return storage_.adjoints(); }
  const statement_watch& watched() const noexcept { return watch_; }

 private:
  friend tag_type record_slowly<T>(recorder<T>& r, const spelled_statement<T>& s);

  /// The recorder of this tape, whether it is the one that records now or an inner tape is.
  recorder<T>& at_work() noexcept {
    return active_recorder<T>.tape == this ? active_recorder<T> : parked_;
  }
  const recorder<T>& at_work() const noexcept {
    return active_recorder<T>.tape == this ? active_recorder<T> : parked_;
  }
  std::size_t code_count() const noexcept {
    return static_cast<std::size_t>(at_work().next_code() - storage_.codes());
  }

  template <class Object, class... Arguments>
  Object& add_object(std::uint8_t kind, std::uint32_t scalars, Arguments&&... arguments) {
    recorder<T>& r = at_work();
    std::uint8_t* const code = r.next_code();
    require_codes(code, 1);
    require_places(r, scalars);
    // First, since the compiler takes a store of bytes for a change of all that it has read; of no
    // effect where the next one throws.
    *code = kind;
    Object& made = operations_.template add<Object>(scalars, std::forward<Arguments>(arguments)...);
    take_places(r, scalars);
    ++r.code_base;
    return made;
  }

  void require_codes(const std::uint8_t* next, std::size_t count) const {
    const std::size_t capacity = storage_.capacity();
    if (static_cast<std::size_t>(storage_.codes() + capacity - next) < count) [[unlikely]]
      tape_errors::out_of_memory(capacity + count, capacity);
  }
  std::uint64_t places_left(const recorder<T>& r) const noexcept {
    return std::min<std::uint64_t>(most_places, storage_.capacity()) - r.places();
  }
  void require_places(const recorder<T>& r, std::uint32_t count) const {
    if (count > places_left(r)) tape_errors::out_of_places();
  }
  void take_places(recorder<T>& r, std::uint32_t count) noexcept {
    if (count == 0) return;
    r.next += count;
    r.code_base -= count;
    r.argument_limit = std::min(r.argument_limit, arguments_by_places(r));
  }
  /// Arguments that may be recorded before places run out: every statement takes one of each at
  /// least.
  std::size_t arguments_by_places(const recorder<T>& r) const noexcept {
    return r.argument_count + places_left(r);
  }
  std::size_t largest_argument_count(const recorder<T>& r) const noexcept {
    return std::min(storage_.allowed(), arguments_by_places(r));
  }
  void set_argument_limit(recorder<T>& r) noexcept {
    // A watched statement is one that finds the memory full.
    r.argument_limit = watch_.mode == watching::off ? largest_argument_count(r) : 0;
  }
  [[noreturn, gnu::noinline]] void refuse_operation(tag_type tag, std::string_view what) const {
    if (tag == 0) tape_errors::passive(what);
    tape_errors::foreign(what, tag, first_, operations_.size());
  }
  /// Throws memory_error unless so many more arguments fit.
  void make_room(recorder<T>& r, std::size_t arguments);
  /// In the checked build a rewind leaves the places it frees behind as a block of inputs.
  void bury(std::uint64_t freed);

  std::size_t bytes() const noexcept {
    return at_work().argument_count * record_storage<T>::argument_bytes + code_count() +
           operations_.bytes();
  }
  std::size_t committed_bytes() const noexcept { return bytes() + at_work().places() * sizeof(T); }

  record_storage<T> storage_;
  operation_stack<T> operations_{storage_.operations(), storage_.states()};
  tag_type first_;
  recorder<T> parked_;   // while an inner tape records
  basic_record* outer_;  // records again when this one is gone
  standing_marks marks_;
  graves graves_;
  statement_watch watch_;
  notebook notes_;
  std::size_t block_count_ = 0;
  std::uint64_t rewinds_ = 0;
};

template <class T>
basic_record<T>::basic_record(basic_tape<T>& tape)
    : first_(tag_type{next_tape_number()} << 32), outer_(active_recorder<T>.tape) {
  if (outer_) outer_->parked_ = active_recorder<T>;
  recorder<T> r;
  r.tape = &tape;
  r.first = r.next = first_;
  r.partials = storage_.partials();
  r.arguments = storage_.arguments();
  r.code_base = reinterpret_cast<std::uintptr_t>(storage_.codes()) - r.next;
  set_argument_limit(r);
  active_recorder<T> = r;
}

template <class T>
basic_record<T>::~basic_record() {
  storage_.touched(committed_bytes());
  if (active_recorder<T>.tape == this) {
    active_recorder<T> = outer_ ? outer_->parked_ : recorder<T>{};
    return;
  }
  for (basic_record* inner = active_recorder<T>.tape; inner; inner = inner->outer_) {
    if (inner->outer_ == this) {
      inner->outer_ = outer_;
      return;
    }
  }
}

template <class T>
bool basic_record<T>::cut(const mark_type& mark) {
  ++rewinds_;
  recorder<T>& r = at_work();
  if (r.next_code() == storage_.codes() + mark.codes) return false;
  storage_.touched(committed_bytes());
  operations_.cut(mark.operations, mark.states);
  const std::uint64_t freed = r.places() - mark.places;
  r.argument_count = mark.arguments;
  r.next = first_ + mark.places;
  r.code_base = reinterpret_cast<std::uintptr_t>(storage_.codes() + mark.codes) - r.next;
  block_count_ = mark.blocks;
  marks_.cut(mark.codes);
  watch_.cut(mark.places);
  notes_.cut(mark);
  if constexpr (checked_build) bury(freed);
  return true;
}

template <class T>
void basic_record<T>::bury(std::uint64_t freed) {
  const std::uint64_t from = at_work().places();
  graves_.bury(from, from + freed);
  if (freed == 0) return;
  // The block takes the room of what it buries, which a limit lowered since must not forbid.
  const std::size_t asked = storage_.limit();
  limit(storage_.capacity() * record_storage<T>::bytes_by_argument);
  add_inputs(static_cast<std::uint32_t>(freed));
  limit(asked);
}

template <class T>
void basic_record<T>::make_room(recorder<T>& r, std::size_t arguments) {
  set_argument_limit(r);
  if (r.argument_count + arguments <= largest_argument_count(r)) return;
  if (r.places() + arguments > most_places) tape_errors::out_of_places();
  tape_errors::out_of_memory((r.argument_count + arguments) * record_storage<T>::bytes_by_argument,
                             storage_.limit());
}

template <class T>
tag_type record_slowly(recorder<T>& r, const spelled_statement<T>& s) {
  std::size_t live = 0;
  for (std::size_t i = 0; i < s.leaves; ++i) {
    if (!s.is_argument(i)) continue;
    if (!r.tape) tape_errors::foreign("statement", s.tags[i], 0, 0);
    r.tape->place(s.tags[i], "statement");
    ++live;
  }
  if (live == 0) return 0;
  if (r.argument_count + live + 1 > r.argument_limit) r.tape->make_room(r, live + 1);
  r.tape->watch_.note(r.places(), s);
  if (r.tape->is_explained()) r.tape->notes_.add_statement(r.places(), r.first, s);
  for (std::size_t i = 0; i < s.leaves; ++i) {
    if (!s.is_argument(i)) continue;
    new (r.partials + r.argument_count) T(s.partials[i]);
    r.arguments[r.argument_count++] = static_cast<std::uint32_t>(s.tags[i]);
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

}  // namespace autodiff
