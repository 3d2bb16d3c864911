#pragma once
// How far formula and tape are apart, and how far rounding alone may take them.

#include <nn/delta/delta.hpp>
#include <nn/delta/matrix.hpp>
#include <nn/delta/report.hpp>

#include <span>

namespace nn {

/// The same numbers as double.
template <class T>
matrix<double> as_double(const matrix<T>& m);

/// Two matrices of one shape side by side, with their largest differences; nothing is allowed yet.
template <class T>
compared compare(const matrix<T>& formula, const matrix<T>& tape);

/// Fills compared::allowed. In a network where sums nearly cancel, every number after them has
/// fewer digits than its type, whoever computes it. How many are lost shows when the formulas are
/// computed in the next wider type as well: allowed are 32 times the relative difference of the
/// formulas from themselves, the largest so far in the order of `quantity`, but at least the
/// tolerance and at most a million times that, ten thousand times for float. Where report.loss or
/// an activation is unknown to the textbook it is the tolerance.
template <class T>
void allow_for_rounding(delta_report& report, std::span<const textbook::layer<T>> layers,
                        const matrix<T>& x, const matrix<T>& t);

}  // namespace nn
