#pragma once
// What a program wants to do while a model is trained: any function of the event, which may ask to
// stop by returning nn::verdict::stop.

#include <nn/training/history.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

namespace nn {

enum class verdict : bool { go_on, stop };

/// After an epoch, before the checkpoint. Counts are from 0.
struct epoch_end {
  std::size_t epoch;
  const history& past;  ///< this epoch is past.back()
};

/// After a step of the optimizer. Counts are from 0.
struct step_end {
  std::size_t epoch, batch, step;  ///< the step counts through all epochs
  std::size_t batches;             ///< in an epoch
  double loss;                     ///< of this batch
  double rate;
};

template <class Event>
class callback {
 public:
  callback() = default;
  /// From a function of the event that returns a verdict or nothing.
  template <class Function>
  requires(std::invocable<Function&, const Event&> &&
           !std::same_as<std::remove_cvref_t<Function>, callback>)
      callback(Function f)  // NOLINT(google-explicit-constructor): a lambda is one
      : call_([f = std::move(f)](const Event& event) mutable {
          if constexpr (std::convertible_to<std::invoke_result_t<Function&, const Event&>,
                                            verdict>) {
            return verdict(f(event));
          } else {
            f(event);
            return verdict::go_on;
          }
        }) {}

  verdict operator()(const Event& event) const { return call_ ? call_(event) : verdict::go_on; }

 private:
  std::function<verdict(const Event&)> call_;
};

}  // namespace nn
