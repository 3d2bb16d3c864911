#include <autodiff/tensor/fused.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/indexing.hpp>
#include <autodiff/tensor/lines.hpp>
#include <autodiff/tensor/parallel.hpp>
#include <autodiff/tensor/sum_loops.hpp>

#include <fmt/format.h>

#include <array>

namespace autodiff {
namespace {

/// dx = line(j) along the lines of y, where Line(n, y, dy) is made once for each.
template <class Line, class T>
auto line_pullback(const line_walk& walk, const array<T>& y) {
  return [walk, y](const array<T>& dy, input_adjoint<T> dx) {
    const auto into = dx->open();
    const std::size_t n = walk.length();
    walk.map(std::array{y.data(), dy.data()}, into.data, into.how,
             [&](std::size_t, std::size_t count, const auto& rows, T* out, store how) {
               for (std::size_t i = 0; i < count * n; i += n) {
                 const Line line(n, rows[0] + i, rows[1] + i);
                 for (std::size_t j = 0; j < n; ++j) {
                   const T share = line(j);
                   out[i + j] = how == store::write ? share : T(out[i + j] + share);
                 }
               }
             });
  };
}

/// Where among weights that add up to 1 the one stands that is larger than all the others together;
/// n where there is none.
template <class T>
std::size_t nearly_certain(std::size_t n, const T* p) {
  // In a long line the squares say sooner that there is none.
  if (n > 32 && !(plain<T>().dot(n, p, p) > T(0.25f))) return n;
  std::size_t k = 0;
  while (k < n && !(p[k] > T(0.5f))) ++k;
  return k;
}

/// dx = y (dy - sum(y dy)). By a y that is nearly 1 the difference would cancel: all dy are taken
/// from its own one then, which leaves the small terms of the others.
template <class T>
struct softmax_line {
  const T *y, *dy;
  T reference, mean;

  softmax_line(std::size_t n, const T* y_row, const T* dy_row) : y(y_row), dy(dy_row) {
    const std::size_t k = nearly_certain(n, y_row);
    const T from = k < n ? dy_row[k] : T(0);
    reference = from;
    mean = blocked_sum<T>(n, [=](std::size_t j) { return T(y_row[j] * (dy_row[j] - from)); });
  }
  T operator()(std::size_t j) const { return T(y[j] * ((dy[j] - reference) - mean)); }
};

/// dx = dy - p sum(dy). For a p that is nearly 1, dy (1 - p) - p (the sum of the others), where
/// 1 - p is the sum of the others, too.
template <class T>
struct log_softmax_line {
  const T *p, *dy;
  std::size_t k;
  T total, certain{0};

  log_softmax_line(std::size_t n, const T* p_row, const T* dy_row)
      : p(p_row), dy(dy_row), k(nearly_certain(n, p)), total(plain<T>().sum(n, dy)) {
    if (k == n) return;
    const auto sum_of_others = [&](const T* row) {
      return T(plain<T>().sum(k, row) + plain<T>().sum(n - k - 1, row + k + 1));
    };
    certain = T(dy[k] * sum_of_others(p) - p[k] * sum_of_others(dy));
  }
  T operator()(std::size_t j) const { return j == k ? certain : T(dy[j] - p[j] * total); }
};

struct row_shape {
  std::size_t rows, columns;
};

row_shape rows_of(const shape& s, std::string_view operation) {
  if (s.rank() == 0) {
    throw shape_error(operation, "logits of rank 0 have no last axis", "reshape to [n, classes]");
  }
  std::size_t rows = 1;
  for (std::size_t i = 0; i + 1 < s.rank(); ++i) rows *= s[i];
  return {rows, s[s.rank() - 1]};
}

void require_same(const shape& logits, const shape& targets, std::string_view operation,
                  std::string_view remedy) {
  if (logits == targets) return;
  throw shape_error(operation,
                    fmt::format("logits {} and targets {}", to_string(logits), to_string(targets)),
                    remedy);
}

/// The losses of the samples as `how` says; `each` is their shape.
template <class T>
array<T> collected(const array<T>& losses, const shape& each, reduction how) {
  if (how == reduction::none) return losses.reshaped(each);
  const T total = plain<T>().sum(losses.size(), losses.data());
  const T count(static_cast<double>(losses.size()));
  return array<T>(shape{}, how == reduction::sum ? total : T(total / count));
}

/// into += dy * slopes, sample by sample, [samples, width]; a dy of 0 wins over what is infinite.
template <class T>
void pull_losses(input_adjoint<T> into, const array<T>& dy, const array<T>& slopes,
                 std::size_t samples, reduction how) {
  const T over = how == reduction::mean ? T(T(1) / T(static_cast<double>(samples))) : T(1);
  const std::size_t blocks = how == reduction::none ? samples : 1;
  const std::size_t width = blocks == 0 ? 0 : slopes.size() / blocks;
  const auto place = into->open();
  const T zero(0);
  for (std::size_t i = 0; i < blocks; ++i) {
    const T factor = dy.data()[i] * over;
    const bool none = is_zero(dy.data()[i]);
    if (width == 0) continue;
    plain<T>().accumulate(width, none ? T(1) : factor, none ? &zero : slopes.data() + i * width,
                          none ? 0 : 1, place.data + i * width, place.how);
  }
}

}  // namespace

template <class T>
tensor<T> softmax(const tensor<T>& x, std::ptrdiff_t axis) {
  const line_walk walk(x.shape(), axis, "softmax");
  array<T> y(x.shape());
  walk.map(std::array{x.values().data()}, y.writable(), store::write,
           [&](std::size_t, std::size_t count, const auto& rows, T* out, store) {
             const std::size_t n = walk.length();
             parallel_rows(count, n, turned_rows, [&](std::size_t first, std::size_t some) {
               by_rows<T>().softmax(some, n, rows[0] + first * n, out + first * n, nullptr,
                                    nullptr);
             });
           });
  if (!x.is_recorded()) return tensor<T>(std::move(y));
  auto pullback = line_pullback<softmax_line<T>>(walk, y);
  static constexpr operation_rule rule{"softmax", "y = exp(x) / Σ exp(x)", "x̄ = y ⊙ (ȳ − Σ y ⊙ ȳ)"};
  return record(rule, std::move(y), std::move(pullback), x);
}

template <class T>
tensor<T> log_softmax(const tensor<T>& x, std::ptrdiff_t axis) {
  const line_walk walk(x.shape(), axis, "log_softmax");
  array<T> y(x.shape());
  walk.map(std::array{x.values().data()}, y.writable(), store::write,
           [&](std::size_t, std::size_t count, const auto& rows, T* out, store) {
             array<T> weights(shape{count * walk.length()});
             by_rows<T>().softmax(count, walk.length(), rows[0], weights.writable(), out, nullptr);
           });
  if (!x.is_recorded()) return tensor<T>(std::move(y));
  array<T> p(x.shape());
  loops<T>().exp.forward(y.size(), y.data(), p.writable());
  auto pullback = line_pullback<log_softmax_line<T>>(walk, p);
  static constexpr operation_rule rule{"log_softmax", "y = x − log Σ exp(x)", "x̄ = ȳ − exp(y) Σ ȳ"};
  return record(rule, std::move(y), std::move(pullback), x);
}

template <class T>
tensor<T> softmax_cross_entropy(const tensor<T>& logits, const tensor<T>& targets, reduction how) {
  require_same(logits.shape(), targets.shape(), "softmax_cross_entropy",
               "targets hold one weight per class; labels are passed as class indices");
  const row_shape s = rows_of(logits.shape(), "softmax_cross_entropy");
  array<T> losses(shape{s.rows}), delta(logits.shape()), log_p;
  if (targets.is_recorded()) log_p = array<T>(logits.shape());
  const T *z = logits.values().data(), *t = targets.values().data();
  T *each = losses.writable(), *slopes = delta.writable(), *logarithms = log_p.writable();
  parallel_rows(s.rows, s.columns, turned_rows, [&](std::size_t first, std::size_t rows) {
    const std::size_t at = first * s.columns;
    by_rows<T>().cross_entropy(rows, s.columns, z + at, t + at, each + first, slopes + at,
                               logarithms ? logarithms + at : nullptr);
  });
  array<T> y = collected(losses, shape(logits.shape().extents().first(logits.rank() - 1)), how);
  if (!logits.is_recorded()) delta.reset();
  static constexpr operation_rule of_sum{"softmax_cross_entropy", "y = −Σ t ⊙ log softmax(z)",
                                         "z̄ = ȳ (softmax(z) Σ t − t), t̄ = −ȳ log softmax(z)"},
      of_mean{"softmax_cross_entropy", "y = −Σ t ⊙ log softmax(z) / n for n rows",
              "z̄ = ȳ (softmax(z) Σ t − t) / n, t̄ = −ȳ log softmax(z) / n"};
  return record(
      how == reduction::mean ? of_mean : of_sum, std::move(y),
      [s, delta, log_p, how](const array<T>& dy, input_adjoint<T> dz, input_adjoint<T> dt) {
        if (dz) pull_losses(dz, dy, delta, s.rows, how);
        if (dt) {
          array<T> minus(log_p.shape());
          loops<T>().negate.forward(minus.size(), log_p.data(), minus.writable());
          pull_losses(dt, dy, minus, s.rows, how);
        }
      },
      logits, targets);
}

template <class T>
tensor<T> softmax_cross_entropy(const tensor<T>& logits, std::span<const std::size_t> labels,
                                reduction how) {
  const row_shape s = rows_of(logits.shape(), "softmax_cross_entropy");
  if (labels.size() != s.rows) {
    throw shape_error(
        "softmax_cross_entropy",
        fmt::format("logits {} and {} labels", to_string(logits.shape()), labels.size()),
        "pass one class index per row");
  }
  for (const std::size_t label : labels) {
    if (label < s.columns) continue;
    throw shape_error("softmax_cross_entropy",
                      fmt::format("label {} with logits {}", label, to_string(logits.shape())),
                      fmt::format("labels run from 0 to the number of classes less one"));
  }
  const tensor<T> rows = one_hot<T>(labels, s.columns);
  return softmax_cross_entropy(logits, tensor<T>(rows.stored().reshaped(logits.shape())), how);
}

namespace {

/// a[i] * b[i], 0 where a[i] is 0 whatever b[i] is.
template <class T>
T weighted(const T& a, const T& b) {
  return is_zero(a) ? T(0) : T(a * b);
}

}  // namespace

template <class T>
tensor<T> binary_cross_entropy_with_logits(const tensor<T>& logits, const tensor<T>& targets,
                                           reduction how) {
  require_same(logits.shape(), targets.shape(), "binary_cross_entropy_with_logits",
               "pass one target per logit");
  const std::size_t n = logits.size();
  array<T> minus(logits.shape()), on(logits.shape()), off(logits.shape());
  const auto& f = loops<T>();
  const T* z = logits.values().data();
  f.negate.forward(n, z, minus.writable());
  f.softplus.forward(n, minus.data(), on.writable());
  f.softplus.forward(n, z, off.writable());
  T* losses = on.writable();
  const T* t = targets.values().data();
  for (std::size_t i = 0; i < n; ++i)
    losses[i] = T(weighted(t[i], losses[i]) + weighted(T(T(1) - t[i]), off.data()[i]));
  array<T> y = collected(on, logits.shape(), how);
  static constexpr operation_rule of_sum{"binary_cross_entropy_with_logits",
                                         "y = softplus(z) − t z, or their sum",
                                         "z̄ = ȳ (sigmoid(z) − t), t̄ = −ȳ z"},
      of_mean{"binary_cross_entropy_with_logits", "y = Σ (softplus(z) − t z) / n",
              "z̄ = ȳ (sigmoid(z) − t) / n, t̄ = −ȳ z / n"};
  return record(
      how == reduction::mean ? of_mean : of_sum, std::move(y),
      [z_kept = logits.stored(), t_kept = targets.stored(), minus, how](
          const array<T>& dy, input_adjoint<T> dz, input_adjoint<T> dt) {
        const std::size_t count = minus.size();
        if (dz) {
          array<T> slopes(minus.shape()), wrong(minus.shape());
          loops<T>().sigmoid.forward(count, z_kept.data(), slopes.writable());
          loops<T>().sigmoid.forward(count, minus.data(), wrong.writable());
          T* out = slopes.writable();
          for (std::size_t i = 0; i < count; ++i) {
            const T& target = t_kept.data()[i];
            out[i] = T((T(1) - target) * out[i] - target * wrong.data()[i]);
          }
          pull_losses(dz, dy, slopes, count, how);
        }
        if (dt) pull_losses(dt, dy, minus, count, how);
      },
      logits, targets);
}

#define INSTANTIATE(T)                                                                     \
  template tensor<T> softmax(const tensor<T>&, std::ptrdiff_t);                            \
  template tensor<T> log_softmax(const tensor<T>&, std::ptrdiff_t);                        \
  template tensor<T> softmax_cross_entropy(const tensor<T>&, const tensor<T>&, reduction); \
  template tensor<T> softmax_cross_entropy(const tensor<T>&, std::span<const std::size_t>, \
                                           reduction);                                     \
  template tensor<T> binary_cross_entropy_with_logits(const tensor<T>&, const tensor<T>&,  \
                                                      reduction);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
