#pragma once
// The running statistics of batch_norm for weights that no batch was trained with, as averages of
// weights (optimizer/moving_average.hpp) or those of a file:
//
//   nn::training how{.average = nn::averaging{.decay = 0.99}};
//   nn::train(net, data, how);
//   nn::renew_running_statistics(net, source);

#include <nn/data/batch_source.hpp>
#include <nn/network/init.hpp>
#include <nn/network/network.hpp>

namespace nn {

/// Passes the first epoch of a source through the network as training does, without moving a
/// weight. Afterwards the running averages of each batch_norm, in residual blocks, too, are the
/// plain means over the batches; what they were before no longer counts. Dropout draws by the seed.
/// A network without a batch_norm stays as it is. Throws shape_error for a source without batches,
/// and what the source and the layers throw; the averages are then as far as they came.
/// The definition is that of PyTorch's torch.optim.swa_utils.update_bn.
template <class T>
void renew_running_statistics(network<T>& net, batch_source<T>& data, seed seed = {0});

}  // namespace nn
