#pragma once
// How many multiply-adds this core can do: a loop that touches nothing but registers, with the
// instructions that the library's own loops were chosen for.

#include <autodiff/tensor/kernels.hpp>

#include <bench/bench.hpp>

#include <cstddef>
#include <string_view>

namespace bench {

// Enough sums to hide the latency of a multiply-add, few enough for the registers of any set.
inline constexpr std::size_t independent_sums = 12;

#define BENCH_PEAK_LOOP(NAME, BYTES, ...)                               \
  template <class T>                                                    \
  __VA_ARGS__ inline void NAME(std::size_t times) {                     \
    typedef T vector __attribute__((vector_size(BYTES)));               \
    vector sums[independent_sums] = {}, factor = {}, term = {};         \
    asm volatile("" : "+x"(factor), "+x"(term));                        \
    for (; times > 0; --times) {                                        \
      _Pragma("GCC unroll 12") for (vector & sum : sums) {              \
        sum = factor * sum + term;                                      \
        asm volatile("" : "+x"(sum)); /* each of them is really done */ \
      }                                                                 \
    }                                                                   \
  }
#if defined(__x86_64__)
BENCH_PEAK_LOOP(peak_loop_avx512, 64, [[gnu::target("avx512f,fma")]])
BENCH_PEAK_LOOP(peak_loop_avx2, 32, [[gnu::target("avx2,fma")]])
BENCH_PEAK_LOOP(peak_loop_baseline, 16, [[gnu::target("sse2")]])
#endif
#undef BENCH_PEAK_LOOP

/// The loop of one instruction set: a contestant beside others, since the clock wanders.
template <class T>
struct peak_loop {
  static constexpr std::size_t repeated = 1000;

  void (*run)(std::size_t times) = nullptr;
  std::size_t vector_bytes = 0;

  /// That of the set that the library uses here; none on machines other than x86-64.
  static peak_loop of_this_cpu() {
#if defined(__x86_64__)
    const std::string_view set = autodiff::kernels().instruction_set;
    if (set == "avx512") return {peak_loop_avx512<T>, 64};
    if (set == "avx2") return {peak_loop_avx2<T>, 32};
    return {peak_loop_baseline<T>, 16};
#else
    return {};
#endif
  }

  explicit operator bool() const { return run != nullptr; }
  contestant as_contestant() const {
    return {"peak", [loop = run] { loop(repeated); }};
  }
  /// 1e9 operations a second, two in a multiply-add.
  double gflops(const timing& t) const {
    const std::size_t lanes = vector_bytes / sizeof(T);
    return 2e-9 * static_cast<double>(lanes) * double{independent_sums} * double{repeated} /
           t.fastest();
  }
};

}  // namespace bench
