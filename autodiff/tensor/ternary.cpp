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

}  // namespace

template <class T>
tensor<T> elementwise(const ternary_loops<T>& f, const tensor_or_number<T>& a,
                      const tensor_or_number<T>& b, const tensor_or_number<T>& c) {
  const shape whole = broadcast(broadcast(a.shape(), b.shape(), f.name), c.shape(), f.name);
  const ternary_walk walk = broadcast_walk<4>(whole, {&a.shape(), &b.shape(), &c.shape(), &whole});
  array<T> y(whole);
  T* out = y.writable();
  walk.for_each_row([&](const ternary_walk::offsets& at) {
    f.forward(walk.row_size(), row_of(a.data(), walk, at, 0), row_of(b.data(), walk, at, 1),
              row_of(c.data(), walk, at, 2), out + at[3]);
  });
  if (!a.is_recorded() && !b.is_recorded() && !c.is_recorded()) return tensor<T>(std::move(y));
  const auto keep = [&f](const tensor_or_number<T>& x, std::size_t k) {
    return f.needs_operand[k] ? x.kept() : kept_operand<T>();
  };
  auto pullback = [&f, walk, y_kept = f.needs_y ? y.share() : storage<T>(),
                   kept = kept_operands<T>{{keep(a, 0), keep(b, 1), keep(c, 2)}, f.needs_operand}](
                      const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db,
                      input_adjoint<T> dc) {
    const auto pull = [&](input_adjoint<T> into, std::size_t k) {
      if (!into) return;
      // A repeated operand adds up its shares, row by row.
      const bool repeated = into->shape().size() != dy.size();
      const auto place =
          repeated ? typename tensor_node<T>::place_for_share{into->open_zeroed(), store::add}
                   : into->open();
      walk.for_each_row([&](const ternary_walk::offsets& at) {
        f.pullbacks[k](walk.row_size(), kept.row(walk, at, 0), kept.row(walk, at, 1),
                       kept.row(walk, at, 2), y_kept.data() ? y_kept.data() + at[3] : nullptr,
                       dy.data() + at[3], place.data + at[k], place.how);
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
