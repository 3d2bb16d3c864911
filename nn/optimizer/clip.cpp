#include <nn/optimizer/clip.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/parallel.hpp>
#include <autodiff/tensor/reduce.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>

namespace nn {
namespace {

void require_positive(std::string_view operation, std::string_view what, double most) {
  if (most > 0) return;
  throw autodiff::domain_error(operation, fmt::format("{} is {}", what, most),
                               "it must be positive");
}

/// Calls loop(n, values) for ranges of each gradient.
template <class T, class Loop>
void rewrite(std::vector<autodiff::tensor<T>>& gradients, Loop&& loop) {
  for (autodiff::tensor<T>& g : gradients) {
    const std::span<T> values = g.mutable_values();
    autodiff::parallel_elements(values.size(), [&](std::size_t first, std::size_t count) {
      loop(count, values.data() + first);
    });
  }
}

}  // namespace

template <class T>
double clip_norm(std::vector<autodiff::tensor<T>>& gradients, double most) {
  require_positive("clip_norm", "the largest norm", most);
  double norm = 0;
  for (const autodiff::tensor<T>& g : gradients) {
    const auto own = static_cast<double>(autodiff::norm(g).item());
    // hypot(infinity, NaN) is infinity, which would hide the NaN.
    norm = std::isnan(own) ? own : std::isnan(norm) ? norm : std::hypot(norm, own);
  }
  const double factor = most / (norm + 1e-6);
  if (factor >= 1) return norm;
  rewrite(gradients, [factor](std::size_t n, T* g) {
    autodiff::plain<T>().accumulate(n, static_cast<T>(factor), g, 1, g, autodiff::store::write);
  });
  return norm;
}

template <class T>
void clip_value(std::vector<autodiff::tensor<T>>& gradients, double most) {
  require_positive("clip_value", "the largest value", most);
  const T upper = static_cast<T>(most), lower = -upper;
  rewrite(gradients, [&](std::size_t n, T* g) {
    autodiff::loops<T>().clamp_ternary.forward(n, {g, 1}, {&lower, 0}, {&upper, 0}, g);
  });
}

#define INSTANTIATE(T)                                                  \
  template double clip_norm(std::vector<autodiff::tensor<T>>&, double); \
  template void clip_value(std::vector<autodiff::tensor<T>>&, double);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
