#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bench::problems {

/// The Lorenz 96 model of n cells on a ring, x_i' = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F, by the
/// classical Runge-Kutta method of order 4. The output is half the sum of squares of the end state,
/// differentiated by the start state. Sources: Lorenz, Predictability: a problem partly solved,
/// Proc. ECMWF Seminar on Predictability (1996); Hairer, Norsett and Wanner, Solving Ordinary
/// Differential Equations I (1993), table II.1.2.
struct ode {
  std::size_t n = 40, steps = 100;

  static constexpr double forcing = 8, time_step = 0.01;

  std::vector<double> start() const {
    std::vector<double> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = forcing + std::sin(static_cast<double>(i));
    return x;
  }

  template <class T>
  T operator()(std::span<const T> x0) const {
    const double h = time_step;
    std::vector<T> x(x0.begin(), x0.end()), k1(n), k2(n), k3(n), k4(n), stage(n);
    for (std::size_t step = 0; step < steps; ++step) {
      slope(x, k1);
      for (std::size_t i = 0; i < n; ++i) stage[i] = x[i] + 0.5 * h * k1[i];
      slope(stage, k2);
      for (std::size_t i = 0; i < n; ++i) stage[i] = x[i] + 0.5 * h * k2[i];
      slope(stage, k3);
      for (std::size_t i = 0; i < n; ++i) stage[i] = x[i] + h * k3[i];
      slope(stage, k4);
      for (std::size_t i = 0; i < n; ++i) {
        x[i] += h / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]);
      }
    }
    T sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += x[i] * x[i];
    return 0.5 * sum;
  }

  /// Steps backwards over the stored states, whose stages are computed anew. With d the adjoint of
  /// the end of a step, those of the stages are, last first,
  ///   d4 = h/6 d,  d3 = h/3 d + h J4' d4,  d2 = h/3 d + h/2 J3' d3,  d1 = h/6 d + h/2 J2' d2,
  /// and that of its start is d + J1' d1 + J2' d2 + J3' d3 + J4' d4.
  double hand(std::span<const double> x0, std::span<double> gradient) const {
    const double h = time_step;
    static thread_local std::vector<double> states, k, d, pulled;
    states.resize((steps + 1) * 4 * n);
    k.resize(n);
    d.resize(n);
    pulled.resize(n);
    // Stages 1 to 4 of every step, and the end of the last.
    for (std::size_t i = 0; i < n; ++i) states[i] = x0[i];
    for (std::size_t step = 0; step < steps; ++step) {
      double* x = states.data() + step * 4 * n;
      double* end = x + 4 * n;
      for (std::size_t i = 0; i < n; ++i) end[i] = x[i];
      for (std::size_t s = 0; s < 4; ++s) {
        slope(x + s * n, k.data());
        for (std::size_t i = 0; i < n; ++i) {
          end[i] += h * share[s] * k[i];
          if (s < 3) x[(s + 1) * n + i] = x[i] + h * lead[s] * k[i];
        }
      }
    }
    const double* last = states.data() + steps * 4 * n;
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      sum += last[i] * last[i];
      gradient[i] = last[i];
    }
    for (std::size_t step = steps; step-- > 0;) {
      const double* x = states.data() + step * 4 * n;
      for (std::size_t i = 0; i < n; ++i) {
        d[i] = gradient[i];
        pulled[i] = 0;
      }
      for (std::size_t s = 4; s-- > 0;) {
        for (std::size_t i = 0; i < n; ++i) k[i] = h * (share[s] * d[i] + lead[s] * pulled[i]);
        pull_slope(x + s * n, k.data(), pulled.data());
        for (std::size_t i = 0; i < n; ++i) gradient[i] += pulled[i];
      }
    }
    return 0.5 * sum;
  }

 private:
  // Of the slope at a stage, in the end of the step and in the next stage.
  static constexpr double share[] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
  static constexpr double lead[] = {0.5, 0.5, 1, 0};

  template <class T>
  void slope(const std::vector<T>& x, std::vector<T>& dx) const {
    slope(x.data(), dx.data());
  }
  template <class T>
  void slope(const T* x, T* dx) const {
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t before = i > 0 ? i - 1 : n - 1, after = i + 1 < n ? i + 1 : 0;
      const std::size_t second = before > 0 ? before - 1 : n - 1;
      dx[i] = (x[after] - x[second]) * x[before] - x[i] + forcing;
    }
  }

  // out = J' w, J the Jacobian of slope at x.
  void pull_slope(const double* x, const double* w, double* out) const {
    for (std::size_t i = 0; i < n; ++i) out[i] = -w[i];
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t before = i > 0 ? i - 1 : n - 1, after = i + 1 < n ? i + 1 : 0;
      const std::size_t second = before > 0 ? before - 1 : n - 1;
      out[after] += w[i] * x[before];
      out[second] -= w[i] * x[before];
      out[before] += w[i] * (x[after] - x[second]);
    }
  }
};

}  // namespace bench::problems
