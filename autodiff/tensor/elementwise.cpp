#include <autodiff/tensor/elementwise.hpp>

namespace autodiff {
namespace {

/// What a pullback keeps of an operand: nothing where the slopes do not need it.
template <class T>
storage<T> kept(const array<T>& values, bool needed) {
  return needed ? values.share() : storage<T>();
}

/// Adds to one operand of a broadcast operation its share of dy. The operand advances with `own`
/// inside a row: 0 sums the row into one element.
template <class T, class Loop, class Offset>
void pull_rows(input_adjoint<T> into, const shape& whole, const row_walk& walk, Loop&& loop,
               Offset&& own_offset) {
  const bool repeated = into->shape().size() != whole.size();
  T* data;
  store how;
  if (repeated) {
    data = into->open_zeroed();
    how = store::add;
  } else {
    const auto place = into->open();
    data = place.data;
    how = place.how;
  }
  walk.for_each_row([&](std::size_t out, std::size_t at_a, std::size_t at_b) {
    loop(out, at_a, at_b, data + own_offset(at_a, at_b), how);
  });
}

template <class T>
const T* shifted(const T* data, std::size_t offset) {
  return data ? data + offset : nullptr;
}

}  // namespace

template <class T>
tensor<T> elementwise(const unary_loops<T>& f, const tensor<T>& x) {
  array<T> y(x.shape());
  f.forward(x.size(), x.values().data(), y.writable());
  if (!x.is_recorded()) return tensor<T>(std::move(y));
  auto pullback = [&f, x_kept = kept(x.stored(), f.needs_x), y_kept = kept(y, f.needs_y)](
                      const array<T>& dy, input_adjoint<T> dx) {
    const auto into = dx->open();
    f.pullback(dy.size(), x_kept.data(), y_kept.data(), dy.data(), into.data, into.how);
  };
  return record(f.name, std::move(y), std::move(pullback), x);
}

namespace {

/// Operands of one shape: no walk over rows.
template <class T>
tensor<T> same_shape(const binary_loops<T>& f, const tensor<T>& a, const tensor<T>& b) {
  array<T> y(a.shape());
  f.forward(a.size(), a.values().data(), 1, b.values().data(), 1, y.writable());
  if (!a.is_recorded() && !b.is_recorded()) return tensor<T>(std::move(y));
  const bool tie = a.is_recorded() && b.is_recorded();
  auto pullback = [&f, tie, a_kept = kept(a.stored(), f.needs_a),
                   b_kept = kept(b.stored(), f.needs_b), y_kept = kept(y, f.needs_y)](
                      const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
    const double share = tie ? 0.5 : 0.0;
    if (da) {
      const auto into = da->open();
      f.pullback_a(dy.size(), a_kept.data(), 1, b_kept.data(), 1, y_kept.data(), dy.data(),
                   into.data, into.how, share);
    }
    if (db) {
      const auto into = db->open();
      f.pullback_b(dy.size(), a_kept.data(), 1, b_kept.data(), 1, y_kept.data(), dy.data(),
                   into.data, into.how, share);
    }
  };
  return record(f.name, std::move(y), std::move(pullback), a, b);
}

}  // namespace

template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const tensor<T>& a, const tensor<T>& b) {
  if (a.shape() == b.shape()) return same_shape(f, a, b);
  const shape whole = broadcast(a.shape(), b.shape(), f.name);
  const row_walk walk(whole, a.shape(), b.shape());
  array<T> y(whole);
  T* out_values = y.writable();
  walk.for_each_row([&](std::size_t out, std::size_t at_a, std::size_t at_b) {
    f.forward(walk.row_size(), a.values().data() + at_a, walk.stride_a(), b.values().data() + at_b,
              walk.stride_b(), out_values + out);
  });
  if (!a.is_recorded() && !b.is_recorded()) return tensor<T>(std::move(y));
  const double tie = a.is_recorded() && b.is_recorded() ? 0.5 : 0.0;
  auto pullback = [&f, walk, tie, a_kept = kept(a.stored(), f.needs_a),
                   b_kept = kept(b.stored(), f.needs_b), y_kept = kept(y, f.needs_y)](
                      const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
    const auto pull = [&](typename binary_loops<T>::pullback_loop* loop) {
      return [&, loop](std::size_t out, std::size_t at_a, std::size_t at_b, T* into, store how) {
        loop(walk.row_size(), shifted(a_kept.data(), at_a), walk.stride_a(),
             shifted(b_kept.data(), at_b), walk.stride_b(), shifted(y_kept.data(), out),
             dy.data() + out, into, how, tie);
      };
    };
    if (da) {
      pull_rows(da, dy.shape(), walk, pull(f.pullback_a),
                [](std::size_t at_a, std::size_t) { return at_a; });
    }
    if (db) {
      pull_rows(db, dy.shape(), walk, pull(f.pullback_b),
                [](std::size_t, std::size_t at_b) { return at_b; });
    }
  };
  return record(f.name, std::move(y), std::move(pullback), a, b);
}

template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const tensor<T>& a, const T& b) {
  array<T> y(a.shape());
  f.forward(a.size(), a.values().data(), 1, &b, 0, y.writable());
  if (!a.is_recorded()) return tensor<T>(std::move(y));
  auto pullback = [&f, b, a_kept = kept(a.stored(), f.needs_a), y_kept = kept(y, f.needs_y)](
                      const array<T>& dy, input_adjoint<T> da) {
    const auto into = da->open();
    f.pullback_a(dy.size(), a_kept.data(), 1, &b, 0, y_kept.data(), dy.data(), into.data, into.how,
                 0.0);
  };
  return record(f.name, std::move(y), std::move(pullback), a);
}

template <class T>
tensor<T> elementwise(const binary_loops<T>& f, const T& a, const tensor<T>& b) {
  array<T> y(b.shape());
  f.forward(b.size(), &a, 0, b.values().data(), 1, y.writable());
  if (!b.is_recorded()) return tensor<T>(std::move(y));
  auto pullback = [&f, a, b_kept = kept(b.stored(), f.needs_b), y_kept = kept(y, f.needs_y)](
                      const array<T>& dy, input_adjoint<T> db) {
    const auto into = db->open();
    f.pullback_b(dy.size(), &a, 0, b_kept.data(), 1, y_kept.data(), dy.data(), into.data, into.how,
                 0.0);
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
