#include <autodiff/tensor/ternary.hpp>

#include <autodiff/tensor/strided_walk.hpp>

namespace autodiff {
namespace {

/// The operands, and last the result, which every row passes in order.
using ternary_walk = strided_walk<4>;

/// The part of an operand that one row of the walk needs.
template <class T>
operand_row<T> row_of(const T* data, const ternary_walk& walk, const ternary_walk::offsets& at,
                      std::size_t k) {
  return {data ? data + at[k] : nullptr, static_cast<std::size_t>(walk.stride(k))};
}

/// The three operands as a pullback keeps them: those that the slopes need.
template <class T>
struct kept_operands {
  std::array<kept_operand<T>, 3> values;
  std::array<bool, 3> needed;

  operand_row<T> row(const ternary_walk& walk, const ternary_walk::offsets& at,
                     std::size_t k) const {
    return row_of(needed[k] ? values[k].data() : nullptr, walk, at, k);
  }
};

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
    return x.is_number() || x.shape() == of_tensor;
  };
  if (fills_row(a) && fills_row(b) && fills_row(c)) return one_row(f, a, b, c, of_tensor);
  const shape whole = broadcast(broadcast(a.shape(), b.shape(), f.name), c.shape(), f.name);
  const ternary_walk walk = broadcast_walk<4>(whole, {&a.shape(), &b.shape(), &c.shape(), &whole});
  array<T> y(whole);
  const T *values_a = a.data(), *values_b = b.data(), *values_c = c.data();
  T* out = y.writable();
  walk.for_each_row([&](const ternary_walk::offsets& at) {
    f.forward(walk.row_size(), row_of(values_a, walk, at, 0), row_of(values_b, walk, at, 1),
              row_of(values_c, walk, at, 2), out + at[3]);
  });
  if (!a.is_recorded() && !b.is_recorded() && !c.is_recorded()) return tensor<T>(std::move(y));
  auto pullback =
      [&f, walk, y_kept = f.needs_y ? y.share() : storage<T>(),
       operands = kept_operands<T>{{kept(f, a, 0), kept(f, b, 1), kept(f, c, 2)}, f.needs_operand}](
          const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db, input_adjoint<T> dc) {
        const auto pull = [&](input_adjoint<T> into, std::size_t k) {
          if (!into) return;
          // A repeated operand adds up its shares, row by row.
          const bool repeated = into->shape().size() != dy.size();
          const auto place =
              repeated ? typename tensor_node<T>::place_for_share{into->open_zeroed(), store::add}
                       : into->open();
          walk.for_each_row([&](const ternary_walk::offsets& at) {
            f.pullbacks[k](walk.row_size(), operands.row(walk, at, 0), operands.row(walk, at, 1),
                           operands.row(walk, at, 2),
                           y_kept.data() ? y_kept.data() + at[3] : nullptr, dy.data() + at[3],
                           place.data + at[k], place.how);
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
