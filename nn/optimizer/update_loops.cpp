// Compiled once per instruction set, with BACKSWEEP_ISA naming it (CMakeLists.txt); everything but
// the table has internal linkage, so that no code of one set can serve another.

#include <nn/optimizer/update_loops.hpp>

#include <utility>

#ifndef BACKSWEEP_ISA
#define BACKSWEEP_ISA baseline
#endif
#define AUTODIFF_JOIN(A, B) A##B
#define AUTODIFF_TABLE(ISA) AUTODIFF_JOIN(updates_, ISA)

namespace nn {
namespace {

/// Slots as parameters of their own, because only parameters can be told apart for the compiler.
template <class Rule, class T, class... Slot>
[[gnu::always_inline]] inline void pass(std::size_t n, Rule rule, const T* __restrict g,
                                        T* __restrict w, Slot* __restrict... slots) {
  for (std::size_t i = 0; i < n; ++i) {
    T weight = w[i];
    T s[sizeof...(Slot) + 1] = {slots[i]..., T(0)};
    rule(g[i], weight, s);
    w[i] = weight;
    std::size_t k = 0;
    ((slots[i] = s[k++]), ...);
  }
}

template <class Rule, std::size_t... k>
constexpr update_loop<Rule> make_loop(std::index_sequence<k...>) {
  using T = typename Rule::value_type;
  return {[](std::size_t n, const Rule& rule, const T* g, T* w, [[maybe_unused]] T* const* slots) {
    pass(n, rule, g, w, slots[k]...);
  }};
}

template <class... Rule>
constexpr auto make_loops(std::tuple<update_loop<Rule>...>*) {
  return std::tuple(make_loop<Rule>(std::make_index_sequence<Rule::slots>())...);
}

template <class T>
constexpr update_loops<T> all_loops = make_loops(static_cast<update_loops<T>*>(nullptr));

}  // namespace

extern const update_table AUTODIFF_TABLE(BACKSWEEP_ISA);
constexpr update_table AUTODIFF_TABLE(BACKSWEEP_ISA) = {all_loops<float>, all_loops<double>};

}  // namespace nn
