#include <nn/training/train.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/indexing.hpp>

#include <nn/training/trainer.hpp>

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>

namespace nn {
namespace {

[[noreturn]] void refuse_data(const autodiff::shape& x, const autodiff::shape& t,
                              const std::string& why) {
  throw autodiff::shape_error("train",
                              fmt::format("inputs {} and targets {}{}", autodiff::to_string(x),
                                          autodiff::to_string(t), why),
                              "pass inputs [n, ...] as the model takes them and targets [n, ...] "
                              "as it gives outputs, with at least one sample");
}

/// Tries one sample: what does not fit is told before a weight moves.
template <class T>
void require_fit(const model_view<T>& model, const dataset<T>& data, const training& how) {
  const auto &x = data.inputs.shape(), &t = data.targets.shape();
  if (x.rank() == 0 || t.rank() == 0 || x[0] != t[0] || x[0] == 0) refuse_data(x, t, "");
  const std::array<std::size_t, 1> first{0};
  try {
    how.loss(model(autodiff::take_rows(data.inputs, std::span<const std::size_t>(first))),
             autodiff::take_rows(data.targets, std::span<const std::size_t>(first)));
  } catch (const autodiff::shape_error& e) {
    refuse_data(x, t, fmt::format(" do not fit the model and its loss ({})", e.what()));
  }
}

/// The same with the first batch.
template <class T>
void require_fit(const model_view<T>& model, batch_source<T>& data, const training& how) {
  batch<T> first;
  data.begin(0);
  if (!data.next(first)) {
    throw autodiff::shape_error("train", "the validation data has no batches",
                                "pass a source with at least one sample, and with drop_last at "
                                "least one whole batch");
  }
  require_fit(model, dataset<T>{first.inputs, first.targets}, how);
}

template <class T, class... Validation>
history train_on(const model_view<T>& model, const dataset<T>& data, const training& how,
                 Validation&... validation) {
  require_fit(model, data, how);
  (require_fit(model, validation, how), ...);
  memory_source<T> batches(data, how.batch, how.seed, how.drop_last);
  return trainer<T>(model, batches, {&validation...}, how).run();
}

template <class T, class... Validation>
history train_on(const model_view<T>& model, batch_source<T>& data, const training& how,
                 Validation&... validation) {
  (require_fit(model, validation, how), ...);
  return trainer<T>(model, data, {&validation...}, how).run();
}

}  // namespace

template <class T>
history train(const std::type_identity_t<model_view<T>>& model, const dataset<T>& data,
              const training& how) {
  return train_on<T>(model, data, how);
}

template <class T>
history train(const std::type_identity_t<model_view<T>>& model, const dataset<T>& data,
              const dataset<T>& validation, const training& how) {
  return train_on<T>(model, data, how, validation);
}

template <class T>
history train(const std::type_identity_t<model_view<T>>& model, const dataset<T>& data,
              batch_source<T>& validation, const training& how) {
  return train_on<T>(model, data, how, validation);
}

template <class T>
history train(const std::type_identity_t<model_view<T>>& model, batch_source<T>& data,
              const training& how) {
  return train_on<T>(model, data, how);
}

template <class T>
history train(const std::type_identity_t<model_view<T>>& model, batch_source<T>& data,
              const dataset<T>& validation, const training& how) {
  return train_on<T>(model, data, how, validation);
}

template <class T>
history train(const std::type_identity_t<model_view<T>>& model, batch_source<T>& data,
              batch_source<T>& validation, const training& how) {
  return train_on<T>(model, data, how, validation);
}

#define INSTANTIATE(T)                                                               \
  template history train(const model_view<T>&, const dataset<T>&, const training&);  \
  template history train(const model_view<T>&, const dataset<T>&, const dataset<T>&, \
                         const training&);                                           \
  template history train(const model_view<T>&, const dataset<T>&, batch_source<T>&,  \
                         const training&);                                           \
  template history train(const model_view<T>&, batch_source<T>&, const training&);   \
  template history train(const model_view<T>&, batch_source<T>&, const dataset<T>&,  \
                         const training&);                                           \
  template history train(const model_view<T>&, batch_source<T>&, batch_source<T>&, const training&);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace nn
