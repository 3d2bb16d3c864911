#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <vector>

#include <bench/problems/adbench.hpp>

namespace bench::problems {

/// Bundle adjustment: the weighted reprojection error of a point seen by a camera with radial
/// distortion, two outputs, differentiated by camera, point and weight, a 2 x 15 Jacobian for each
/// observation. The suite's data have one observation, which it repeats.
/// x = [rotation (3), center (3), focal length, principal point (2), distortion (2), point (3),
/// weight]. Source: the AD benchmark suite (see adbench.hpp), section 3.2.
class ba {
 public:
  static constexpr std::size_t inputs = 15, outputs = 2;

  explicit ba(const std::filesystem::path& file) {
    const std::vector<double> numbers = read_numbers(file);
    if (numbers.size() != 3 + inputs + outputs) {
      throw std::runtime_error(file.string() + " is no single observation");
    }
    start_.assign(numbers.begin() + 3, numbers.end() - 2);
    feature_ = {numbers[numbers.size() - 2], numbers.back()};
  }

  std::vector<double> start() const { return start_; }

  template <class T>
  std::array<T, outputs> operator()(std::span<const T> x) const {
    const std::array<T, 3> seen{T(x[11] - x[3]), T(x[12] - x[4]), T(x[13] - x[5])};
    const std::array<T, 3> turned = rotated(x.first(3), seen);
    const T px = turned[0] / turned[2], py = turned[1] / turned[2];
    const T square = px * px + py * py;
    const T stretch = 1.0 + x[9] * square + x[10] * square * square;
    const T& weight = x[14];
    return {T(weight * (px * stretch * x[6] + x[7] - feature_[0])),
            T(weight * (py * stretch * x[6] + x[8] - feature_[1]))};
  }

  /// Both rows of the Jacobian, written out: each is what the rotation's transpose and its
  /// derivatives make of the row's derivatives by the rotated point.
  double hand(std::span<const double> x, std::span<double> jacobian) const {
    const vector rotation{x[0], x[1], x[2]}, p{x[11] - x[3], x[12] - x[4], x[13] - x[5]};
    const vector q = rotated<double>(x.first(3), p);
    const double u[2] = {q[0] / q[2], q[1] / q[2]};
    const double square = u[0] * u[0] + u[1] * u[1], f = x[6], weight = x[14];
    const double stretch = 1.0 + x[9] * square + x[10] * square * square;
    const double by_square = x[9] + 2.0 * x[10] * square;
    for (std::size_t i = 0; i < outputs; ++i) {
      double* const row = jacobian.data() + i * inputs;
      const double scale = weight * f;
      double by_u[2] = {scale * u[i] * by_square * 2.0 * u[0],
                        scale * u[i] * by_square * 2.0 * u[1]};
      by_u[i] += scale * stretch;
      const vector by_q{by_u[0] / q[2], by_u[1] / q[2], -(by_u[0] * u[0] + by_u[1] * u[1]) / q[2]};
      vector by_p;
      turned_back(rotation, p, by_q, row, by_p);
      for (std::size_t k = 0; k < 3; ++k) {
        row[3 + k] = -by_p[k];
        row[11 + k] = by_p[k];
      }
      row[6] = weight * u[i] * stretch;
      row[7] = i == 0 ? weight : 0.0;
      row[8] = i == 1 ? weight : 0.0;
      row[9] = scale * u[i] * square;
      row[10] = scale * u[i] * square * square;
      row[14] = u[i] * stretch * f + x[7 + i] - feature_[i];
    }
    return weight * jacobian[14];
  }

 private:
  using vector = std::array<double, 3>;
  static double dot(const vector& a, const vector& b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  }
  static vector cross(const vector& a, const vector& b) {
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
  }

  /// Adjoints of rotation and point, from v, the adjoint of the rotated point. With angle t and
  /// axis w it is p cos t + (w x p) sin t + w (w p)(1 - cos t).
  static void turned_back(const vector& rotation, const vector& p, const vector& v,
                          double* by_rotation, vector& by_p) {
    const double angle = std::sqrt(dot(rotation, rotation));
    const vector pv = cross(p, v);
    if (angle == 0) {
      const vector back = cross(v, rotation);
      for (std::size_t k = 0; k < 3; ++k) {
        by_rotation[k] = pv[k];
        by_p[k] = v[k] + back[k];
      }
      return;
    }
    const double c = std::cos(angle), s = std::sin(angle);
    const vector w{rotation[0] / angle, rotation[1] / angle, rotation[2] / angle};
    const double wv = dot(w, v), wp = dot(w, p);
    const vector back = cross(v, w);
    const double by_angle = -dot(p, v) * s + dot(w, pv) * c + wv * wp * s;
    vector by_axis;
    for (std::size_t k = 0; k < 3; ++k) {
      by_p[k] = v[k] * c + back[k] * s + w[k] * wv * (1.0 - c);
      by_axis[k] = pv[k] * s + (v[k] * wp + p[k] * wv) * (1.0 - c);
    }
    const double along = dot(w, by_axis);
    for (std::size_t k = 0; k < 3; ++k) {
      by_rotation[k] = w[k] * by_angle + (by_axis[k] - w[k] * along) / angle;
    }
  }

  // Rodrigues' formula; the first-order limit where there is no rotation.
  template <class T>
  static std::array<T, 3> rotated(std::span<const T> rotation, const std::array<T, 3>& p) {
    using std::cos, std::sin, std::sqrt;
    const auto crossed = [&p](const auto& w) {
      return std::array<T, 3>{T(w[1] * p[2] - w[2] * p[1]), T(w[2] * p[0] - w[0] * p[2]),
                              T(w[0] * p[1] - w[1] * p[0])};
    };
    const T square =
        rotation[0] * rotation[0] + rotation[1] * rotation[1] + rotation[2] * rotation[2];
    if (square == 0.0) {
      const std::array<T, 3> c = crossed(rotation);
      return {T(p[0] + c[0]), T(p[1] + c[1]), T(p[2] + c[2])};
    }
    const T angle = sqrt(square), cosine = cos(angle), sine = sin(angle), inverse = 1.0 / angle;
    const std::array<T, 3> w{T(rotation[0] * inverse), T(rotation[1] * inverse),
                             T(rotation[2] * inverse)};
    const std::array<T, 3> c = crossed(w);
    const T along = (w[0] * p[0] + w[1] * p[1] + w[2] * p[2]) * (1.0 - cosine);
    return {T(p[0] * cosine + c[0] * sine + w[0] * along),
            T(p[1] * cosine + c[1] * sine + w[1] * along),
            T(p[2] * cosine + c[2] * sine + w[2] * along)};
  }

  std::vector<double> start_;
  std::array<double, 2> feature_{};
};

}  // namespace bench::problems
