#include <autodiff/tensor/ternary.hpp>

#include <autodiff/tensor/row_operand.hpp>

namespace autodiff {
namespace {

/// What the pullbacks to the recorded operands read.
template <class T>
ternary_reads reads_of_recorded(const ternary_loops<T>& f, const tensor_or_number<T>& a,
                                const tensor_or_number<T>& b, const tensor_or_number<T>& c) {
  const std::array recorded{a.is_recorded(), b.is_recorded(), c.is_recorded()};
  ternary_reads together{};
  for (std::size_t to = 0; to < recorded.size(); ++to) {
    if (!recorded[to]) continue;
    for (std::size_t k = 0; k < recorded.size(); ++k)
      together.operands[k] |= f.reads[to].operands[k];
    together.y |= f.reads[to].y;
  }
  return together;
}

template <class T>
kept_operand<T> kept(const tensor_or_number<T>& x, bool needed) {
  return needed ? x.kept() : kept_operand<T>();
}

/// y as it is, the numbers that it was computed from noted.
template <class T, class... Operands>
tensor<T> with_numbers(tensor<T> y, const Operands&... operands) {
  std::size_t slot = 0;
  const auto note = [&](const tensor_or_number<T>& x) {
    if (x.is_number()) note_number(y, slot, *x.data());
    ++slot;
  };
  (note(operands), ...);
  return y;
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
  const ternary_reads reads = reads_of_recorded(f, a, b, c);
  auto pullback = [&f, y_kept = reads.y ? y.share() : storage<T>(),
                   kept_a = kept(a, reads.operands[0]), kept_b = kept(b, reads.operands[1]),
                   kept_c = kept(c, reads.operands[2]),
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
  return with_numbers(
      record(f.rule, std::move(y), std::move(pullback), a.recorded(), b.recorded(), c.recorded()),
      a, b, c);
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
  const shape whole = broadcast(broadcast(a.shape(), b.shape(), f.rule), c.shape(), f.rule);
  const auto operand = [&](const tensor_or_number<T>& x, std::size_t k) {
    return operand_in_rows(x, whole, f.reads[k].operands[k] && x.is_recorded());
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
  const ternary_reads reads = reads_of_recorded(f, a, b, c);
  for (std::size_t k = 0; k < in.size(); ++k) {
    if (!reads.operands[k]) in[k] = {};
  }
  auto pullback = [&f, row_of, in = std::move(in), out = kept_result(y, reads.y)](
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
  return with_numbers(
      record(f.rule, std::move(y), std::move(pullback), a.recorded(), b.recorded(), c.recorded()),
      a, b, c);
}

#define INSTANTIATE(T)                                                                \
  template tensor<T> elementwise(const ternary_loops<T>&, const tensor_or_number<T>&, \
                                 const tensor_or_number<T>&, const tensor_or_number<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
