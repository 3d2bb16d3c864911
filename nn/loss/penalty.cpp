#include <nn/loss/penalty.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/view.hpp>

#include <fmt/format.h>

#include <cmath>

namespace nn {

void require_strengths(const penalty& how) {
  for (const double strength : {how.l1, how.l2}) {
    if (strength >= 0 && std::isfinite(strength)) continue;
    throw autodiff::domain_error("weight_penalty", fmt::format("a strength of {}", strength),
                                 "give it a finite one that is not negative");
  }
}

template <class T>
autodiff::tensor<T> weight_penalty_of(const autodiff::tensor<T>& w, const penalty& how) {
  const auto l1 = static_cast<T>(how.l1), half_l2 = static_cast<T>(how.l2 / 2);
  const auto flat = flatten(w);
  if (how.l2 == 0) return l1 * norm(flat, 1);
  if (how.l1 == 0) return half_l2 * dot(flat, flat);
  return l1 * norm(flat, 1) + half_l2 * dot(flat, flat);
}

template autodiff::tensor<float> weight_penalty_of(const autodiff::tensor<float>&, const penalty&);
template autodiff::tensor<double> weight_penalty_of(const autodiff::tensor<double>&,
                                                    const penalty&);

}  // namespace nn
