#include <autodiff/tensor/elementwise.hpp>

#include <autodiff/tensor/parallel_loops.hpp>

namespace autodiff {
namespace {

/// What a pullback keeps of an operand: nothing where the slopes do not need it.
template <class T>
storage<T> kept(const array<T>& values, bool needed) {
  return needed ? values.share() : storage<T>();
}

/// An operand of a broadcast operation as its loops take it: along the rows of the result it is
/// contiguous or repeated.
template <class T>
struct operand {
  storage<T> values;
  stride_list strides;
};

std::ptrdiff_t stride_in_rows(const shape& whole, const stride_list& strides) {
  std::size_t last = whole.rank();
  while (last > 0 && whole[last - 1] == 1) --last;
  return last == 0 ? 1 : strides[last - 1];
}

/// A view is read as it lies where its rows allow that. `advances` rules out the row of a view that
/// repeats one element: a pullback that reads it and writes to its adjoint steps in both alike.
template <class T>
operand<T> operand_of(const array<T>& x, const shape& whole, bool advances) {
  const stride_list packed = broadcast_strides(whole, x.shape(), row_major_strides(x.shape()));
  const stride_list laid = broadcast_strides(whole, x.shape(), x.strides());
  const std::ptrdiff_t step = stride_in_rows(whole, laid);
  if (step == stride_in_rows(whole, packed) || (step == 0 && !advances))
    return {x.share_as_laid(), laid};
  return {x.share(), packed};
}

}  // namespace

template <class T>
tensor<T> elementwise(const unary_loops<T>& f, const tensor<T>& x) {
  array<T> y(x.shape());
  apply_elements(f, x.size(), x.values().data(), y.writable());
  if (!x.is_recorded()) return tensor<T>(std::move(y));
  auto pullback = [&f, x_kept = kept(x.stored(), f.needs_x), y_kept = kept(y, f.needs_y)](
                      const array<T>& dy, input_adjoint<T> dx) {
    const auto into = dx->open();
    pull_elements<T>(f.pullback, dy.size(), x_kept.data(), y_kept.data(), dy.data(), into.data,
                     into.how);
  };
  return record(f.name, std::move(y), std::move(pullback), x);
}

namespace {

/// Operands of one shape: no walk over rows.
template <class T>
tensor<T> same_shape(const binary_loops<T>& f, const tensor<T>& a, const tensor<T>& b) {
  array<T> y(a.shape());
  apply_elements<T>(f, a.size(), {a.values().data(), 1}, {b.values().data(), 1}, y.writable());
  if (!a.is_recorded() && !b.is_recorded()) return tensor<T>(std::move(y));
  const bool tie = a.is_recorded() && b.is_recorded();
  auto pullback = [&f, tie, a_kept = kept(a.stored(), f.needs_a),
                   b_kept = kept(b.stored(), f.needs_b), y_kept = kept(y, f.needs_y)](
                      const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
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
  return record(f.name, std::move(y), std::move(pullback), a, b);
}

/// Adds to operand `own` (0 or 1) of a broadcast operation its share of dy; a repeated one collects
/// the shares of its rows. Operands that the slopes do not need have no values.
template <class T>
void pull_rows(input_adjoint<T> into, std::size_t own,
               typename binary_loops<T>::pullback_loop* loop, const operand<T>& a,
               const operand<T>& b, const storage<T>& y, const array<T>& dy, double tie) {
  const bool repeated = into->shape().size() != dy.size();
  const auto place = repeated
                         ? typename tensor_node<T>::place_for_share{into->open_zeroed(), store::add}
                         : into->open();
  const auto walk = walk_over<4>(
      dy.shape(), {a.strides, b.strides, row_major_strides(dy.shape()),
                   broadcast_strides(dy.shape(), into->shape(), row_major_strides(into->shape()))});
  const auto step_a = static_cast<std::size_t>(walk.stride(own == 0 ? 3 : 0)),
             step_b = static_cast<std::size_t>(walk.stride(own == 1 ? 3 : 1));
  walk.for_each_row([&, from = dy.data()](const auto& at) {
    loop(walk.row_size(), shifted(a.values.data(), at[0]), step_a, shifted(b.values.data(), at[1]),
         step_b, shifted(y.data(), at[2]), from + at[2], place.data + at[3], place.how, tie);
  });
}

/// Operands of two shapes, or views.
template <class T>
tensor<T> broadcast_rows(const binary_loops<T>& f, const tensor<T>& a, const tensor<T>& b) {
  const shape whole = broadcast(a.shape(), b.shape(), f.name);
  operand<T> in_a = operand_of(a.stored(), whole, f.needs_a && a.is_recorded());
  operand<T> in_b = operand_of(b.stored(), whole, f.needs_b && b.is_recorded());
  array<T> y(whole);
  const auto walk = walk_over<3>(whole, {in_a.strides, in_b.strides, row_major_strides(whole)});
  const auto step_a = static_cast<std::size_t>(walk.stride(0)),
             step_b = static_cast<std::size_t>(walk.stride(1));
  walk.for_each_row([&, out = y.writable()](const auto& at) {
    f.forward(walk.row_size(), in_a.values.data() + at[0], step_a, in_b.values.data() + at[1],
              step_b, out + at[2]);
  });
  if (!a.is_recorded() && !b.is_recorded()) return tensor<T>(std::move(y));
  const double tie = a.is_recorded() && b.is_recorded() ? 0.5 : 0.0;
  if (!f.needs_a) in_a.values = {};
  if (!f.needs_b) in_b.values = {};
  auto pullback = [&f, tie, in_a = std::move(in_a), in_b = std::move(in_b),
                   y_kept = kept(y, f.needs_y)](const array<T>& dy, input_adjoint<T> da,
                                                input_adjoint<T> db) {
    if (da) pull_rows(da, 0, f.pullback_a, in_a, in_b, y_kept, dy, tie);
    if (db) pull_rows(db, 1, f.pullback_b, in_a, in_b, y_kept, dy, tie);
  };
  return record(f.name, std::move(y), std::move(pullback), a, b);
}

}  // namespace

template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const tensor<T>& a, const tensor<T>& b) {
  const bool plain_loop = a.shape() == b.shape() && a.is_contiguous() && b.is_contiguous();
  return plain_loop ? same_shape(f, a, b) : broadcast_rows(f, a, b);
}

template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const tensor<T>& a, const T& b) {
  array<T> y(a.shape());
  apply_elements<T>(f, a.size(), {a.values().data(), 1}, {&b, 0}, y.writable());
  if (!a.is_recorded()) return tensor<T>(std::move(y));
  auto pullback = [&f, b, a_kept = kept(a.stored(), f.needs_a), y_kept = kept(y, f.needs_y)](
                      const array<T>& dy, input_adjoint<T> da) {
    const auto into = da->open();
    pull_elements<T>(f.pullback_a, dy.size(), {a_kept.data(), 1}, {&b, 0}, y_kept.data(), dy.data(),
                     into.data, into.how, 0.0);
  };
  return record(f.name, std::move(y), std::move(pullback), a);
}

template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const T& a, const tensor<T>& b) {
  array<T> y(b.shape());
  apply_elements<T>(f, b.size(), {&a, 0}, {b.values().data(), 1}, y.writable());
  if (!b.is_recorded()) return tensor<T>(std::move(y));
  auto pullback = [&f, a, b_kept = kept(b.stored(), f.needs_b), y_kept = kept(y, f.needs_y)](
                      const array<T>& dy, input_adjoint<T> db) {
    const auto into = db->open();
    pull_elements<T>(f.pullback_b, dy.size(), {&a, 0}, {b_kept.data(), 1}, y_kept.data(), dy.data(),
                     into.data, into.how, 0.0);
  };
  return record(f.name, std::move(y), std::move(pullback), b);
}

#define INSTANTIATE(T)                                                                        \
  template tensor<T> elementwise(const unary_loops<T>&, const tensor<T>&);                    \
  template tensor<T> elementwise(const binary_loops<T>&, const tensor<T>&, const tensor<T>&); \
  template tensor<T> elementwise(const binary_loops<T>&, const tensor<T>&, const T&);         \
  template tensor<T> elementwise(const binary_loops<T>&, const T&, const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
