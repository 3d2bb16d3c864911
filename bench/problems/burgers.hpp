#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace bench::problems {

/// The coupled viscous Burgers' equations in two dimensions on the unit square,
///   u_t + u u_x + v u_y = (u_xx + u_yy) / R,   v_t + u v_x + v v_y = (v_xx + v_yy) / R,
/// explicit in time, upwind (backward) differences for the advection of the positive velocities and
/// central ones for the diffusion, the border held fixed. The output is the sum of squares of the
/// end state, differentiated by the whole start state, x = [u, v], n x n points each, row by row.
/// Sources: Bahadir, A fully implicit finite-difference scheme for two-dimensional Burgers'
/// equations, Appl. Math. Comput. 137 (2003); Sagebaum, Albring and Gauger, High-Performance
/// Derivative Computations using CoDiPack, ACM TOMS 45 (2019), section 6, for its use as a
/// benchmark.
struct burgers {
  std::size_t n = 101, steps = 16;

  static constexpr double reynolds = 100, time_step = 1e-3;

  std::vector<double> start() const {
    std::vector<double> x(2 * n * n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        const double p = static_cast<double>(i) / static_cast<double>(n - 1);
        const double q = static_cast<double>(j) / static_cast<double>(n - 1);
        x[i * n + j] = p + q;
        x[n * n + i * n + j] = 1.0 + p - q;
      }
    }
    return x;
  }

  template <class T>
  T operator()(std::span<const T> x) const {
    std::vector<T> now(x.begin(), x.end()), next(now);
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t i = 1; i + 1 < n; ++i) {
        for (std::size_t j = 1; j + 1 < n; ++j) {
          const std::size_t at = i * n + j;
          const T* u = now.data() + at;
          const T* v = now.data() + n * n + at;
          next[at] = stepped(u, u, v);
          next[n * n + at] = stepped(v, u, v);
        }
      }
      std::swap(now, next);
    }
    T sum = 0.0;
    for (std::size_t i = 0; i < 2 * n * n; ++i) sum += now[i] * now[i];
    return sum;
  }

  /// The transposed stencil, steps backwards over stored states.
  double hand(std::span<const double> x, std::span<double> gradient) const {
    const std::size_t size = 2 * n * n;
    static thread_local std::vector<double> states, adjoint, before;
    states.assign(x.begin(), x.end());
    states.resize(size * (steps + 1));
    for (std::size_t step = 0; step < steps; ++step) {
      const double* now = states.data() + step * size;
      double* next = states.data() + (step + 1) * size;
      for (std::size_t i = 0; i < size; ++i) next[i] = now[i];
      for (std::size_t i = 1; i + 1 < n; ++i) {
        for (std::size_t j = 1; j + 1 < n; ++j) {
          const double* u = now + i * n + j;
          const double* v = u + n * n;
          next[i * n + j] = stepped(u, u, v);
          next[n * n + i * n + j] = stepped(v, u, v);
        }
      }
    }
    const double* last = states.data() + steps * size;
    double sum = 0;
    adjoint.resize(size);
    before.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
      sum += last[i] * last[i];
      adjoint[i] = 2.0 * last[i];
    }
    for (std::size_t step = steps; step-- > 0;) {
      pull_step(states.data() + step * size, adjoint.data(), before.data());
      std::swap(adjoint, before);
    }
    for (std::size_t i = 0; i < size; ++i) gradient[i] = adjoint[i];
    return sum;
  }

 private:
  double advection() const { return time_step * static_cast<double>(n - 1); }
  double diffusion() const { return advection() * static_cast<double>(n - 1) / reynolds; }

  /// The new value of the field w (u or v) at the point that u and v point to.
  template <class T>
  T stepped(const T* w, const T* u, const T* v) const {
    const auto row = static_cast<std::ptrdiff_t>(n);
    const double a = advection(), d = diffusion();
    return w[0] - a * (u[0] * (w[0] - w[-row]) + v[0] * (w[0] - w[-1])) +
           d * (w[row] + w[-row] + w[1] + w[-1] - 4.0 * w[0]);
  }

  /// Adjoint of one step from the state `now`: dnow from dnext.
  void pull_step(const double* now, const double* dnext, double* dnow) const {
    const auto row = static_cast<std::ptrdiff_t>(n);
    const double a = advection(), d = diffusion();
    // A border point stays as it is; an interior one is written from its neighbours.
    for (std::size_t i = 0; i < 2 * n * n; ++i) dnow[i] = dnext[i];
    for (std::size_t i = 1; i + 1 < n; ++i) {
      for (std::size_t j = 1; j + 1 < n; ++j) dnow[i * n + j] = dnow[n * n + i * n + j] = 0;
    }
    for (std::size_t i = 1; i + 1 < n; ++i) {
      for (std::size_t j = 1; j + 1 < n; ++j) {
        const std::size_t at = i * n + j;
        const double* u = now + at;
        const double* v = u + n * n;
        const double gu = dnext[at], gv = dnext[n * n + at];
        double* du = dnow + at;
        double* dv = du + n * n;
        const double stay = 1.0 - a * (u[0] + v[0]) - 4.0 * d;
        const double from_above = a * u[0] + d, from_left = a * v[0] + d;
        du[0] += gu * (stay - a * (u[0] - u[-row])) - gv * a * (v[0] - v[-row]);
        dv[0] += gv * (stay - a * (v[0] - v[-1])) - gu * a * (u[0] - u[-1]);
        du[-row] += gu * from_above;
        dv[-row] += gv * from_above;
        du[-1] += gu * from_left;
        dv[-1] += gv * from_left;
        du[row] += gu * d;
        dv[row] += gv * d;
        du[1] += gu * d;
        dv[1] += gv * d;
      }
    }
  }
};

}  // namespace bench::problems
