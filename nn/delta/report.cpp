#include <nn/delta/report.hpp>

#include <fmt/format.h>

#include <cmath>

namespace nn {
namespace {

std::string place(const disagreement& d) {
  switch (d.quantity) {
    case quantity::error: return "E";
    case quantity::dw:
      return fmt::format("layer {}, dE/dW, row {}, column {}", d.layer, d.row + 1, d.column + 1);
    case quantity::db: return fmt::format("layer {}, dE/db, unit {}", d.layer, d.column + 1);
    default:
      return fmt::format("layer {}, {}, sample {}, unit {}", d.layer, to_string(d.quantity),
                         d.row + 1, d.column + 1);
  }
}

}  // namespace

double printable(double x) { return std::isnan(x) ? std::abs(x) : x; }

std::string to_string(quantity q) {
  switch (q) {
    case quantity::a: return "a";
    case quantity::z: return "z";
    case quantity::error: return "E";
    case quantity::delta: return "delta";
    case quantity::dw: return "dE/dW";
    case quantity::db: return "dE/db";
  }
  return "";
}

std::string to_string(const disagreement& d) {
  return fmt::format("{}: {} by the formula, {} by the tape (relative difference {:.1e})", place(d),
                     printable(d.formula), printable(d.tape), d.relative);
}

std::optional<disagreement> delta_report::first_disagreement() const {
  std::optional<disagreement> first;
  const auto look = [&](std::size_t layer, nn::quantity q, const compared& c) {
    // Not "value > allowed": a NaN is a disagreement.
    if (first || c.relative.value <= c.allowed) return;
    const auto [value, row, column] = c.relative;
    first = {layer, q, row, column, c.formula(row, column), c.tape(row, column), value};
  };
  for (std::size_t l = 0; l < layers.size(); ++l) {
    look(l + 1, quantity::a, layers[l].a);
    look(l + 1, quantity::z, layers[l].z);
  }
  look(layers.size(), quantity::error, error);
  for (std::size_t l = layers.size(); l-- > 0;) {
    look(l + 1, quantity::delta, layers[l].delta);
    look(l + 1, quantity::dw, layers[l].dw);
    look(l + 1, quantity::db, layers[l].db);
  }
  return first;
}

}  // namespace nn
