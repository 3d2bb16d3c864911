#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include <bench/problems/adbench.hpp>
#include <bench/problems/hand_model.hpp>

namespace bench::problems {

/// Hand tracking, the simple variant: vertices of a hand's mesh, skinned over its posed bones, are
/// held against measured points; three outputs a point, a Jacobian of 3 c x 26. x = [rotation of
/// the hand (3), translation (3), and for each of five fingers the flexion and abduction of its
/// first joint and the flexions of the other two]. Of the mesh only vertices that meet a point are
/// skinned, by the bones that move them. Source: the AD benchmark suite (see adbench.hpp), section
/// 3.3.
class hand_tracking {
 public:
  /// The folder of the file has the model beside it: model/bones.txt, model/vertices.txt.
  explicit hand_tracking(const std::filesystem::path& file) {
    const std::vector<double> numbers = read_numbers(file);
    if (numbers.size() < 2) throw std::runtime_error(file.string() + " is no hand");
    const auto points = static_cast<std::size_t>(numbers[0]);
    if (numbers[1] != inputs || numbers.size() != 2 + 4 * points + inputs) {
      throw std::runtime_error(file.string() + " has another size than its first line says");
    }
    start_.assign(numbers.end() - inputs, numbers.end());
    const hand_model model(file.parent_path() / "model");
    bones_ = model.bones();
    for (std::size_t i = 0; i < points; ++i) {
      const double* row = numbers.data() + 2 + 4 * i;
      point p{{row[1], row[2], row[3]}, influences_.size(), 0};
      const auto influences = model.influences(static_cast<std::size_t>(row[0]));
      influences_.insert(influences_.end(), influences.begin(), influences.end());
      p.last_influence = influences_.size();
      points_.push_back(p);
    }
  }

  std::vector<double> start() const { return start_; }

  template <class T>
  std::vector<T> operator()(std::span<const T> x) const {
    const std::vector<affine<T>> bones = posed(x.subspan(6));
    const std::array<T, 9> turn = rotation(x.first(3));
    std::vector<T> errors;
    errors.reserve(3 * points_.size());
    for (const point& p : points_) {
      std::array<T, 3> skinned{T(0.0), T(0.0), T(0.0)};
      for (std::size_t i = p.first_influence; i < p.last_influence; ++i) {
        const hand_model::influence& v = influences_[i];
        const T* a = bones[v.bone].data();
        for (std::size_t row = 0; row < 3; ++row, a += 4) {
          skinned[row] += a[0] * v.at[0] + a[1] * v.at[1] + a[2] * v.at[2] + a[3] * v.at[3];
        }
      }
      for (std::size_t row = 0; row < 3; ++row) {
        const T* r = turn.data() + 3 * row;
        errors.emplace_back(p.measured[row] - x[3 + row] -
                            (r[0] * skinned[0] + r[1] * skinned[1] + r[2] * skinned[2]));
      }
    }
    return errors;
  }

  /// The Jacobian, written out. A bone's pose is a product along its chain of joints, and the slope
  /// by an angle is the same product with the slope of that one factor. Each vertex moves by the
  /// angles of the fingers that it belongs to.
  double hand(std::span<const double> x, std::span<double> jacobian) const {
    static thread_local std::vector<motion> motions;
    move(x, motions);
    const std::array<double, 9> turn = rotation(x.first(3));
    const std::array<std::array<double, 9>, 3> turn_slopes = rotation_slopes(x.first(3));
    std::fill(jacobian.begin(), jacobian.end(), 0.0);
    double* rows = jacobian.data();
    double first_error = 0.0;
    for (const point& p : points_) {
      std::array<double, 3> skinned{};
      for (std::size_t i = p.first_influence; i < p.last_influence; ++i) {
        const hand_model::influence& v = influences_[i];
        const motion& m = motions[v.bone];
        for (std::size_t row = 0; row < 3; ++row) skinned[row] += dot<4>(&m.moved[4 * row], v.at);
        for (std::size_t angle = 0; angle < m.angles; ++angle) {
          double* const column = rows + 6 + 4 * m.finger + angle;
          for (std::size_t row = 0; row < 3; ++row) {
            column[row * inputs] -= dot<4>(&m.turned_slopes[angle][4 * row], v.at);
          }
        }
      }
      for (std::size_t row = 0; row < 3; ++row, rows += inputs) {
        for (std::size_t k = 0; k < 3; ++k) rows[k] = -dot<3>(&turn_slopes[k][3 * row], skinned);
        rows[3 + row] = -1.0;
      }
      if (&p == points_.data()) first_error = p.measured[0] - x[3] - dot<3>(turn.data(), skinned);
    }
    return first_error;
  }

 private:
  static constexpr std::size_t inputs = 26;

  struct point {
    std::array<double, 3> measured;
    std::size_t first_influence, last_influence;
  };
  // A bone on its way from rest, and its slopes by the angles of its finger so far.
  struct motion {
    std::size_t finger, angles;
    affine<double> absolute, moved;
    std::array<affine<double>, 4> slopes;         // of absolute
    std::array<affine<double>, 4> turned_slopes;  // of moved, turned with the hand
  };

  template <class A, class B>
  static auto product(const affine<A>& a, const affine<B>& b) {
    using T = std::conditional_t<std::is_same_v<A, double>, B, A>;
    affine<T> c;
    for (std::size_t row = 0; row < 12; row += 4) {
      for (std::size_t j = 0; j < 3; ++j) {
        c[row + j] = a[row] * b[j] + a[row + 1] * b[4 + j] + a[row + 2] * b[8 + j];
      }
      c[row + 3] = a[row] * b[3] + a[row + 1] * b[7] + a[row + 2] * b[11] + a[row + 3];
    }
    return c;
  }

  // The turn of a joint: flexion about the first axis, then abduction about the third.
  template <class T>
  static affine<T> flexed(const T& angle) {
    using std::cos, std::sin;
    const T c = cos(angle), s = sin(angle);
    return {T(1.0), T(0.0), T(0.0), T(0.0), T(0.0), c, T(-s), T(0.0), T(0.0), s, c, T(0.0)};
  }
  template <class T>
  static affine<T> flexed_and_abducted(const T& flexion, const T& abduction) {
    using std::cos, std::sin;
    const T c = cos(flexion), s = sin(flexion), ca = cos(abduction), sa = sin(abduction);
    return {ca,         T(-sa * c), T(sa * s), T(0.0), sa, T(ca * c),
            T(-ca * s), T(0.0),     T(0.0),    s,      c,  T(0.0)};
  }

  // The wrist comes first, then four bones a finger, of which the first is fixed: its joint is 0.
  static std::size_t joint_of(std::size_t bone) {
    return bone == 0 || bone > 20 ? 0 : (bone - 1) % 4;
  }
  static std::size_t finger_of(std::size_t bone) { return (bone - 1) / 4; }

  // Bone i in its parent's frame.
  template <class T>
  affine<T> relative_pose(std::size_t i, std::span<const T> angles) const {
    const affine<double>& rest = bones_[i].relative;
    const std::size_t joint = joint_of(i);
    if (joint == 0) {
      return {rest[0], rest[1], rest[2], rest[3], rest[4],  rest[5],
              rest[6], rest[7], rest[8], rest[9], rest[10], rest[11]};
    }
    const std::span<const T> of_finger = angles.subspan(4 * finger_of(i), 4);
    if (joint == 1) return product(rest, flexed_and_abducted(of_finger[0], of_finger[1]));
    return product(rest, flexed(of_finger[joint]));
  }

  // From rest to the pose, for each bone.
  template <class T>
  std::vector<affine<T>> posed(std::span<const T> angles) const {
    std::vector<affine<T>> absolute, moved;
    absolute.reserve(bones_.size());
    moved.reserve(bones_.size());
    for (std::size_t i = 0; i < bones_.size(); ++i) {
      const std::size_t parent = bones_[i].parent;
      const affine<T> relative = relative_pose(i, angles);
      absolute.push_back(parent == hand_model::no_parent ? relative
                                                         : product(absolute[parent], relative));
      moved.push_back(product(absolute.back(), bones_[i].inverse));
    }
    return moved;
  }

  // A product whose second factor is the slope of a turn: its last row is zero.
  static affine<double> product_with_slope(const affine<double>& a, const affine<double>& slope) {
    affine<double> c = product(a, slope);
    c[3] = c[7] = c[11] = 0.0;
    return c;
  }

  // Appends the slopes of relative_pose(i) by the angles of its own joint, in the frame of the
  // hand.
  void add_slopes(std::size_t i, std::span<const double> angles, const affine<double>& parent,
                  motion& m) const {
    const std::size_t joint = joint_of(i);
    if (joint == 0) return;
    m.finger = finger_of(i);
    const std::span<const double> of_finger = angles.subspan(4 * m.finger, 4);
    const affine<double> before = product(parent, bones_[i].relative);
    const double flexion = of_finger[joint == 1 ? 0 : joint];
    const double c = std::cos(flexion), s = std::sin(flexion);
    if (joint > 1) {
      m.slopes[m.angles++] = product_with_slope(before, {0, 0, 0, 0, 0, -s, -c, 0, 0, c, -s, 0});
      return;
    }
    const double ca = std::cos(of_finger[1]), sa = std::sin(of_finger[1]);
    m.slopes[m.angles++] =
        product_with_slope(before, {0, sa * s, sa * c, 0, 0, -ca * s, -ca * c, 0, 0, c, -s, 0});
    m.slopes[m.angles++] =
        product_with_slope(before, {-sa, -ca * c, ca * s, 0, ca, -sa * c, sa * s, 0, 0, 0, 0, 0});
  }

  void move(std::span<const double> x, std::vector<motion>& motions) const {
    const std::span<const double> angles = x.subspan(6);
    const std::array<double, 9> r = rotation(x.first(3));
    const affine<double> turn{r[0], r[1], r[2], 0, r[3], r[4], r[5], 0, r[6], r[7], r[8], 0};
    motions.resize(bones_.size());
    for (std::size_t i = 0; i < bones_.size(); ++i) {
      motion& m = motions[i];
      const affine<double> relative = relative_pose(i, angles);
      if (bones_[i].parent == hand_model::no_parent) {
        m.finger = m.angles = 0;
        m.absolute = relative;
      } else {
        const motion& parent = motions[bones_[i].parent];
        m.finger = parent.finger;
        m.angles = parent.angles;
        m.absolute = product(parent.absolute, relative);
        for (std::size_t k = 0; k < m.angles; ++k)
          m.slopes[k] = product(parent.slopes[k], relative);
        add_slopes(i, angles, parent.absolute, m);
      }
      m.moved = product(m.absolute, bones_[i].inverse);
      for (std::size_t k = 0; k < m.angles; ++k) {
        m.turned_slopes[k] = product(turn, product(m.slopes[k], bones_[i].inverse));
      }
    }
  }

  template <std::size_t N, class Vector>
  static double dot(const double* a, const Vector& b) {
    double sum = 0;
    for (std::size_t i = 0; i < N; ++i) sum += a[i] * b[i];
    return sum;
  }

  // Rodrigues' formula, row by row.
  template <class T>
  static std::array<T, 9> rotation(std::span<const T> r) {
    using std::cos, std::sin, std::sqrt;
    const T angle = sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]);
    const T x = r[0] / angle, y = r[1] / angle, z = r[2] / angle;
    const T c = cos(angle), s = sin(angle), rest = 1.0 - c;
    return {T(c + x * x * rest),     T(x * y * rest - z * s), T(x * z * rest + y * s),
            T(x * y * rest + z * s), T(c + y * y * rest),     T(y * z * rest - x * s),
            T(x * z * rest - y * s), T(y * z * rest + x * s), T(c + z * z * rest)};
  }

  // By the three components of r. With angle t and axis w = r / t the rotation is
  // cos t + sin t [w] + (1 - cos t) w w'.
  static std::array<std::array<double, 9>, 3> rotation_slopes(std::span<const double> r) {
    const double angle = std::sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]);
    const std::array<double, 3> w{r[0] / angle, r[1] / angle, r[2] / angle};
    const double c = std::cos(angle), s = std::sin(angle);
    std::array<std::array<double, 9>, 3> slopes;
    for (std::size_t k = 0; k < 3; ++k) {
      // The slopes of w and of sin t w.
      std::array<double, 3> axis, sine;
      for (std::size_t i = 0; i < 3; ++i) {
        axis[i] = ((i == k ? 1.0 : 0.0) - w[i] * w[k]) / angle;
        sine[i] = c * w[k] * w[i] + s * axis[i];
      }
      std::array<double, 9>& slope = slopes[k];
      slope = {-s * w[k], -sine[2], sine[1], sine[2],  -s * w[k],
               -sine[0],  -sine[1], sine[0], -s * w[k]};
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
          slope[3 * i + j] +=
              s * w[k] * w[i] * w[j] + (1.0 - c) * (axis[i] * w[j] + w[i] * axis[j]);
        }
      }
    }
    return slopes;
  }

  std::vector<double> start_;
  std::vector<hand_model::bone> bones_;
  std::vector<hand_model::influence> influences_;
  std::vector<point> points_;
};

}  // namespace bench::problems
