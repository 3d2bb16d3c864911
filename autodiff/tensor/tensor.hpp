#pragma once
// An array that remembers how it was computed. A tensor is a value: copies share storage, writing
// to one never changes another. It is passive until it is computed from a variable of a tape; then
// it carries the place of its record, and its adjoint can be read after a sweep.
//
// A structured operation is one function: it computes the values and calls record() with its
// pullback, a lambda that receives the adjoint of the result and the adjoints of the inputs to add
// to. A pullback that takes the former as array<T>& may compute in its place: writable() copies it
// only where somebody else needs it.

#include <autodiff/dual.hpp>
#include <autodiff/operation_rule.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/nested_list.hpp>
#include <autodiff/tensor/tensor_node.hpp>
#include <autodiff/var.hpp>

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace autodiff {

template <class T>
class tensor;

namespace tensor_errors {
[[noreturn]] void recorded_values();
[[noreturn]] void not_one_item(const shape& s);
}  // namespace tensor_errors

/// The element at a row-major index as a scalar on the tape; passive for a passive tensor.
template <std::floating_point T>
var element(const tensor<T>& x, std::size_t index);

template <class T>
class tensor {
 public:
  using value_type = T;

  /// No elements.
  tensor() = default;
  /// Rank 0. A template, so that braces around one number are a list: {0.5} has shape [1].
  template <class Number>
  requires std::convertible_to<const Number&, T>
  explicit tensor(const Number& value) : values_(autodiff::shape{}, T(value)) {}
  /// Every element the same.
  explicit tensor(const autodiff::shape& s, const T& fill = T(0)) : values_(s, fill) {}
  /// Values undefined; for makers of operations.
  static tensor undefined(const autodiff::shape& s) { return tensor(s, undefined_values{}); }
  /// Row-major values. Throws shape_error when their number is not s.size().
  tensor(const autodiff::shape& s, std::span<const T> values);
  /// Nested braces, which may be empty, give the rank and the extents: {{1.0}, {2.0}} has shape
  /// [2, 1]. Throws shape_error when lists of one depth differ in length.
  tensor(std::initializer_list<nested_list<T>> values);
  /// A passive tensor over these values.
  explicit tensor(const array<T>& values) : values_(values) {}
  explicit tensor(array<T>&& values) : values_(std::move(values)) {}
  /// A recorded one; for makers of operations.
  tensor(const array<T>& values, tag_type tag, std::uint32_t serial)
      : values_(values), tag_(tag), serial_(serial) {}

  const autodiff::shape& shape() const noexcept { return values_.shape(); }
  std::size_t rank() const noexcept { return shape().rank(); }
  std::size_t size() const noexcept { return values_.size(); }
  /// Row-major values. Those of a strided view are copied at the first call.
  std::span<const T> values() const { return values_.values(); }
  /// Whether the values lie row by row without gaps; false for most views.
  bool is_contiguous() const noexcept { return values_.is_contiguous(); }
  const array<T>& stored() const noexcept { return values_; }
  /// The number at these indices, one per axis. Throws shape_error when they do not fit.
  template <std::convertible_to<std::ptrdiff_t>... Indices>
  const T& value(Indices... indices) const {
    return values_.data()[flat_index(indices...)];
  }
  /// The number of a tensor with one element, of any rank. Throws shape_error otherwise.
  const T& item() const {
    if (size() != 1) [[unlikely]]
      tensor_errors::not_one_item(shape());
    return *values_.data();
  }
  /// Writable values of a passive tensor; shared storage is copied first. Throws tape_error for a
  /// recorded one: its pullbacks need the values as they were.
  std::span<T> mutable_values() {
    if (is_recorded()) [[unlikely]]
      tensor_errors::recorded_values();
    T* data = values_.writable();
    return {data, size()};
  }

  /// The element at these indices as a scalar to compute with: a recorded var for float and double,
  /// the dual itself for duals. Throws shape_error when the indices do not fit.
  template <std::convertible_to<std::ptrdiff_t>... Indices>
  auto operator()(Indices... indices) const {
    if constexpr (std::floating_point<T>)
      return element(*this, flat_index(indices...));
    else
      return values_.data()[flat_index(indices...)];
  }
  /// The same for rank 1.
  auto operator[](std::ptrdiff_t index) const { return (*this)(index); }

  tag_type tag() const noexcept { return tag_; }
  std::uint32_t serial() const noexcept { return serial_; }
  bool is_recorded() const noexcept { return tag_ != 0; }
  /// The same values as a constant.
  tensor detached() const { return tensor(values_); }
  /// Makes this tensor itself the constant.
  void detach() noexcept { attach(0, 0); }
  /// Makes it the recorded tensor at this place; for attach() below.
  void attach(tag_type tag, std::uint32_t serial) noexcept {
    tag_ = tag;
    serial_ = serial;
  }
  /// Makes it a constant of this shape whose values are still to come; for attach() below.
  array<T>& clear(const autodiff::shape& s) noexcept {
    detach();
    values_.deallocate(s);
    return values_;
  }

 private:
  struct undefined_values {};
  tensor(const autodiff::shape& s, undefined_values) : values_(s) {}

  template <class... Indices>
  std::size_t flat_index(Indices... indices) const {
    const std::array<std::ptrdiff_t, sizeof...(Indices)> at{
        static_cast<std::ptrdiff_t>(indices)...};
    return shape().flat_index(at);
  }

  array<T> values_;
  tag_type tag_ = 0;
  std::uint32_t serial_ = 0;
};

// tensor({{1.0, 2.0}}) is one of double.
template <class T>
tensor(std::initializer_list<T>) -> tensor<T>;
template <class T>
tensor(std::initializer_list<std::initializer_list<T>>) -> tensor<T>;
template <class T>
tensor(std::initializer_list<std::initializer_list<std::initializer_list<T>>>) -> tensor<T>;

/// The tape on which an operation over active tensors records. Throws tape_error when this thread
/// has none.
inline tape& recording_tape(std::string_view operation, tag_type argument) {
  tape* recording = active_recorder<double>.tape;
  if (!recording) tape_errors::foreign(operation, argument, 0, 0);
  return *recording;
}

template <class T>
[[gnu::always_inline]] inline input_adjoint<T> find_adjoint(const tape& t, const tensor<T>& input,
                                                            std::string_view operation) {
  if (!input.is_recorded()) return input_adjoint<T>(nullptr);
  auto& node = t.operation_at(input.tag(), input.serial(), operation);
  return input_adjoint<T>(static_cast<tensor_node<T>*>(&node));
}

/// Notes of an explained tape what was recorded last: an operation with this result, and its
/// operands one by one.
template <class T>
void note_result(tape& t, const operation_rule& operation, const array<T>& y);
template <class T>
void note_operand(tape& t, const tensor<T>& x);
template <class T, class... Inputs>
[[gnu::noinline, gnu::cold]] void note_operation(tape& t, const operation_rule& operation,
                                                 const array<T>& y,
                                                 const tensor<Inputs>&... inputs) {
  note_result(t, operation, y);
  (note_operand(t, inputs), ...);
}

/// Whether the tape of this thread is explained: then operations are recorded one by one that are
/// otherwise recorded as one.
inline bool is_explained() noexcept {
  const tape* recording = active_recorder<double>.tape;
  return recording && recording->is_explained();
}

/// Notes the number that stood as operand `slot` of the operation that y was computed by just now.
template <class T>
void note_number(const tensor<T>& y, std::size_t slot, const T& number) {
  if (y.is_recorded() && is_explained()) [[unlikely]]
    active_recorder<double>.tape->notes().add_number(slot, innermost(number));
}

/// Makes y, computed from `inputs` by `operation`, a recorded tensor when an input is recorded. The
/// rule is to be static, so that it costs nothing where nobody reads it.
/// pullback(dy, dinput...) adds to each dinput that is there its vector-Jacobian product with dy.
/// Since moving a pullback onto the tape is a good part of recording a small tensor, this one is
/// made there: by make_pullback(), where y is recorded.
template <class T, std::invocable MakePullback, class... Inputs>
void record(const operation_rule& operation, tensor<T>& y, const MakePullback& make_pullback,
            const tensor<Inputs>&... inputs) {
  const tag_type tags = (inputs.tag() | ...);
  if (tags == 0) return;
  tape& t = recording_tape(operation, tags);
  using pullback = std::invoke_result_t<const MakePullback&>;
  t.add_operation<recorded_operation<T, pullback, Inputs...>>(
      0, y.shape(), make_pullback, find_adjoint(t, inputs, operation)...);
  y.attach(t.operation_tag(), t.serial());
  if (t.is_explained()) [[unlikely]]
    note_operation(t, operation, y.stored(), inputs...);
}
/// The same with the pullback itself.
template <class T, class Pullback, class... Inputs>
requires(!std::is_reference_v<Pullback> &&
         !std::invocable<Pullback>) void record(const operation_rule& operation, tensor<T>& y,
                                                Pullback&& pullback,
                                                const tensor<Inputs>&... inputs) {
  record(
      operation, y, [&] { return std::forward<Pullback>(pullback); }, inputs...);
}
/// The same of values that are no tensor yet.
template <class T, class Pullback, class... Inputs>
requires(!std::is_reference_v<Pullback>) tensor<T> record(const operation_rule& operation,
                                                          array<T> y, Pullback&& pullback,
                                                          const tensor<Inputs>&... inputs) {
  tensor<T> recorded(std::move(y));
  record(operation, recorded, std::forward<Pullback>(pullback), inputs...);
  return recorded;
}

/// Filled tensors.
template <class T>
tensor<T> zeros(const shape& s) {
  return tensor<T>(s, T(0));
}
template <class T>
tensor<T> ones(const shape& s) {
  return tensor<T>(s, T(1));
}

/// Nested brackets; long axes are cut in the middle.
template <class T>
std::string to_string(const tensor<T>& x);
template <class T>
std::ostream& operator<<(std::ostream& out, const tensor<T>& x);

// The hooks through which a tape makes, seeds and reads tensors.

template <class T>
tensor<T> make_variable(tape& t, const tensor<T>& value) {
  t.add_leaf<owning_tensor_node<T>>(value.shape());
  return tensor<T>(value.stored(), t.operation_tag(), t.serial());
}

/// x = t.variable(x), without a copy; x.detach() takes it back.
template <class T>
void attach(tape& t, tensor<T>& x) {
  t.add_leaf<owning_tensor_node<T>>(x.shape());
  x.attach(t.operation_tag(), t.serial());
}
/// The same for many: attach_all(attach_one) calls attach_one(x, adjoint) for each of them, at most
/// `count`. Sweeps put the adjoint of x into `adjoint`, whose storage is used again; it has no
/// values where they add nothing. It is to stay where it is until the tape is rewound.
template <class T, class AttachAll>
void attach(tape& t, std::size_t count, AttachAll&& attach_all) {
  t.add_leaves<tensor_node<T>>(
      count, [&](auto&& make) __attribute__((always_inline)) {
        attach_all([&](tensor<T> & x, tensor<T> & adjoint) __attribute__((always_inline)) {
          const auto [tag, serial] = make(adjoint.clear(x.shape()));
          x.attach(tag, serial);
        });
      });
}

template <class T>
const tensor<T>& as_recorded(const tensor<T>& y) {
  return y;
}

namespace tensor_errors {
[[noreturn]] void not_scalar(std::string_view operation, const shape& s);
[[noreturn]] void cotangent_shape(std::string_view operation, const shape& y,
                                  const shape& cotangent);
[[noreturn]] void adjoint_released(std::string_view operation, const shape& s);
[[noreturn]] void recorded_argument(std::string_view operation, const shape& s);
}  // namespace tensor_errors

template <class T>
auto seed(tape& t, std::string_view what, const tensor<T>& y, const tensor<T>& cotangent) {
  auto* node = static_cast<tensor_node<T>*>(&t.operation_at(y.tag(), y.serial(), what));
  if (y.shape() != cotangent.shape())
    tensor_errors::cotangent_shape(what, y.shape(), cotangent.shape());
  return [node, cotangent] { node->add(cotangent.stored()); };
}
template <class T>
auto seed(tape& t, std::string_view what, const tensor<T>& y) {
  if (y.size() != 1) tensor_errors::not_scalar(what, y.shape());
  auto* node = static_cast<tensor_node<T>*>(&t.operation_at(y.tag(), y.serial(), what));
  return [node] {
    const auto [data, how] = node->open();
    *data = how == store::write ? T(1) : *data + T(1);
  };
}

template <class T>
tensor_node<T>& require_adjoint(const tape& t, std::string_view what, const tensor<T>& x) {
  auto& node = static_cast<tensor_node<T>&>(t.operation_at(x.tag(), x.serial(), what));
  t.require_swept(x.tag(), what);
  if (node.is_released()) tensor_errors::adjoint_released(what, x.shape());
  return node;
}

template <class T>
tensor<T> adjoint_of(const tape& t, const tensor<T>& x) {
  const tensor_node<T>& node = require_adjoint(t, "adjoint", x);
  return node.adjoint().has_storage() ? tensor<T>(node.adjoint()) : tensor<T>(x.shape(), T(0));
}

template <class T>
void keep_adjoint(const tape& t, const tensor<T>& x) {
  static_cast<tensor_node<T>&>(t.operation_at(x.tag(), x.serial(), "keep")).keep();
}

template <class T>
void give_name(tape& t, const tensor<T>& x, std::string_view name) {
  t.operation_at(x.tag(), x.serial(), "name");
  t.notes().name_tensor(static_cast<std::size_t>(x.tag() - t.tag_at(0)), name);
}

}  // namespace autodiff
