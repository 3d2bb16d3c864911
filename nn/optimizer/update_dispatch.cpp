// Chooses the update loops of the instruction set that the kernels of tensors run on.

#include <autodiff/tensor/kernels.hpp>

#include <nn/optimizer/update_loops.hpp>

#include <concepts>
#include <string_view>

namespace nn {

extern const update_table updates_baseline;
#ifndef BACKSWEEP_BASELINE_ONLY
extern const update_table updates_avx2;
extern const update_table updates_avx512;
#endif

namespace {

const update_table& choose() noexcept {
#ifndef BACKSWEEP_BASELINE_ONLY
  const std::string_view chosen = autodiff::kernels().instruction_set;
  if (chosen == "avx512") return updates_avx512;
  if (chosen == "avx2") return updates_avx2;
#endif
  return updates_baseline;
}

}  // namespace

template <class T>
const update_loops<T>& updates() noexcept {
  static const update_table& chosen = choose();
  if constexpr (std::same_as<T, float>)
    return chosen.of_float;
  else
    return chosen.of_double;
}
template const update_loops<float>& updates() noexcept;
template const update_loops<double>& updates() noexcept;

}  // namespace nn
