// Chooses the loops for the CPU that the program runs on.

#include <autodiff/dual.hpp>
#include <autodiff/sweep.hpp>
#include <autodiff/tensor/kernels.hpp>

#include <array>
#include <concepts>
#include <cstdlib>
#include <string_view>

namespace autodiff {

extern const kernel_table kernels_baseline;
#ifndef BACKSWEEP_BASELINE_ONLY
extern const kernel_table kernels_avx2;
extern const kernel_table kernels_avx512;
#endif
extern const loop_table<dual<float>> loops_of_dual_float;
extern const loop_table<dual<double>> loops_of_dual_double;

namespace {

struct table_list {
  std::array<const kernel_table*, 3> tables{&kernels_baseline};
  std::size_t count = 1;

  void add(const kernel_table& table) noexcept { tables[count++] = &table; }
};

table_list find_tables() noexcept {
  table_list found;
#ifndef BACKSWEEP_BASELINE_ONLY
  // All that the flags of these sources (CMakeLists.txt) let the compiler use.
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2")) {
    return found;
  }
  found.add(kernels_avx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd")) {
    found.add(kernels_avx512);
  }
#endif
  return found;
}

const kernel_table& choose() noexcept {
  const auto tables = available_kernels();
  const char* asked = std::getenv("BACKSWEEP_ISA");
  for (const kernel_table* table : tables) {
    if (asked && std::string_view(asked) == table->instruction_set) return *table;
  }
  return *tables.back();
}

}  // namespace

std::span<const kernel_table* const> available_kernels() noexcept {
  static const table_list found = find_tables();
  return {found.tables.data(), found.count};
}

const kernel_table& kernels() noexcept {
  static const kernel_table& chosen = choose();
  return chosen;
}

template <class T>
const loop_table<T>& loops() noexcept {
  if constexpr (std::same_as<T, float>)
    return kernels().of_float;
  else if constexpr (std::same_as<T, double>)
    return kernels().of_double;
  else if constexpr (std::same_as<T, dual<float>>)
    return loops_of_dual_float;
  else
    return loops_of_dual_double;
}
template const loop_table<float>& loops() noexcept;
template const loop_table<double>& loops() noexcept;
template const loop_table<dual<float>>& loops() noexcept;
template const loop_table<dual<double>>& loops() noexcept;

scalar_sweep& best_scalar_sweep() noexcept { return *kernels().sweep; }

}  // namespace autodiff
