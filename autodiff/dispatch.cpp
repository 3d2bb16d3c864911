// Chooses the loops for the CPU that the program runs on.

#include <autodiff/kernels.hpp>

#include <cstdlib>
#include <string_view>

namespace autodiff {

extern const kernel_table kernels_baseline;
#ifndef BACKSWEEP_BASELINE_ONLY
extern const kernel_table kernels_avx2;
extern const kernel_table kernels_avx512;
#endif

namespace {

const kernel_table& choose() noexcept {
#ifndef BACKSWEEP_BASELINE_ONLY
  const char* asked = std::getenv("BACKSWEEP_ISA");
  const std::string_view limit = asked ? asked : "avx512";
  __builtin_cpu_init();
  if (limit == "avx512" && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd")) {
    return kernels_avx512;
  }
  if (limit != "baseline" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
    return kernels_avx2;
  }
#endif
  return kernels_baseline;
}

}  // namespace

const kernel_table& kernels() noexcept {
  static const kernel_table& chosen = choose();
  return chosen;
}

}  // namespace autodiff
