#pragma once
// Training: epochs of shuffled batches; each batch is recorded, swept and stepped
// (nn/network/step.hpp).

#include <nn/data/batch_source.hpp>
#include <nn/data/data.hpp>
#include <nn/network/model.hpp>
#include <nn/training/history.hpp>
#include <nn/training/training.hpp>

#include <type_traits>

namespace nn {

/// Trains the model in place, a network or any other (nn/network/model.hpp), on inputs [n, ...] and
/// targets [n, ...]. The same seed gives the same bits, on any number of threads. Throws
/// shape_error when the data does not fit the model, domain_error for settings out of range and
/// when the loss, the norm of the gradients or the weights are no longer finite, naming epoch and
/// batch; unless it was the weights they are then those before the step that failed. Throws
/// io_error for files that cannot be written and for a checkpoint that is damaged or of another
/// training.
template <class T>
history train(const std::type_identity_t<model_view<T>>& model, const dataset<T>& data,
              const training& how);
/// The same, measuring loss and metrics on validation data after every epoch: on all of it at once,
/// as not every measure is a mean over samples.
template <class T>
history train(const std::type_identity_t<model_view<T>>& model, const dataset<T>& data,
              const dataset<T>& validation, const training& how);

/// From any source of batches, which has its own size of a batch and order of samples: batch and
/// drop_last are not used. The same throws, but data that does not fit is met on its way.
template <class T>
history train(const std::type_identity_t<model_view<T>>& model, batch_source<T>& data,
              const training& how);
template <class T>
history train(const std::type_identity_t<model_view<T>>& model, batch_source<T>& data,
              const dataset<T>& validation, const training& how);

/// The same with validation data from a source, its first epoch: memory holds its targets and the
/// outputs for them, but the inputs of one batch only. It may be the source of the training, too.
template <class T>
history train(const std::type_identity_t<model_view<T>>& model, const dataset<T>& data,
              batch_source<T>& validation, const training& how);
template <class T>
history train(const std::type_identity_t<model_view<T>>& model, batch_source<T>& data,
              batch_source<T>& validation, const training& how);

}  // namespace nn
