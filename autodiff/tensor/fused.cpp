#include <autodiff/tensor/fused.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <limits>

namespace autodiff {
namespace {

struct row_shape {
  std::size_t rows, columns;
};

row_shape rows_of(const shape& s, std::string_view operation) {
  if (s.rank() == 0) {
    throw shape_error(operation, "a tensor of rank 0 has no last axis",
                      "reshape it to [n, classes]");
  }
  const std::size_t columns = s[s.rank() - 1];
  return {columns == 0 ? 0 : s.size() / columns, columns};
}

/// How far x lies below the largest of its row; equal infinities are no distance apart, and in a
/// row of nothing but -inf all are infinitely far.
template <class T>
T below(const T& x, const T& largest) {
  const T lowest(-std::numeric_limits<float>::infinity());
  if (largest == lowest) return lowest;
  const bool finite = x - x == T(0);
  return finite || !(x == largest) ? T(x - largest) : T(0);
}

/// Softmax of each row into p, and where asked its logarithm into log_p.
template <class T>
void softmax_rows(const row_shape& s, const T* x, T* p, T* log_p) {
  const auto& loops_of_sums = plain<T>();
  const std::size_t k = s.columns;
  for (std::size_t i = 0; i < s.rows; ++i) {
    const T* in = x + i * k;
    const T largest = loops_of_sums.max(k, in);
    for (std::size_t j = 0; j < k; ++j) p[i * k + j] = below(in[j], largest);
  }
  if (log_p) {
    for (std::size_t i = 0; i < s.rows * k; ++i) log_p[i] = p[i];
  }
  loops<T>().exp.forward(s.rows * k, p, p);
  for (std::size_t i = 0; i < s.rows; ++i) {
    T* out = p + i * k;
    const T total = loops_of_sums.sum(k, out);
    if (total == T(0)) continue;
    const T scale = inverse(total);
    for (std::size_t j = 0; j < k; ++j) out[j] = out[j] * scale;
    if (log_p) {
      const T shift = log(total);
      for (std::size_t j = 0; j < k; ++j) log_p[i * k + j] = log_p[i * k + j] - shift;
    }
  }
}

}  // namespace

template <class T>
tensor<T> softmax(const tensor<T>& x) {
  const row_shape s = rows_of(x.shape(), "softmax");
  array<T> y(x.shape());
  softmax_rows<T>(s, x.values().data(), y.writable(), nullptr);
  return record(
      "softmax", y,
      [s, y_kept = y](const array<T>& dy, input_adjoint<T> dx) {
        // dx = y (dy - sum(y dy)) along each row.
        const auto into = dx->open();
        for (std::size_t i = 0; i < s.rows; ++i) {
          const T* y_row = y_kept.data() + i * s.columns;
          const T* dy_row = dy.data() + i * s.columns;
          const T inner = plain<T>().dot(s.columns, y_row, dy_row);
          for (std::size_t j = 0; j < s.columns; ++j) {
            const T share = y_row[j] * (dy_row[j] - inner);
            T& out = into.data[i * s.columns + j];
            out = into.how == store::write ? share : T(out + share);
          }
        }
      },
      x);
}

template <class T>
tensor<T> log_softmax(const tensor<T>& x) {
  const row_shape s = rows_of(x.shape(), "log_softmax");
  array<T> y(x.shape()), p(x.shape());
  softmax_rows<T>(s, x.values().data(), p.writable(), y.writable());
  return record(
      "log_softmax", y,
      [s, p](const array<T>& dy, input_adjoint<T> dx) {
        // dx = dy - p sum(dy) along each row.
        const auto into = dx->open();
        for (std::size_t i = 0; i < s.rows; ++i) {
          const T* p_row = p.data() + i * s.columns;
          const T* dy_row = dy.data() + i * s.columns;
          const T total = plain<T>().sum(s.columns, dy_row);
          for (std::size_t j = 0; j < s.columns; ++j) {
            const T share = dy_row[j] - p_row[j] * total;
            T& out = into.data[i * s.columns + j];
            out = into.how == store::write ? share : T(out + share);
          }
        }
      },
      x);
}

template <class T>
tensor<T> softmax_cross_entropy(const tensor<T>& logits, const tensor<T>& targets) {
  if (logits.shape() != targets.shape()) {
    throw shape_error("softmax_cross_entropy",
                      fmt::format("logits {} and targets {}", to_string(logits.shape()),
                                  to_string(targets.shape())),
                      "targets hold one weight per class; make them from labels with one_hot");
  }
  const row_shape s = rows_of(logits.shape(), "softmax_cross_entropy");
  array<T> p(logits.shape()), log_p(logits.shape());
  softmax_rows<T>(s, logits.values().data(), p.writable(), log_p.writable());
  const T over_rows = T(1) / T(static_cast<double>(s.rows));
  T total(0);
  const T* t = targets.values().data();
  for (std::size_t i = 0; i < s.rows * s.columns; ++i) {
    if (!is_zero(t[i])) total -= t[i] * log_p.data()[i];
  }
  if (!targets.is_recorded()) log_p.reset();
  return record(
      "softmax_cross_entropy", array<T>(shape{}, T(total * over_rows)),
      [s, p, log_p, t_kept = targets.stored(), over_rows](const array<T>& dy, input_adjoint<T> dz,
                                                          input_adjoint<T> dt) {
        // Nothing depends on this loss: its infinite logarithms must not become NaN.
        if (is_zero(*dy.data())) return;
        const T factor = *dy.data() * over_rows;
        if (dz) {
          const auto into = dz->open();
          for (std::size_t i = 0; i < s.rows; ++i) {
            const T* p_row = p.data() + i * s.columns;
            const T* t_row = t_kept.data() + i * s.columns;
            const T weight = plain<T>().sum(s.columns, t_row);
            for (std::size_t j = 0; j < s.columns; ++j) {
              const T share = factor * (p_row[j] * weight - t_row[j]);
              T& out = into.data[i * s.columns + j];
              out = into.how == store::write ? share : T(out + share);
            }
          }
        }
        if (dt) {
          const auto into = dt->open();
          plain<T>().accumulate(s.rows * s.columns, -factor, log_p.data(), 1, into.data, into.how);
        }
      },
      logits, targets);
}

#define INSTANTIATE(T)                              \
  template tensor<T> softmax(const tensor<T>&);     \
  template tensor<T> log_softmax(const tensor<T>&); \
  template tensor<T> softmax_cross_entropy(const tensor<T>&, const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
