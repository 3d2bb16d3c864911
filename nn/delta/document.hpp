#pragma once
// One walk over a delta report, which says what is said and in which order. What the four writers
// make of it differs in signs only.

#include <nn/delta/format.hpp>
#include <nn/delta/pieces.hpp>
#include <nn/delta/report.hpp>

namespace nn {

/// Names from the report are clean() in it, but not escaped for any writer. Throws domain_error
/// for a format out of range, shape_error for a report whose matrices do not fit each other.
delta_document document_of(const delta_report& report, const delta_format& format);

}  // namespace nn
