#include <autodiff/tensor/normalise.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/lines.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <fmt/format.h>

#include <array>

namespace autodiff {
namespace {

/// Mean and 1 / sqrt(variance + epsilon) of each line.
template <class T>
struct statistics {
  array<T> mean, variance, rate;

  explicit statistics(std::size_t lines)
      : mean(shape{lines}), variance(shape{lines}), rate(shape{lines}) {}
};

template <class T>
statistics<T> measured(const line_walk& walk, const T* x, double epsilon) {
  statistics<T> s(walk.lines());
  const std::size_t n = walk.length();
  const T count(static_cast<double>(n));
  array<T> scratch(shape{n});
  T *const d = scratch.writable(), *const means = s.mean.writable(),
           *const variances = s.variance.writable(), *const rates = s.rate.writable();
  walk.read(x, [&](std::size_t first, std::size_t lines, const T* rows) {
    for (std::size_t i = first; i < first + lines; ++i, rows += n) {
      means[i] = T(plain<T>().sum(n, rows) / count);
      if (n > 0) loops<T>().subtract.forward(n, rows, 1, means + i, 0, d);
      variances[i] = T(plain<T>().dot(n, d, d) / count);
      rates[i] = rsqrt(T(variances[i] + T(epsilon)));
    }
  });
  return s;
}

/// Whether gain and bias are one number per line (batch) or one per place in a line (layer).
enum class affine_by { place, line };

/// y = gain (x - mean) rate + bias.
template <class T>
array<T> normalised(const line_walk& walk, affine_by by, const array<T>& x, const statistics<T>& s,
                    const T* gain, const T* bias) {
  array<T> y(x.shape());
  const std::size_t n = walk.length();
  walk.map(std::array{x.data()}, y.writable(), store::write,
           [&](std::size_t first, std::size_t lines, const auto& rows, T* out, store) {
             const T* in = rows[0];
             for (std::size_t i = first; i < first + lines; ++i, in += n, out += n) {
               const T &mean = s.mean.data()[i], &rate = s.rate.data()[i];
               for (std::size_t j = 0; j < n; ++j) {
                 const std::size_t at = by == affine_by::line ? i : j;
                 const T unit = (in[j] - mean) * rate;
                 out[j] = gain ? T(gain[at] * unit + bias[at]) : unit;
               }
             }
           });
  return y;
}

/// What a pullback keeps, and its three parts. With u = (x - mean) rate and dv = gain dy:
///   dx = rate (dv - mean(dv) - u mean(dv u)),  dgain = sum(dy u),  dbias = sum(dy).
/// The second and third term of dx are what flows through the mean and the variance; with given
/// statistics they are missing. Source: Ioffe and Szegedy (2015), section 3, simplified.
template <class T>
struct normalisation {
  line_walk walk;
  affine_by by;
  bool given;
  array<T> x, gain;
  statistics<T> s;

  T unit(std::size_t line, const T& at) const {
    return T((at - s.mean.data()[line]) * s.rate.data()[line]);
  }

  void pull_x(const array<T>& dy, input_adjoint<T> dx) const {
    const auto into = dx->open();
    const std::size_t n = walk.length();
    const T count(static_cast<double>(n));
    array<T> scratch(shape{2 * n});
    T *const u = scratch.writable(), *const dv = u + n;
    walk.map(std::array{x.data(), dy.data()}, into.data, into.how,
             [&](std::size_t first, std::size_t lines, const auto& rows, T* out, store how) {
               for (std::size_t i = 0; i < lines; ++i, out += n) {
                 const std::size_t line = first + i;
                 for (std::size_t j = 0; j < n; ++j) {
                   const T& slope = rows[1][i * n + j];
                   u[j] = unit(line, rows[0][i * n + j]);
                   dv[j] = gain.has_storage()
                               ? T(gain.data()[by == affine_by::line ? line : j] * slope)
                               : slope;
                 }
                 const T shift = given ? T(0) : T(plain<T>().sum(n, dv) / count),
                         turn = given ? T(0) : T(plain<T>().dot(n, dv, u) / count);
                 for (std::size_t j = 0; j < n; ++j) {
                   const T share = s.rate.data()[line] * (dv[j] - shift - u[j] * turn);
                   out[j] = how == store::write ? share : T(out[j] + share);
                 }
               }
             });
  }

  /// dy u, in the layout of x.
  array<T> turned(const array<T>& dy) const {
    array<T> terms(dy.shape());
    const std::size_t n = walk.length();
    walk.map(std::array{x.data(), dy.data()}, terms.writable(), store::write,
             [&](std::size_t first, std::size_t lines, const auto& rows, T* out, store) {
               for (std::size_t i = 0; i < lines * n; ++i)
                 out[i] = T(rows[1][i] * unit(first + i / n, rows[0][i]));
             });
    return terms;
  }
};

/// All axes of a shape but `kept` of them from `first` on.
axes other_axes(const shape& s, std::size_t first, std::size_t kept) {
  std::array<std::ptrdiff_t, most_dimensions> list{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < s.rank(); ++i) {
    if (i < first || i >= first + kept) list[count++] = static_cast<std::ptrdiff_t>(i);
  }
  return axes(std::span<const std::ptrdiff_t>(list.data(), count));
}

/// Sum over all axes but `kept` of them from `first` on.
template <class T>
void add_rest(input_adjoint<T> into, const array<T>& terms, std::size_t first, std::size_t kept) {
  const axes rest = other_axes(terms.shape(), first, kept);
  if (rest.list().empty())
    into->add(terms);
  else
    into->add(sum(tensor<T>(terms), rest).stored());
}

axes last_axes(const shape& s, std::size_t last, std::string_view operation) {
  if (last == 0 || last > s.rank()) {
    throw shape_error(operation, fmt::format("the last {} axes of shape {}", last, to_string(s)),
                      "normalise over at least one axis and at most all");
  }
  return other_axes(s, 0, s.rank() - last);
}

}  // namespace

template <class T>
tensor<T> layer_norm(const tensor<T>& x, const tensor<T>& gain, const tensor<T>& bias,
                     double epsilon) {
  const std::size_t last = gain.rank();
  const axes over = last_axes(x.shape(), last, "layer_norm");
  const std::size_t first = x.rank() - last;
  if (gain.shape() != bias.shape() || gain.shape() != shape(x.shape().extents().subspan(first))) {
    throw shape_error("layer_norm",
                      fmt::format("x {}, gain {} and bias {}", to_string(x.shape()),
                                  to_string(gain.shape()), to_string(bias.shape())),
                      "gain and bias have the shape of the last axes of x");
  }
  const line_walk walk(x.shape(), over, "layer_norm");
  const auto s = measured(walk, x.values().data(), epsilon);
  array<T> y =
      normalised(walk, affine_by::place, x.stored(), s, gain.values().data(), bias.values().data());
  const normalisation<T> kept{walk, affine_by::place, false, x.stored(), gain.stored(), s};
  static constexpr operation_rule rule{
      "layer_norm", "u = (x − mean) / s, s = √(variance + ε), y = g ⊙ u + b",
      "v = g ⊙ ȳ, x̄ = (v − mean v − u mean(v ⊙ u)) / s, ḡ = Σ ȳ ⊙ u, b̄ = Σ ȳ"};
  return record(
      rule, std::move(y),
      [kept, first, last](const array<T>& dy, input_adjoint<T> dx, input_adjoint<T> dgain,
                          input_adjoint<T> dbias) {
        if (dx) kept.pull_x(dy, dx);
        if (dgain) add_rest(dgain, kept.turned(dy), first, last);
        if (dbias) add_rest(dbias, dy, first, last);
      },
      x, gain, bias);
}

template <class T>
tensor<T> layer_norm(const tensor<T>& x, std::size_t last, double epsilon) {
  const line_walk walk(x.shape(), last_axes(x.shape(), last, "layer_norm"), "layer_norm");
  const auto s = measured(walk, x.values().data(), epsilon);
  array<T> y = normalised<T>(walk, affine_by::place, x.stored(), s, nullptr, nullptr);
  const normalisation<T> kept{walk, affine_by::place, false, x.stored(), {}, s};
  static constexpr operation_rule rule{"layer_norm", "y = (x − mean) / s, s = √(variance + ε)",
                                       "x̄ = (ȳ − mean ȳ − y mean(ȳ ⊙ y)) / s"};
  return record(
      rule, std::move(y), [kept](const array<T>& dy, input_adjoint<T> dx) { kept.pull_x(dy, dx); },
      x);
}

namespace {

struct feature_axis_of {
  std::size_t axis;
  line_walk walk;

  /// Throws shape_error when one of the parameters does not hold a number per feature.
  template <class T, class... Parameters>
  feature_axis_of(const tensor<T>& x, std::ptrdiff_t feature_axis, const Parameters&... parameters)
      : axis(x.shape().axis(feature_axis, "batch_norm")), walk(lines(x.shape(), axis)) {
    const shape features{x.shape()[axis]};
    const auto require = [&](const shape& s) {
      if (s == features) return;
      throw shape_error(
          "batch_norm",
          fmt::format("a parameter {} for x {} with the features along axis {}", to_string(s),
                      to_string(x.shape()), axis),
          fmt::format("gain, bias, mean and variance have the shape {}", to_string(features)));
    };
    (require(parameters.shape()), ...);
  }

 private:
  static line_walk lines(const shape& s, std::size_t axis) {
    if (s.rank() < 2) {
      throw shape_error("batch_norm", fmt::format("x {} has no batch", to_string(s)),
                        "pass [n, features] or more axes");
    }
    return line_walk(s, other_axes(s, axis, 1), "batch_norm");
  }
};

}  // namespace

template <class T>
batch_norm_result<T> batch_norm(const tensor<T>& x, const tensor<T>& gain, const tensor<T>& bias,
                                double epsilon, std::ptrdiff_t feature_axis) {
  const feature_axis_of f(x, feature_axis, gain, bias);
  const auto s = measured(f.walk, x.values().data(), epsilon);
  array<T> y = normalised(f.walk, affine_by::line, x.stored(), s, gain.values().data(),
                          bias.values().data());
  const normalisation<T> kept{f.walk, affine_by::line, false, x.stored(), gain.stored(), s};
  static constexpr operation_rule rule{
      "batch_norm", "u = (x − mean) / s, s = √(variance + ε), y = g ⊙ u + b",
      "v = g ⊙ ȳ, x̄ = (v − mean v − u mean(v ⊙ u)) / s, ḡ = Σ ȳ ⊙ u, b̄ = Σ ȳ"};
  tensor<T> recorded = record(
      rule, std::move(y),
      [kept, axis = f.axis](const array<T>& dy, input_adjoint<T> dx, input_adjoint<T> dgain,
                            input_adjoint<T> dbias) {
        if (dx) kept.pull_x(dy, dx);
        if (dgain) add_rest(dgain, kept.turned(dy), axis, 1);
        if (dbias) add_rest(dbias, dy, axis, 1);
      },
      x, gain, bias);
  return {std::move(recorded), s.mean, s.variance};
}

template <class T>
tensor<T> batch_norm(const tensor<T>& x, const tensor<T>& gain, const tensor<T>& bias,
                     const tensor<T>& mean, const tensor<T>& variance, double epsilon,
                     std::ptrdiff_t feature_axis) {
  const feature_axis_of f(x, feature_axis, gain, bias, mean, variance);
  statistics<T> s(f.walk.lines());
  s.mean = mean.stored();
  s.variance = variance.stored();
  T* const rates = s.rate.writable();
  for (std::size_t i = 0; i < f.walk.lines(); ++i)
    rates[i] = rsqrt(T(variance.values()[i] + T(epsilon)));
  array<T> y = normalised(f.walk, affine_by::line, x.stored(), s, gain.values().data(),
                          bias.values().data());
  const normalisation<T> kept{f.walk, affine_by::line, true, x.stored(), gain.stored(), s};
  static constexpr operation_rule rule{
      "batch_norm", "u = (x − m) / s, s = √(v + ε), y = g ⊙ u + b",
      "x̄ = g ⊙ ȳ / s, ḡ = Σ ȳ ⊙ u, b̄ = Σ ȳ, m̄ = −Σ x̄, v̄ = −Σ x̄ ⊙ u / (2 s)"};
  return record(
      rule, std::move(y),
      [kept, axis = f.axis](const array<T>& dy, input_adjoint<T> dx, input_adjoint<T> dgain,
                            input_adjoint<T> dbias, input_adjoint<T> dmean,
                            input_adjoint<T> dvariance) {
        if (dx) kept.pull_x(dy, dx);
        if (dgain) add_rest(dgain, kept.turned(dy), axis, 1);
        if (dbias) add_rest(dbias, dy, axis, 1);
        // dmean = -gain rate sum(dy), dvariance = -gain rate^2 / 2 sum(dy u).
        const auto pull = [&](input_adjoint<T> into, const array<T>& terms, bool of_variance) {
          array<T> total = sum(tensor<T>(terms), other_axes(terms.shape(), axis, 1)).stored();
          T* const out = total.writable();
          for (std::size_t i = 0; i < total.size(); ++i) {
            const T& rate = kept.s.rate.data()[i];
            const T slope = -kept.gain.data()[i] * rate;
            out[i] = T(out[i] * (of_variance ? T(slope * rate / T(2)) : slope));
          }
          into->add(total);
        };
        if (dmean) pull(dmean, dy, false);
        if (dvariance) pull(dvariance, kept.turned(dy), true);
      },
      x, gain, bias, mean, variance);
}

#define INSTANTIATE(T)                                                                           \
  template tensor<T> layer_norm(const tensor<T>&, const tensor<T>&, const tensor<T>&, double);   \
  template tensor<T> layer_norm(const tensor<T>&, std::size_t, double);                          \
  template batch_norm_result<T> batch_norm(const tensor<T>&, const tensor<T>&, const tensor<T>&, \
                                           double, std::ptrdiff_t);                              \
  template tensor<T> batch_norm(const tensor<T>&, const tensor<T>&, const tensor<T>&,            \
                                const tensor<T>&, const tensor<T>&, double, std::ptrdiff_t);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
