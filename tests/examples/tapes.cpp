// A tape in the open: record, sweep, read, rewind.

#include <autodiff/autodiff.hpp>

#include <fmt/format.h>

namespace ad = autodiff;

int main() {
  ad::tape tape;  // records on this thread until destroyed; tapes nest
  ad::var x = tape.variable(1.5), y = tape.variable(-0.3);
  auto mark = tape.mark();

  auto z = sin(x) * y + exp(x * y);  // 'auto' is safe: expressions own their operands
  tape.backward(z);
  fmt::print("dz/dx = {}, dz/dy = {}\n", tape.adjoint(x), tape.adjoint(y));

  ad::var product = x * y, root = sqrt(square(product));
  tape.backward(root);  // another output; every intermediate has an adjoint
  fmt::print("d root/d product = {}\n", tape.adjoint(product));

  tape.rewind(mark);  // forgets what came after the mark, keeps the memory
  fmt::print("{}\n", tape.statistics());
}
