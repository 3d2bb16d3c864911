#pragma once
// The record and the sweep. While a tape lives, every statement over its variables appends one
// record (recorder.hpp): the partial derivatives and places of its arguments. backward() walks the
// records once, newest first (sweep.hpp), and nothing else is needed for the gradient of any
// program. Tensor operations are records in the same order, with a sweep of their own.

#include <autodiff/adjoints.hpp>
#include <autodiff/anomaly.hpp>
#include <autodiff/misuse.hpp>
#include <autodiff/record.hpp>
#include <autodiff/recorder.hpp>
#include <autodiff/statistics.hpp>
#include <autodiff/sweep.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
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

/// A tape records on the thread that made it, from construction to destruction; tapes nest, the
/// youngest records. Adjoints live on the tape: threads that share leaves do not race. Not
/// copyable; to be destroyed on its own thread. Marks, limits, watching and statistics are those of
/// its record (record.hpp).
template <class T>
class basic_tape : public basic_record<T> {
  static_assert(std::is_trivially_copyable_v<T>,
                "the streams of a tape hold trivially copyable numbers");
  using base = basic_record<T>;

 public:
  using value_type = T;
  using base::end;
  using base::record;
  using typename base::mark_type;

  /// Starts recording. Throws memory_error when no address space is left.
  basic_tape() : base(*this), adjoints_(base::record(), base::adjoint_stream()) {}

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
    sweep_from("backward", position{}, kept, y);
  }

  /// The same from any output with its cotangent: afterwards adjoint(x) is the vector-Jacobian
  /// product. cotangent: a number for a var, a tensor of y's shape for a tensor, a vector or array
  /// of numbers for a vector or array of vars (of which passive ones have no share).
  template <class Output, class Cotangent>
  requires(!std::same_as<Cotangent, keeping>) void backward(const Output& y,
                                                            const Cotangent& cotangent,
                                                            keeping kept = keep_all) {
    sweep_from("backward", position{}, kept, y, cotangent);
  }

  /// The same, added to the adjoints that variables and leaf tensors have from earlier sweeps:
  /// gradients of a sum, term by term, also when the terms were recorded one after the other
  /// between rewinds. Adjoints of what was computed are those of this sweep alone.
  template <class Output>
  void accumulate(const Output& y, keeping kept = keep_all) {
    add_from("accumulate", kept, y);
  }
  template <class Output, class Cotangent>
  requires(!std::same_as<Cotangent, keeping>) void accumulate(const Output& y,
                                                              const Cotangent& cotangent,
                                                              keeping kept = keep_all) {
    add_from("accumulate", kept, y, cotangent);
  }

  /// Sweeps from y back to a mark and no further: afterwards adjoint(x) is dy/dx for what was
  /// recorded after the mark, and for anything before it the part that flows through what was
  /// recorded after. resume_to() goes on from there. Throws tape_error like rewind() for the mark,
  /// like backward() for y.
  template <class Output>
  void backward_to(const mark_type& mark, const Output& y) {
    this->require_standing(mark, "backward_to");
    sweep_from("backward_to", mark, keep_all, y);
  }
  template <class Output, class Cotangent>
  void backward_to(const mark_type& mark, const Output& y, const Cotangent& cotangent) {
    this->require_standing(mark, "backward_to");
    sweep_from("backward_to", mark, keep_all, y, cotangent);
  }
  /// Goes on where the last sweep ended, down to an older mark or to the start. Throws tape_error
  /// when that place was rewound.
  void resume_to(const mark_type& mark) {
    this->require_standing(mark, "resume_to");
    continue_to(mark, "resume_to");
  }
  void resume() { continue_to(position{}, "resume"); }
  /// Adds to the adjoint of x between partial sweeps. Throws tape_error where x has none yet, like
  /// adjoint().
  template <class Variable, class Number>
  void add_adjoint(const Variable& x, const Number& share) {
    require_adjoint(*this, "add_adjoint", x);
    seed(*this, "add_adjoint", x, share)();
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

  /// What this var or tensor is called in graphs and explanations: a variable in place of "x1", or
  /// anything else that was recorded. Copies are the same, and the last name counts. Throws
  /// tape_error when x is passive or of another tape. On a tape that is not explained it does
  /// nothing.
  template <class Variable>
  void name(const Variable& x, std::string_view name) {
    if (this->is_explained()) give_name(*this, x, name);
  }

  /// Forgets everything after the mark and keeps the memory. Adjoints of what stays remain
  /// readable. Throws tape_error for a mark of another tape or of a part that was rewound since,
  /// even when that part was recorded again.
  void rewind(const mark_type& mark) {
    this->require_standing(mark, "rewind");
    if (this->cut(mark)) adjoints_.cut(mark);
  }
  /// Forgets everything.
  void rewind() {
    mark_type start{};
    start.tape = this->first();
    rewind(start);
  }

  /// Where NaN, infinity and skipped edges came from: what was noted while statements were watched,
  /// then what the last sweep met, in the order in which it met them. Unwatched statements have no
  /// text.
  std::vector<anomaly> anomalies() const;

  /// How many edges the last sweep skipped although their partial is infinite or NaN, because
  /// nothing depended on their result.
  std::size_t suppressed() const;

  /// What a sweep does where the output does not depend on a result; skip, unless asked otherwise.
  void treat_zero_adjoints(zero_adjoints how) noexcept { adjoints_.zeros = how; }

  // What the sweeps of operations and the readers of adjoints build on.

  /// The adjoint at a place during a sweep.
  T& adjoint_at(std::uint32_t place) noexcept { return adjoints_[place]; }
  /// The adjoint of a scalar after a sweep. Throws tape_error, naming `what`, where there is none.
  const T& swept_adjoint(tag_type tag, std::string_view what = "adjoint") const {
    if constexpr (checked_build) this->place(tag, what);
    if (tag - this->first() >= adjoints_.places()) [[unlikely]]
      refuse_adjoint(tag, what);
    return adjoints_[tag - this->first()];
  }
  /// Throws tape_error, naming `what`, unless the operation at this tag has been swept by the last
  /// backward.
  void require_swept(tag_type tag, std::string_view what) const {
    if (adjoints_.is_empty()) tape_errors::no_sweep_yet(what);
    if (tag - this->first() >= adjoints_.operations()) tape_errors::recorded_after_sweep(what);
  }
  keeping kept() const noexcept { return kept_; }
  /// The tag of a place, or of an operation, by its number.
  tag_type tag_at(std::uint64_t number) const noexcept { return this->first() + number; }

 private:
  // In the name of `what`.
  template <class Output, class... Cotangent>
  void sweep_from(std::string_view what, const position& to, keeping kept, const Output& y,
                  const Cotangent&... cotangent);
  template <class Output, class... Cotangent>
  void add_from(std::string_view what, keeping kept, const Output& y,
                const Cotangent&... cotangent);
  void continue_to(const position& to, std::string_view what);
  [[noreturn]] void refuse_adjoint(tag_type tag, std::string_view what) const;

  swept_adjoints<T> adjoints_;
  keeping kept_ = keep_all;
};

using tape = basic_tape<double>;

template <class T>
template <class Output, class... Cotangent>
void basic_tape<T>::sweep_from(std::string_view what, const position& to, keeping kept,
                               const Output& y, const Cotangent&... cotangent) {
  const auto& recorded = as_recorded(y);
  // Refused before anything is changed.
  const auto plant_seed = seed(*this, what, recorded, cotangent...);
  kept_ = kept;
  adjoints_.start(end(), plant_seed);
  continue_to(to, what);
}

template <class T>
template <class Output, class... Cotangent>
void basic_tape<T>::add_from(std::string_view what, keeping kept, const Output& y,
                             const Cotangent&... cotangent) {
  const auto& recorded = as_recorded(y);
  const auto plant_seed = seed(*this, what, recorded, cotangent...);
  kept_ = kept;
  adjoints_.start_again(end(), plant_seed);
  continue_to(position{}, what);
}

template <class T>
void basic_tape<T>::continue_to(const position& to, std::string_view what) {
  if (!adjoints_.reaches(to)) tape_errors::nothing_to_resume(what);
  adjoints_.sweep_to(*this, to);
  if (this->watched().mode == watching::strict) require_no_anomalies(anomalies());
}

template <class T>
std::vector<anomaly> basic_tape<T>::anomalies() const {
  std::vector<anomaly> found = this->watched().noted();
  find_anomalies(record(), end(), adjoints_.frontier(), adjoints_.swept(), found);
  return found;
}

template <class T>
std::size_t basic_tape<T>::suppressed() const {
  std::vector<anomaly> found;
  find_anomalies(record(), end(), adjoints_.frontier(), adjoints_.swept(), found);
  return static_cast<std::size_t>(
      std::ranges::count(found, anomaly::kind::suppressed, &anomaly::what));
}

template <class T>
void basic_tape<T>::refuse_adjoint(tag_type tag, std::string_view what) const {
  this->place(tag, what);
  if (adjoints_.places() == 0) tape_errors::no_sweep_yet(what);
  tape_errors::recorded_after_sweep(what);
}

// What is not worth compiling in every program; the rest is short and belongs inline.
#define AUTODIFF_COMPILED_ONCE(EXTERN)                                                         \
  EXTERN template record_storage<double>::record_storage();                                    \
  EXTERN template void record_storage<double>::reserve(std::size_t, std::size_t);              \
  EXTERN template void basic_record<double>::make_room(recorder<double>&, std::size_t);        \
  EXTERN template tag_type record_slowly<double>(recorder<double>&,                            \
                                                 const spelled_statement<double>&);            \
  EXTERN template void swept_adjoints<double>::sweep_to(basic_tape<double>&, const position&); \
  EXTERN template void swept_adjoints<double>::clear_computed(const position&);                \
  EXTERN template void swept_adjoints<double>::propagate_everything(basic_tape<double>&,       \
                                                                    const position&);          \
  EXTERN template void basic_tape<double>::continue_to(const position&, std::string_view);     \
  EXTERN template std::vector<anomaly> basic_tape<double>::anomalies() const;                  \
  EXTERN template std::size_t basic_tape<double>::suppressed() const;                          \
  EXTERN template void basic_tape<double>::refuse_adjoint(tag_type, std::string_view) const;
AUTODIFF_COMPILED_ONCE(extern)

}  // namespace autodiff
