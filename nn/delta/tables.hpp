#pragma once
// The numbers of a report side by side: formula, tape, difference. A column has one number format;
// long tables are cut in the middle, and the row with the largest difference always stays.

#include <nn/delta/format.hpp>
#include <nn/delta/pieces.hpp>
#include <nn/delta/report.hpp>

#include <cstddef>
#include <vector>

namespace nn {

/// The largest relative difference of each quantity, a row per layer.
table summary(const delta_report& report);
/// The tables of the layer with this index: its units, weights and biases, and what of a and z
/// differs.
std::vector<table> tables_of(const delta_report& report, std::size_t l, const delta_format& format);

/// Whether formula and tape are no farther apart than allowed; a NaN is.
bool agrees(const compared& c);

}  // namespace nn
