#include <autodiff/tape.hpp>

#include <atomic>

namespace autodiff {

AUTODIFF_COMPILED_ONCE()

std::uint32_t next_tape_number() noexcept {
  static std::atomic<std::uint32_t> last{0};
  std::uint32_t number = 0;
  // 0 is the number of no tape: passive values carry it.
  while (number == 0) number = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return number;
}

}  // namespace autodiff
