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

 private:
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
