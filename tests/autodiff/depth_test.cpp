// Long records: no recursion, and memory that ends in an exception.

#include <autodiff/error.hpp>
#include <autodiff/memory.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/var.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <cstddef>
#include <fstream>
#include <limits>
#include <string>

using autodiff::tape;
using autodiff::var;

namespace {

constexpr std::size_t gibibyte = std::size_t{1} << 30;

/// Bytes that a test may take without pushing others out.
std::size_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::size_t kibibytes = 0;
  while (file >> name >> kibibytes) {
    if (name == "MemAvailable:") return kibibytes * 1024;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

/// y = x 2 (1/2) 2 (1/2) ..., an even number of factors whose product is exact.
void sweep_chain(std::size_t length) {
  tape t;
  const var x = t.variable(3.0);
  var y = x;
  for (std::size_t i = 0; i < length; i += 2) {
    y *= 2.0;
    y *= 0.5;
  }
  CHECK(y.value() == 3);
  CHECK(t.statistics().statements == length);
  t.backward(y);
  CHECK(t.adjoint(x) == 1);
}

}  // namespace

TEST_CASE("a chain of a hundred million operations sweeps without recursion") {
  if (available_memory() < 4 * gibibyte) {
    WARN("skipped: needs 4 GiB of free memory");
    return;
  }
  sweep_chain(100'000'000);
}

TEST_CASE("a tape of ten gigabytes works") {
#ifndef NDEBUG
  WARN("skipped: too slow without optimisation");
  return;
#endif
  // Partial, place, code and adjoint: 21 bytes an operation.
  if (available_memory() < 18 * gibibyte) {
    WARN("skipped: needs 18 GiB of free memory");
    return;
  }
  sweep_chain(10'000'000'000 / 21);
}

TEST_CASE("a tape that ran out of memory serves again after a rewind") {
  tape t;
  t.limit(1 << 20);
  const var x = t.variable(2.0);
  const auto mark = t.mark();
  for (int repeat = 0; repeat < 3; ++repeat) {
    var y = x;
    std::size_t recorded = 0;
    const std::string text = reference::message<autodiff::memory_error>([&] {
      for (; recorded < 10'000'000; ++recorded) y = y * 1.0;
    });
    CHECK(reference::says(text, "tape", "1048576 bytes", "tape.limit"));
    CHECK(recorded > 40'000);
    t.backward(y);  // What was recorded is whole.
    CHECK(t.adjoint(x) == 1);
    t.rewind(mark);
    const var square = x * x;
    t.backward(square);
    CHECK(t.adjoint(x) == 4);
    t.rewind(mark);
  }
}
