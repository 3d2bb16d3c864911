// Compiled once per instruction set, with BACKSWEEP_ISA naming it (CMakeLists.txt). Everything in
// this file has internal linkage except the table, so that no code of one set can serve another.

#include <cmath>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__OPTIMIZE__)
#include <features.h>
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
// glibc has vector versions of these functions (libmvec, at most 4 ulp) but declares them only
// under -ffast-math, which would also give up NaN and infinity.
#define AUTODIFF_VECTOR(NAME)                                                   \
  extern "C" __attribute__((simd("notinbranch"))) double NAME(double) noexcept; \
  extern "C" __attribute__((simd("notinbranch"))) float NAME##f(float) noexcept;
AUTODIFF_VECTOR(exp)
AUTODIFF_VECTOR(exp2)
AUTODIFF_VECTOR(expm1)
AUTODIFF_VECTOR(log)
AUTODIFF_VECTOR(log2)
AUTODIFF_VECTOR(log10)
AUTODIFF_VECTOR(log1p)
AUTODIFF_VECTOR(sin)
AUTODIFF_VECTOR(cos)
AUTODIFF_VECTOR(tan)
AUTODIFF_VECTOR(asin)
AUTODIFF_VECTOR(acos)
AUTODIFF_VECTOR(atan)
AUTODIFF_VECTOR(sinh)
AUTODIFF_VECTOR(cosh)
AUTODIFF_VECTOR(tanh)
AUTODIFF_VECTOR(asinh)
AUTODIFF_VECTOR(acosh)
AUTODIFF_VECTOR(atanh)
AUTODIFF_VECTOR(cbrt)
#undef AUTODIFF_VECTOR
#define AUTODIFF_VECTOR(NAME)                                                           \
  extern "C" __attribute__((simd("notinbranch"))) double NAME(double, double) noexcept; \
  extern "C" __attribute__((simd("notinbranch"))) float NAME##f(float, float) noexcept;
AUTODIFF_VECTOR(pow)
AUTODIFF_VECTOR(hypot)
AUTODIFF_VECTOR(atan2)
#undef AUTODIFF_VECTOR
#endif
#endif

#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/make_loops.hpp>
#include <autodiff/tensor/vectorised.hpp>

#ifndef BACKSWEEP_ISA
#define BACKSWEEP_ISA baseline
#endif
#define AUTODIFF_JOIN(A, B) A##B
#define AUTODIFF_JOIN_ISA(NAME, ISA) AUTODIFF_JOIN(NAME, ISA)
#define AUTODIFF_TABLE(ISA) AUTODIFF_JOIN(kernels_, ISA)
#define AUTODIFF_QUOTE_TEXT(TEXT) #TEXT
#define AUTODIFF_QUOTE(ISA) AUTODIFF_QUOTE_TEXT(ISA)

namespace autodiff {
namespace {

// A local type as argument gives every instance of the loops internal linkage. Rows with three
// arguments have no vector form.
template <class Rule>
struct local : vectorised_rule<Rule> {};
template <ternary_rule Rule>
struct local<Rule> : Rule {};
template <>
struct local<void> {};

}  // namespace

extern const product_table AUTODIFF_JOIN_ISA(products_, BACKSWEEP_ISA);
extern const multiply_add_table AUTODIFF_JOIN_ISA(multiply_adds_, BACKSWEEP_ISA);
extern const kernel_table AUTODIFF_TABLE(BACKSWEEP_ISA);
constexpr kernel_table AUTODIFF_TABLE(BACKSWEEP_ISA) = {
    AUTODIFF_QUOTE(BACKSWEEP_ISA),
    make_loops<float, local>(),
    make_loops<double, local>(),
    &sweep<double, double, local<void>>,
    &AUTODIFF_JOIN_ISA(products_, BACKSWEEP_ISA),
    &AUTODIFF_JOIN_ISA(multiply_adds_, BACKSWEEP_ISA),
};

}  // namespace autodiff
