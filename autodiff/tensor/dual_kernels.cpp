// The loops of every row on tensors of duals, compiled here once for all programs.

#include <autodiff/dual.hpp>
#include <autodiff/tensor/make_loops.hpp>

namespace autodiff {

extern const loop_table<dual<float>> loops_of_dual_float;
extern const loop_table<dual<double>> loops_of_dual_double;

constexpr loop_table<dual<float>> loops_of_dual_float = make_loops<dual<float>>();
constexpr loop_table<dual<double>> loops_of_dual_double = make_loops<dual<double>>();

}  // namespace autodiff
