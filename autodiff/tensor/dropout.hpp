#pragma once
// Dropout: elements replaced by 0 at random.

#include <autodiff/random.hpp>
#include <autodiff/tensor/tensor.hpp>

namespace autodiff {

/// Each element is 0 with this probability, else x / (1 - probability): the expectation is x. The
/// derivative has the same mask. A call takes (size + 1) / 2 numbers from the generator, whatever
/// the type and the probability, and an element stays where its 32 bits are at least
/// probability * 2^32. At probability 1 everything is 0. Throws domain_error for a probability
/// outside [0, 1]. Source: Srivastava et al., Dropout (2014), section 10, scaled in training.
template <class T>
tensor<T> dropout(const tensor<T>& x, double probability, generator& random);

}  // namespace autodiff
