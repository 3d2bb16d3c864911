#pragma once
// Why a layer keeps a tensor.

namespace nn {

enum class kept : bool {
  measured,  ///< training measures it: the running averages of batch_norm
  learned,   ///< training moves it along its gradient
};

}  // namespace nn
