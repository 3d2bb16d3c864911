#include <autodiff/tensor/tensor_node.hpp>

#include <autodiff/tensor/kernels.hpp>

#include <algorithm>

namespace autodiff {

template <class T>
T* tensor_node<T>::open_zeroed() {
  if (adjoint_->has_storage()) return adjoint_->writable();
  T* const zeros = adjoint_->allocate();
  std::fill_n(zeros, adjoint_->size(), T(0));
  return zeros;
}

template <class T>
void tensor_node<T>::add(const array<T>& share) {
  if (adjoint_->has_storage()) {
    plain<T>().accumulate(share.size(), T(1), share.data(), 1, adjoint_->writable(), store::add);
  } else {
    // Row-major, so that pullbacks need not ask.
    *adjoint_ = share.contiguous().reshaped(shape());
  }
}

#define INSTANTIATE(T) template class tensor_node<T>;
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
