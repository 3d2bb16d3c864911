#pragma once
// From one precision to another. float and double tensors live on one tape but never mix by
// themselves: a product of both would silently cost the precision of one or the speed of the other.

#include <autodiff/tensor/tensor.hpp>

#include <concepts>

namespace autodiff {

/// x with its values rounded or widened to To: cast<double>(x) of a tensor<float>, the same between
/// tensors of dual<float> and dual<double>. Its adjoint is cast back. A cast to the same type is x.
template <class To, class From>
tensor<To> cast(const tensor<From>& x);

// Every operation on two tensors, called with two number types. Found only then, and says so.

template <class A, class B>
concept different_numbers = !std::same_as<A, B>;

#define AUTODIFF_REFUSE_MIXED(NAME)                                                             \
  template <class A, different_numbers<A> B>                                                    \
  tensor<A> NAME(const tensor<A>&, const tensor<B>&) {                                          \
    static_assert(std::same_as<A, B>,                                                           \
                  "tensors of different numbers do not mix: write cast<double>(x) for the one " \
                  "that holds floats, or cast<float>(y) for the other");                        \
    return {};                                                                                  \
  }
#define BINARY(NAME, ...) AUTODIFF_REFUSE_MIXED(NAME)
#include <autodiff/ops.def>
AUTODIFF_REFUSE_MIXED(operator+)
AUTODIFF_REFUSE_MIXED(operator-)
AUTODIFF_REFUSE_MIXED(operator*)
AUTODIFF_REFUSE_MIXED(operator/)
AUTODIFF_REFUSE_MIXED(matmul)
AUTODIFF_REFUSE_MIXED(softmax_cross_entropy)
#undef AUTODIFF_REFUSE_MIXED

}  // namespace autodiff
