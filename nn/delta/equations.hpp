#pragma once
// The textbook's formulas with the numbers of a report put in, as section 5 of the document that
// nn/delta/delta.hpp cites works its example: delta^(2)_1 = y_1 - t_1 = (0.48 - 1) = -0.52. Every
// product that is written is of numbers of the formula's side; where they come to something else
// than the report has, because another function than the textbook's was compared, the line says so.

#include <nn/delta/format.hpp>
#include <nn/delta/pieces.hpp>
#include <nn/delta/report.hpp>

#include <cstddef>

namespace nn {

/// a and z of the layer with this index, of the first sample.
equations forward_pass(const delta_report& report, std::size_t l, const delta_format& format);
/// Eq. (5) or (7), of the first sample.
equations deltas(const delta_report& report, std::size_t l, const delta_format& format);
/// dE/dw and dE/db, eq. (1) and (6), summed over the samples.
equations gradients(const delta_report& report, std::size_t l, const delta_format& format);

}  // namespace nn
