#include <autodiff/tensor/elementwise.hpp>

#include <autodiff/tensor/parallel_loops.hpp>
#include <autodiff/tensor/row_operand.hpp>

namespace autodiff {
namespace {

/// What a pullback keeps of an operand: nothing where the slopes do not need it.
template <class T>
storage<T> kept(const array<T>& values, bool needed) {
  return needed ? values.share() : storage<T>();
}

/// What the pullbacks to the recorded operands read.
template <class T>
slope_needs needs_of_recorded(const binary_loops<T>& f, bool a_recorded, bool b_recorded) {
  const auto either = [&](bool slope_needs::*read) {
    return (a_recorded && f.for_a.*read) || (b_recorded && f.for_b.*read);
  };
  return {either(&slope_needs::a), either(&slope_needs::b), either(&slope_needs::y), false};
}

// Rows shorter than this cost more, a call of the loop for each, than a packed copy.
constexpr std::size_t shortest_row = 32;

/// Whether a view is read in its rows.
template <class T>
bool is_read_in_rows(const tensor<T>& x) {
  if (x.is_contiguous()) return false;
  const shape& s = x.shape();
  return stride_in_rows(s, x.stored().strides()) == 1 &&
         walk_over<1>(s, {x.stored().strides()}).row_size() >= shortest_row;
}

template <class T>
tensor<T> unary_in_rows(const unary_loops<T>& f, const tensor<T>& x) {
  row_operand<T> in = operand_in_rows(x.stored(), x.shape(), true);
  array<T> y(x.shape());
  const auto walk = walk_over<2>(x.shape(), {in.strides, row_major_strides(x.shape())});
  walk.for_each_row([&, out = y.writable()](const auto& at) {
    f.forward(walk.row_size(), in.data() + at[0], out + at[1]);
  });
  if (!x.is_recorded()) return tensor<T>(std::move(y));
  if (!f.needs_x) in = {};
  auto pullback = [&f, in = std::move(in), out = kept_result(y, f.needs_y)](const array<T>& dy,
                                                                            input_adjoint<T> dx) {
    pull_in_rows<T, 2>(dx, dy, {in.strides, out.strides},
                       [&](const auto& rows, const auto& at, const T* from, T* into, store how) {
                         f.pullback(rows.row_size(), in.data() + at[0], out.data() + at[1], from,
                                    into, how);
                       });
  };
  return record(f.rule, std::move(y), std::move(pullback), x);
}

}  // namespace

template <class T>
tensor<T> elementwise(const unary_loops<T>& f, const tensor<T>& x) {
  if (is_read_in_rows(x)) return unary_in_rows(f, x);
  auto y = tensor<T>::undefined(x.shape());
  apply_elements(f, x.size(), x.values().data(), y.mutable_values().data());
  const auto make_pullback = [&] {
    return [&f, x_kept = kept(x.stored(), f.needs_x), y_kept = kept(y.stored(), f.needs_y)](
               const array<T>& dy, input_adjoint<T> dx) {
      const auto into = dx->open();
      pull_elements<T>(f.pullback, dy.size(), x_kept.data(), y_kept.data(), dy.data(), into.data,
                       into.how);
    };
  };
  record(f.rule, y, make_pullback, x);
  return y;
}

namespace {

/// Operands of one shape: no walk over rows.
template <class T>
tensor<T> same_shape(const binary_loops<T>& f, const tensor<T>& a, const tensor<T>& b) {
  auto y = tensor<T>::undefined(a.shape());
  apply_elements<T>(f, a.size(), {a.values().data(), 1}, {b.values().data(), 1},
                    y.mutable_values().data());
  if (!a.is_recorded() && !b.is_recorded()) return y;
  const bool tie = a.is_recorded() && b.is_recorded();
  const slope_needs needs = needs_of_recorded(f, a.is_recorded(), b.is_recorded());
  const auto make_pullback = [&] {
    return [&f, tie, a_kept = kept(a.stored(), needs.a), b_kept = kept(b.stored(), needs.b),
            y_kept = kept(y.stored(), needs.y)](const array<T>& dy, input_adjoint<T> da,
                                                input_adjoint<T> db) {
      const double share = tie ? 0.5 : 0.0;
      if (da) {
        const auto into = da->open();
        pull_elements<T>(f.pullback_a, dy.size(), {a_kept.data(), 1}, {b_kept.data(), 1},
                         y_kept.data(), dy.data(), into.data, into.how, share);
      }
      if (db) {
        const auto into = db->open();
        pull_elements<T>(f.pullback_b, dy.size(), {a_kept.data(), 1}, {b_kept.data(), 1},
                         y_kept.data(), dy.data(), into.data, into.how, share);
      }
    };
  };
  record(f.rule, y, make_pullback, a, b);
  return y;
}

/// Operands of two shapes, views, or a number beside a view.
template <class T>
tensor<T> binary_in_rows(const binary_loops<T>& f, const tensor_or_number<T>& a,
                         const tensor_or_number<T>& b) {
  const shape whole = broadcast(a.shape(), b.shape(), f.rule);
  row_operand<T> in_a = operand_in_rows(a, whole, f.for_a.a && a.is_recorded());
  row_operand<T> in_b = operand_in_rows(b, whole, f.for_b.b && b.is_recorded());
  array<T> y(whole);
  const auto walk = walk_over<3>(whole, {in_a.strides, in_b.strides, row_major_strides(whole)});
  walk.for_each_row([&, out = y.writable()](const auto& at) {
    f.forward(walk.row_size(), in_a.data() + at[0], static_cast<std::size_t>(walk.stride(0)),
              in_b.data() + at[1], static_cast<std::size_t>(walk.stride(1)), out + at[2]);
  });
  if (!a.is_recorded() && !b.is_recorded()) return tensor<T>(std::move(y));
  const double tie = a.is_recorded() && b.is_recorded() ? 0.5 : 0.0;
  const slope_needs needs = needs_of_recorded(f, a.is_recorded(), b.is_recorded());
  if (!needs.a) in_a = {};
  if (!needs.b) in_b = {};
  auto pullback = [&f, tie, in_a = std::move(in_a), in_b = std::move(in_b),
                   out = kept_result(y, needs.y)](const array<T>& dy, input_adjoint<T> da,
                                                  input_adjoint<T> db) {
    const auto pull = [&](input_adjoint<T> adjoint, std::size_t own, auto* loop) {
      if (!adjoint) return;
      pull_in_rows<T, 3>(adjoint, dy, {in_a.strides, in_b.strides, out.strides},
                         [&](const auto& rows, const auto& at, const T* from, T* into, store how) {
                           const auto step = [&](std::size_t k) {
                             return static_cast<std::size_t>(rows.stride(k == own ? 4 : k));
                           };
                           loop(rows.row_size(), in_a.data() + at[0], step(0), in_b.data() + at[1],
                                step(1), out.data() + at[2], from, into, how, tie);
                         });
    };
    pull(da, 0, f.pullback_a);
    pull(db, 1, f.pullback_b);
  };
  const tensor<T> result =
      record(f.rule, std::move(y), std::move(pullback), a.recorded(), b.recorded());
  if (a.is_number()) note_number(result, 0, *a.data());
  if (b.is_number()) note_number(result, 1, *b.data());
  return result;
}

}  // namespace

template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const tensor<T>& a, const tensor<T>& b) {
  const bool plain_loop = a.shape() == b.shape() && a.is_contiguous() && b.is_contiguous();
  return plain_loop ? same_shape(f, a, b) : binary_in_rows<T>(f, a, b);
}

template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const tensor<T>& a, const T& b) {
  if (is_read_in_rows(a)) return binary_in_rows<T>(f, a, b);
  auto y = tensor<T>::undefined(a.shape());
  apply_elements<T>(f, a.size(), {a.values().data(), 1}, {&b, 0}, y.mutable_values().data());
  const auto make_pullback = [&] {
    return [&f, b, a_kept = kept(a.stored(), f.for_a.a), y_kept = kept(y.stored(), f.for_a.y)](
               const array<T>& dy, input_adjoint<T> da) {
      const auto into = da->open();
      pull_elements<T>(f.pullback_a, dy.size(), {a_kept.data(), 1}, {&b, 0}, y_kept.data(),
                       dy.data(), into.data, into.how, 0.0);
    };
  };
  record(f.rule, y, make_pullback, a);
  note_number(y, 1, b);
  return y;
}

template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const T& a, const tensor<T>& b) {
  if (is_read_in_rows(b)) return binary_in_rows<T>(f, a, b);
  auto y = tensor<T>::undefined(b.shape());
  apply_elements<T>(f, b.size(), {&a, 0}, {b.values().data(), 1}, y.mutable_values().data());
  const auto make_pullback = [&] {
    return [&f, a, b_kept = kept(b.stored(), f.for_b.b), y_kept = kept(y.stored(), f.for_b.y)](
               const array<T>& dy, input_adjoint<T> db) {
      const auto into = db->open();
      pull_elements<T>(f.pullback_b, dy.size(), {&a, 0}, {b_kept.data(), 1}, y_kept.data(),
                       dy.data(), into.data, into.how, 0.0);
    };
  };
  record(f.rule, y, make_pullback, b);
  note_number(y, 0, a);
  return y;
}

#define INSTANTIATE(T)                                                                        \
  template tensor<T> elementwise(const unary_loops<T>&, const tensor<T>&);                    \
  template tensor<T> elementwise(const binary_loops<T>&, const tensor<T>&, const tensor<T>&); \
  template tensor<T> elementwise(const binary_loops<T>&, const tensor<T>&, const T&);         \
  template tensor<T> elementwise(const binary_loops<T>&, const T&, const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
