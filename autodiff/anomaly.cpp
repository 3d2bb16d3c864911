#include <autodiff/anomaly.hpp>

#include <autodiff/error.hpp>
#include <autodiff/expression_text.hpp>

#include <fmt/format.h>

#include <ostream>

namespace autodiff {
namespace {

// The sign of a NaN says nothing.
std::string number(double x) { return std::isnan(x) ? "nan" : fmt::format("{}", x); }

}  // namespace

std::string to_string(const anomaly& a) {
  const std::string where = a.text ? fmt::format("{} at place {}", written_out(a.text), a.place)
                                   : fmt::format("the statement at place {}", a.place);
  switch (a.what) {
    case anomaly::kind::recorded:
      return fmt::format("{} has the value {} and a partial derivative of {}", where,
                         number(a.value), number(a.partial));
    case anomaly::kind::swept:
      return fmt::format("{} has the adjoint {} and a partial derivative of {}", where,
                         number(a.adjoint), number(a.partial));
    case anomaly::kind::suppressed: break;
  }
  return fmt::format("{} has a partial derivative of {} and was skipped, its adjoint being 0",
                     where, number(a.partial));
}

std::ostream& operator<<(std::ostream& out, const anomaly& a) { return out << to_string(a); }

void require_no_anomalies(const std::vector<anomaly>& found) {
  if (found.empty()) return;
  constexpr std::size_t shown = 5;
  std::string text;
  for (std::size_t i = 0; i < found.size() && i < shown; ++i) {
    if (i > 0) text += "; ";
    text += to_string(found[i]);
  }
  if (found.size() > shown) text += fmt::format("; and {} more", found.size() - shown);
  throw domain_error("strict tape", text,
                     "keep its arguments away from the singular point, or watch with "
                     "watching::report to go on");
}

}  // namespace autodiff
