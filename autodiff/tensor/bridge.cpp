#include <autodiff/tensor/bridge.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/noted.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace autodiff {
namespace {

constexpr operation_rule of_elements{"elements", "y = x[i]", "x̄[i] = ȳ, else 0"},
    of_stack{"stack", "y = [a, b, ...]", "ā = ȳ[0], b̄ = ȳ[1], ..."};

/// `places` consecutive elements of a tensor, from `first_element` on, as scalars.
template <class T>
class elements_operation final : public operation<double> {
 public:
  elements_operation(input_adjoint<T> x, std::size_t first_element)
      : x_(x), first_element_(first_element) {}
  void sweep(tape& t, std::uint32_t place) override {
    T* dx = nullptr;
    for (std::uint32_t i = 0; i < places; ++i) {
      const double share = t.adjoint_at(place + i);
      if (is_zero(share)) continue;
      if (!dx) dx = x_->open_zeroed();
      dx[first_element_ + i] += T(share);
    }
  }

 private:
  input_adjoint<T> x_;
  std::size_t first_element_;
};

/// Scalars as one tensor. Remembers the places of the active ones.
template <class T>
class stack_operation final : public owning_tensor_node<T> {
 public:
  stack_operation(const shape& s, array<std::int64_t> scalars)
      : owning_tensor_node<T>(s), scalars_(std::move(scalars)) {}
  void sweep(tape& t, std::uint32_t) override {
    if (!this->adjoint().has_storage()) return;
    const auto scalars = scalars_.values();
    const auto shares = this->adjoint().values();
    for (std::size_t i = 0; i < scalars.size(); ++i) {
      if (scalars[i] >= 0) t.adjoint_at(static_cast<std::uint32_t>(scalars[i])) += shares[i];
    }
    this->release_unless_kept(t);
  }

 private:
  array<std::int64_t> scalars_;
};

/// Of the elements that were recorded last.
template <class T>
[[gnu::cold]] void note_elements(tape& t, const tensor<T>& x, std::size_t first_element) {
  t.notes().write().operations.push_back(
      {t.end().operations - 1, of_elements, noted(x.stored()), {noted_input(t, x)}, first_element});
}
/// Of the tensor that was stacked last.
template <class T>
[[gnu::cold]] void note_stack(tape& t, const array<T>& values, std::span<const var> scalars) {
  noted_operation stacked{t.end().operations - 1, of_stack, noted(values), {}};
  for (const var& x : scalars) {
    noted_operand operand{.number = x.value()};
    if (x.is_recorded()) operand.place = t.place(x.tag(), "stack");
    stacked.operands.push_back(std::move(operand));
  }
  t.notes().write().operations.push_back(std::move(stacked));
}

}  // namespace

template <std::floating_point T>
var element(const tensor<T>& x, std::size_t index) {
  const double value = static_cast<double>(x.values()[index]);
  if (!x.is_recorded()) return var(value);
  tape& t = recording_tape("element", x.tag());
  t.add_operation<elements_operation<T>>(1, find_adjoint(t, x, "element"), index);
  if (t.is_explained()) note_elements(t, x, index);
  return var(value, t.youngest_place());
}

template <class T>
std::vector<var> elements(const tensor<T>& x) {
  if (x.is_recorded() && x.size() > most_places) tape_errors::out_of_places();
  std::vector<var> scalars(x.values().begin(), x.values().end());
  if (!x.is_recorded() || scalars.empty()) return scalars;
  tape& t = recording_tape("elements", x.tag());
  t.add_operation<elements_operation<T>>(static_cast<std::uint32_t>(x.size()),
                                         find_adjoint(t, x, "elements"), 0);
  if (t.is_explained()) note_elements(t, x, 0);
  tag_type tag = t.youngest_place() - (x.size() - 1);
  for (var& scalar : scalars) scalar = var(scalar.value(), tag++);
  return scalars;
}

template <class T>
tensor<T> stack(std::span<const var> scalars, const shape& s) {
  if (scalars.size() != s.size()) {
    throw shape_error("stack",
                      fmt::format("{} scalars for shape {}, which holds {}", scalars.size(),
                                  to_string(s), s.size()),
                      "pass one scalar per element, row by row");
  }
  array<T> values(s);
  T* out = values.writable();
  tag_type any = 0;
  for (const var& x : scalars) {
    *out++ = static_cast<T>(x.value());
    any |= x.tag();
  }
  if (any == 0) return tensor<T>(std::move(values));
  tape& t = recording_tape("stack", any);
  array<std::int64_t> places(s);
  std::transform(scalars.begin(), scalars.end(), places.writable(), [&](const var& x) {
    return x.is_recorded() ? std::int64_t{t.place(x.tag(), "stack")} : std::int64_t{-1};
  });
  t.add_operation<stack_operation<T>>(0, s, std::move(places));
  if (t.is_explained()) note_stack(t, values, scalars);
  return tensor<T>(std::move(values), t.operation_tag(), t.serial());
}

#define INSTANTIATE(T)                                  \
  template var element(const tensor<T>&, std::size_t);  \
  template std::vector<var> elements(const tensor<T>&); \
  template tensor<T> stack(std::span<const var>, const shape&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace autodiff
