#pragma once
// What nn/delta/compare_deltas.hpp finds: every number of a backpropagation by the formulas of the
// textbook and by the tape, side by side. Plain data, to be printed in any form. Samples are rows;
// weights stand as in the textbook, W[k, m] from unit m of the layer before to unit k. The numbers
// of networks in float are here as double, unchanged.

#include <nn/delta/matrix.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace nn {

/// The number as it is to be printed: a NaN without its sign, which says nothing and depends on the
/// processor.
double printable(double x);

/// A difference and the entry where it is.
struct largest_difference {
  double value = 0;
  std::size_t row = 0, column = 0;
};

/// One quantity by both ways, and where they are farthest apart.
struct compared {
  matrix<double> formula, tape;
  /// |formula - tape| over the largest |entry| of both matrices. Infinite where one of the two is
  /// not finite and the other is not the same.
  largest_difference relative;
  /// |formula - tape| in units in the last place of the larger of the two, in the number type of
  /// the network. An entry that is the small remainder of large terms may be many units apart.
  largest_difference ulp;
  /// How large `relative` may be: the tolerance of the report, or more where sums cancel, so that
  /// rounding alone takes more digits (nn/delta/difference.hpp).
  double allowed = 0;
};

/// What is compared, in the order in which the textbook computes it: a and z forwards through the
/// layers, then the error E, then delta, dE/dW and dE/db of each layer backwards.
enum class quantity { a, z, error, delta, dw, db };
/// "a", "z", "E", "delta", "dE/dW", "dE/db"
std::string to_string(quantity q);

struct delta_layer {
  std::string name;                     ///< "layer 2: 3 -> 2 identity"
  std::size_t inputs = 0, outputs = 0;  ///< M and K
  std::string activation;
  matrix<double> weights;  ///< W[K, M]
  matrix<double> biases;   ///< [1, K], or empty
  compared a;              ///< [n, K], a = W z + b
  compared z;              ///< [n, K], z = h(a)
  compared delta;          ///< [n, K], dE/da
  compared dw;             ///< [K, M], dE/dW, summed over the samples
  compared db;             ///< [1, K], dE/db, or empty
};

/// An entry at which formula and tape differ by more than is allowed.
struct disagreement {
  std::size_t layer;  ///< from 1; the number of layers for E
  nn::quantity quantity;
  std::size_t row, column;  ///< of the matrix of this quantity, from 0
  double formula, tape;
  double relative;  ///< as in `compared`
};
/// "layer 2, delta, sample 1, unit 3: -0.25 by the formula, -0.5 by the tape (relative difference
/// 5.0e-01)"; samples and units are counted from 1.
std::string to_string(const disagreement& d);

struct delta_report {
  std::string number_type;  ///< "float" or "double"
  std::string loss;         ///< "half_squared_error"
  double tolerance = 0;     ///< for the relative differences; see compared::allowed

  matrix<double> input;   ///< [n, inputs], z of layer 0
  matrix<double> target;  ///< [n, outputs]
  compared error;         ///< [1, 1], E
  std::vector<delta_layer> layers;

  /// Empty unless the formula took y - t for the delta of an output where it is not: then
  /// [n, outputs], the factor by which the true delta differs from it; f (1 - f) for a sigmoid f
  /// under the squared error. `remark` says it in words.
  matrix<double> output_factor;
  /// What is known about a disagreement, or empty. Also where probabilities rounded to 0 or 1 cost
  /// the tape its delta.
  std::string remark;

  /// The first entry beyond what is allowed, in the order of `quantity`; where a quantity has
  /// several of them, the one that is farthest apart.
  std::optional<disagreement> first_disagreement() const;
  bool agrees() const { return !first_disagreement(); }
};

}  // namespace nn
