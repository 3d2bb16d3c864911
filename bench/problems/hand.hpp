#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <bench/problems/adbench.hpp>

namespace bench::problems {

/// Hand tracking, the simple variant: vertices of a hand's mesh, skinned over its posed bones, are
/// held against measured points; three outputs a point, a Jacobian of 3 c x 26. x = [rotation of
/// the hand (3), translation (3), and for each of five fingers the flexion and abduction of its
/// first joint and the flexions of the other two]. Of the mesh only vertices that meet a point are
/// skinned, by the bones that move them. Source: the AD benchmark suite (see adbench.hpp), section
/// 3.3.
class hand {
 public:
  /// The folder of the file has the model beside it: model/bones.txt, model/vertices.txt.
  explicit hand(const std::filesystem::path& file) {
    const std::vector<double> numbers = read_numbers(file);
    if (numbers.size() < 2) throw std::runtime_error(file.string() + " is no hand");
    const auto points = static_cast<std::size_t>(numbers[0]);
    if (numbers[1] != inputs || numbers.size() != 2 + 4 * points + inputs) {
      throw std::runtime_error(file.string() + " has another size than its first line says");
    }
    start_.assign(numbers.end() - inputs, numbers.end());
    read_bones(file.parent_path() / "model/bones.txt");
    const auto vertices = read_rows(file.parent_path() / "model/vertices.txt", 0);
    for (std::size_t i = 0; i < points; ++i) {
      const double* row = numbers.data() + 2 + 4 * i;
      add_point(vertices.at(static_cast<std::size_t>(row[0])), {row[1], row[2], row[3]});
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
        const influence& v = influences_[i];
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

 private:
  static constexpr std::size_t inputs = 26;
  // The first three rows of a transformation of homogeneous coordinates, [3, 4].
  template <class T>
  using affine = std::array<T, 12>;

  struct bone {
    std::size_t parent;  // no_parent for the root
    affine<double> relative, inverse;
  };
  struct influence {
    std::size_t bone;
    std::array<double, 4> at;  // the vertex at rest, times the weight of the bone
  };
  struct point {
    std::array<double, 3> measured;
    std::size_t first_influence, last_influence;
  };
  static constexpr auto no_parent = static_cast<std::size_t>(-1);

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

  // Bone i in its parent's frame. The wrist comes first, then four bones a finger, of which the
  // first is fixed.
  template <class T>
  affine<T> relative_pose(std::size_t i, std::span<const T> angles) const {
    const affine<double>& rest = bones_[i].relative;
    const std::size_t joint = (i + 3) % 4, finger = (i - 1) / 4;
    if (i == 0 || joint == 0 || finger >= 5) {
      return {rest[0], rest[1], rest[2], rest[3], rest[4],  rest[5],
              rest[6], rest[7], rest[8], rest[9], rest[10], rest[11]};
    }
    const std::span<const T> of_finger = angles.subspan(4 * finger, 4);
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
      absolute.push_back(parent == no_parent ? relative : product(absolute[parent], relative));
      moved.push_back(product(absolute.back(), bones_[i].inverse));
    }
    return moved;
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

  /// Numbers between colons, after `words` texts, a row a line.
  static std::vector<std::vector<double>> read_rows(const std::filesystem::path& file,
                                                    std::size_t words) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    std::vector<std::vector<double>> rows;
    for (std::string line; std::getline(in, line);) {
      std::vector<double> row;
      std::size_t at = 0;
      for (std::size_t field = 0; at < line.size(); ++field) {
        const std::size_t end = std::min(line.find(':', at), line.size());
        if (field >= words) row.push_back(std::stod(line.substr(at, end - at)));
        at = end + 1;
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

  // Lines of name, parent or -1, transformation to the parent and to rest (4 x 4 each).
  void read_bones(const std::filesystem::path& file) {
    for (const std::vector<double>& row : read_rows(file, 1)) {
      if (row.size() != 33) throw std::runtime_error(file.string() + " is damaged");
      bone b{row[0] < 0 ? no_parent : static_cast<std::size_t>(row[0]), {}, {}};
      std::copy_n(row.begin() + 1, 12, b.relative.begin());
      std::copy_n(row.begin() + 17, 12, b.inverse.begin());
      bones_.push_back(b);
    }
  }

  // vertex: position (3), normal (3), texture (2), number of influences, then bone and weight each.
  void add_point(const std::vector<double>& vertex, const std::array<double, 3>& measured) {
    point p{measured, influences_.size(), influences_.size()};
    for (std::size_t i = 9; i + 1 < vertex.size(); i += 2) {
      const double w = vertex[i + 1];
      influences_.push_back(
          {static_cast<std::size_t>(vertex[i]), {w * vertex[0], w * vertex[1], w * vertex[2], w}});
    }
    p.last_influence = influences_.size();
    points_.push_back(p);
  }

  std::vector<double> start_;
  std::vector<bone> bones_;
  std::vector<influence> influences_;
  std::vector<point> points_;
};

}  // namespace bench::problems
