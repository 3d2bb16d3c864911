#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench::problems {

/// A transformation of homogeneous coordinates, [3, 4]: without its last row, which is 0 0 0 1.
template <class T>
using affine = std::array<T, 12>;

/// The bones of a hand and the vertices of its mesh, at rest, as the AD benchmark suite has them.
class hand_model {
 public:
  struct bone {
    std::size_t parent;  // no_parent for the root; parents come first
    affine<double> relative, inverse;
  };
  static constexpr auto no_parent = static_cast<std::size_t>(-1);

  /// A bone that moves a vertex.
  struct influence {
    std::size_t bone;
    std::array<double, 4> at;  // the vertex at rest, times the weight of the bone
  };

  /// Reads bones.txt and vertices.txt. Throws std::runtime_error when one cannot be read.
  explicit hand_model(const std::filesystem::path& folder)
      : vertices_(read_rows(folder / "vertices.txt", 0)) {
    // Lines of name, parent or -1, transformation to the parent and to rest (4 x 4 each).
    for (const std::vector<double>& row : read_rows(folder / "bones.txt", 1)) {
      if (row.size() != 33) throw std::runtime_error(folder.string() + ": damaged bones");
      bone b{row[0] < 0 ? no_parent : static_cast<std::size_t>(row[0]), {}, {}};
      std::copy_n(row.begin() + 1, 12, b.relative.begin());
      std::copy_n(row.begin() + 17, 12, b.inverse.begin());
      bones_.push_back(b);
    }
  }

  const std::vector<bone>& bones() const { return bones_; }

  /// Throws std::out_of_range when there is no such vertex.
  std::vector<influence> influences(std::size_t vertex) const {
    // Position (3), normal (3), texture (2), number of influences, then bone and weight each.
    const std::vector<double>& row = vertices_.at(vertex);
    std::vector<influence> all;
    for (std::size_t i = 9; i + 1 < row.size(); i += 2) {
      const double w = row[i + 1];
      all.push_back({static_cast<std::size_t>(row[i]), {w * row[0], w * row[1], w * row[2], w}});
    }
    return all;
  }

 private:
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

  std::vector<bone> bones_;
  std::vector<std::vector<double>> vertices_;
};

}  // namespace bench::problems
