#include <autodiff/tensor/ternary.hpp>

#include <autodiff/tensor/row_operand.hpp>

namespace autodiff {
namespace {

/// What the slopes need of operand k.
template <class T>
kept_operand<T> kept(const ternary_loops<T>& f, const tensor_or_number<T>& x, std::size_t k) {
  return f.needs_operand[k] ? x.kept() : kept_operand<T>();
}

/// Operands that are tensors of one shape, or numbers: the result is one row, without a walk.
template <class T>
tensor<T> one_row(const ternary_loops<T>& f, const tensor_or_number<T>& a,
                  const tensor_or_number<T>& b, const tensor_or_number<T>& c, const shape& whole) {
  const auto row = [](const tensor_or_number<T>& x) {
    return operand_row<T>{x.data(), std::size_t{!x.is_number()}};
  };
  const operand_row<T> row_a = row(a), row_b = row(b), row_c = row(c);
  array<T> y(whole);
  f.forward(whole.size(), row_a, row_b, row_c, y.writable());
  if (!a.is_recorded() && !b.is_recorded() && !c.is_recorded()) return tensor<T>(std::move(y));
  auto pullback = [&f, y_kept = f.needs_y ? y.share() : storage<T>(), kept_a = kept(f, a, 0),
                   kept_b = kept(f, b, 1), kept_c = kept(f, c, 2),
                   strides = std::array{row_a.stride, row_b.stride, row_c.stride}](
                      const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db,
                      input_adjoint<T> dc) {
    const auto pull = [&](input_adjoint<T> into, std::size_t k) {
      if (!into) return;
      const auto place = into->open();
      f.pullbacks[k](dy.size(), {kept_a.data(), strides[0]}, {kept_b.data(), strides[1]},
                     {kept_c.data(), strides[2]}, y_kept.data(), dy.data(), place.data, place.how);
    };
    pull(da, 0);
    pull(db, 1);
    pull(dc, 2);
  };
  return record(f.name, std::move(y), std::move(pullback), a.recorded(), b.recorded(),
                c.recorded());
}

}  // namespace

template <class T>
tensor<T> elementwise(const ternary_loops<T>& f, const tensor_or_number<T>& a,
                      const tensor_or_number<T>& b, const tensor_or_number<T>& c) {
  const shape& of_tensor = a.is_number() ? (b.is_number() ? c : b).shape() : a.shape();
  const auto fills_row = [&](const tensor_or_number<T>& x) {
    return x.is_number() || (x.shape() == of_tensor && x.recorded().is_contiguous());
  };
  if (fills_row(a) && fills_row(b) && fills_row(c)) return one_row(f, a, b, c, of_tensor);
  const shape whole = broadcast(broadcast(a.shape(), b.shape(), f.name), c.shape(), f.name);
  const auto operand = [&](const tensor_or_number<T>& x, std::size_t k) {
    return operand_in_rows(x, whole, f.needs_operand[k] && x.is_recorded());
  };
  std::array<row_operand<T>, 3> in{operand(a, 0), operand(b, 1), operand(c, 2)};
  const auto row_of = [](const row_operand<T>& x, std::ptrdiff_t offset, std::ptrdiff_t stride) {
    return operand_row<T>{x.data() + offset, static_cast<std::size_t>(stride)};
  };
  array<T> y(whole);
  const auto walk =
      walk_over<4>(whole, {in[0].strides, in[1].strides, in[2].strides, row_major_strides(whole)});
  walk.for_each_row([&, out = y.writable()](const auto& at) {
    const auto row = [&](std::size_t k) { return row_of(in[k], at[k], walk.stride(k)); };
    f.forward(walk.row_size(), row(0), row(1), row(2), out + at[3]);
  });
  if (!a.is_recorded() && !b.is_recorded() && !c.is_recorded()) return tensor<T>(std::move(y));
  for (std::size_t k = 0; k < in.size(); ++k) {
    if (!f.needs_operand[k]) in[k] = {};
  }
  auto pullback = [&f, row_of, in = std::move(in), out = kept_result(y, f.needs_y)](
                      const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db,
                      input_adjoint<T> dc) {
    const auto pull = [&](input_adjoint<T> adjoint, std::size_t own) {
      if (!adjoint) return;
      pull_in_rows<T, 4>(adjoint, dy, {in[0].strides, in[1].strides, in[2].strides, out.strides},
                         [&](const auto& rows, const auto& at, const T* from, T* into, store how) {
                           const auto row = [&](std::size_t k) {
                             return row_of(in[k], at[k], rows.stride(k == own ? 5 : k));
                           };
                           f.pullbacks[own](rows.row_size(), row(0), row(1), row(2),
                                            out.data() + at[3], from, into, how);
                         });
    };
    pull(da, 0);
    pull(db, 1);
    pull(dc, 2);
  };
  return record(f.name, std::move(y), std::move(pullback), a.recorded(), b.recorded(),
                c.recorded());
}

#define INSTANTIATE(T)                                                                \
  template tensor<T> elementwise(const ternary_loops<T>&, const tensor_or_number<T>&, \
                                 const tensor_or_number<T>&, const tensor_or_number<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
