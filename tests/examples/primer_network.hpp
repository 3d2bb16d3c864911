#pragma once
// The numerical example of "A Primer on Backpropagation with a Numerical Example" (Santi, 2025),
// computed twice: by the formulas that the document derives and by the sweep of the tape.

#include <nn/delta/report.hpp>

#include <array>

namespace primer {

template <class T>
using hidden = std::array<T, 3>;
template <class T>
using outputs = std::array<T, 2>;

/// Every number of the worked example. Weights and their gradients stand as in the document:
/// w[k][m] leads from unit m of the layer before to unit k.
template <class T>
struct numbers {
  hidden<T> a1, z1, slope1, delta1;
  outputs<T> a2, delta2;
  std::array<std::array<T, 2>, 3> dw1;
  std::array<std::array<T, 3>, 2> dw2;
  T e;
};

inline constexpr std::array<double, 2> x{1.0, 2.0}, t{1.0, 1.15};
inline constexpr std::array<std::array<double, 2>, 3> w1{{{0.1, 0.2}, {0.3, 0.4}, {0.5, 0.6}}};
inline constexpr std::array<std::array<double, 3>, 2> w2{{{0.1, 0.2, 0.3}, {0.4, 0.5, 0.6}}};

/// The example as nn::network<double> with E = 1/2 sum (y - t)^2, by both ways.
nn::delta_report compared();

/// Its numbers by equations (1) to (7) of the document.
numbers<double> by_formula();
/// Its numbers by the tape; deltas are adjoints of the preactivations.
numbers<double> by_tape();

/// In float, with the hidden outputs that the document's script printed instead of tanh(a): the
/// layer is linearised on the tape as z + (1 - z^2)(a - a0). What remains is exactly the script's
/// arithmetic.
numbers<float> by_tape_from_printed_outputs();

/// The table that the document's TensorFlow script printed, in its own digits.
struct printed_table {
  std::array<std::array<const char*, 2>, 3> dw1;
  hidden<const char*> z1;
  std::array<std::array<const char*, 3>, 2> dw2;
  outputs<const char*> a2;
};
inline constexpr printed_table published{{{{"-0.04150072", "-0.08300145"},
                                           {"-0.03751578", "-0.07503156"},
                                           {"-0.01951589", "-0.03903178"}}},
                                         {"0.46211717", "0.8004991", "0.935409"},
                                         {{{"-0.23709649", "-0.41070867", "-0.47992632"},
                                           {"-0.00169051", "-0.00292837", "-0.00342189"}}},
                                         {"0.48693424", "1.1463418"}};

}  // namespace primer
