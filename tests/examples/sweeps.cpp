// Sweeps beside the plain one, and where a NaN came from.

#include <autodiff/autodiff.hpp>

#include <fmt/format.h>

#include <array>
#include <vector>

namespace ad = autodiff;

namespace {

void parts() {
  ad::tape tape;
  const std::vector<double> data{0.5, -1.0, 2.0};
  ad::var x = tape.variable(0.3);
  auto start = tape.mark();
  for (double d : data) {
    tape.rewind(start);
    tape.accumulate(square(sin(x) - d));  // adds to the adjoint that x has
  }
  fmt::print("gradient of the sum: {}\n", tape.adjoint(x));

  tape.rewind(start);
  ad::var state = exp(x);
  auto checkpoint = tape.mark();
  ad::var cost = state * state;
  tape.backward_to(checkpoint, cost);  // sweeps what came after the mark
  tape.add_adjoint(state, 10.0);       // what flows in from elsewhere
  tape.resume();                       // and on to the start
  fmt::print("d cost/dx, with 10 more by the state: {}\n", tape.adjoint(x));
}

void several_outputs() {
  ad::tape tape;
  ad::var r = tape.variable(2.0), phi = tape.variable(0.5);
  std::array<ad::var, 2> point{r * cos(phi), r * sin(phi)};

  tape.backward(point, std::array{1.0, -1.0});  // the gradient of point[0] - point[1]
  fmt::print("{} {}\n", tape.adjoint(r), tape.adjoint(phi));

  ad::adjoint_lanes<double, 2> lanes(tape);  // both rows of the Jacobian in one sweep
  lanes.backward(point);
  fmt::print("dx/dphi = {}, dy/dphi = {}\n", lanes.adjoint(phi, 0), lanes.adjoint(phi, 1));
}

void where_from() {
  ad::tape tape;
  tape.watch(ad::watching::report);  // or strict, which throws at the statement
  ad::var x = tape.variable(0.0);
  ad::var y = 3.0 * sqrt(x * x);
  tape.backward(y);
  for (const ad::anomaly& a : tape.anomalies()) fmt::print("{}\n", a);
}

}  // namespace

int main() {
  parts();
  several_outputs();
  where_from();
}
