#include <nn/network/flatten.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/view.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace nn {

template <class T>
autodiff::tensor<T> flatten_layer<T>::operator()(const autodiff::tensor<T>& x) const {
  const auto whole = x.shape().extents(), part = sample_.extents();
  const bool batch = whole.size() == part.size() + 1;
  const bool fits = (batch || whole.size() == part.size()) &&
                    std::equal(part.begin(), part.end(), whole.begin() + (batch ? 1 : 0));
  if (!fits) {
    throw autodiff::shape_error("flatten",
                                fmt::format("{} for samples {}", autodiff::to_string(x.shape()),
                                            autodiff::to_string(sample_)),
                                "pass samples of this shape, one or a batch");
  }
  if (part.size() == 1) return x;
  return batch ? reshape(x, autodiff::shape{whole[0], outputs_[0]}) : reshape(x, outputs_);
}

template class flatten_layer<float>;
template class flatten_layer<double>;

}  // namespace nn
