#pragma once
// Loss functions as values: a name and a function of outputs y and targets t that gives one number.
// Definitions are PyTorch's unless a line says otherwise.
//
//   nn::mean_squared_error(y, t)
//   nn::huber(0.5).reduced(nn::reduction::sum)
//   nn::softmax_cross_entropy_with({.label_smoothing = 0.1, .class_weights = {1, 1, 5}})
//   nn::make_loss("log_cosh", [](const auto& y, const auto& t) { return log(cosh(y - t)); })
//
// None of them broadcasts: outputs and targets that do not fit each other throw shape_error with
// both shapes.

#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/index_array.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nn {

/// What becomes of the losses of elements or samples: their mean (of none NaN), sum, or themselves.
using autodiff::reduction;

class loss {
 public:
  template <class T>
  using function = autodiff::tensor<T> (*)(const loss& self, const autodiff::tensor<T>& y,
                                           const autodiff::tensor<T>& t);

  /// The name is a literal.
  constexpr loss(std::string_view name, reduction usual, function<float> on_float,
                 function<double> on_double)
      : name(name),
        plain_name_(name),
        usual_(usual),
        how_(usual),
        on_float_(on_float),
        on_double_(on_double) {}
  /// From one function that takes tensors of both types: a generic lambda without captures.
  template <class Function>
  constexpr loss(std::string_view name, reduction usual, Function f) : loss(name, usual, f, f) {}
  /// `kept` is what the function needs besides its arguments, and where the name stands.
  template <class Function>
  loss(std::string_view name, reduction usual, Function f, std::shared_ptr<const void> kept)
      : loss(name, usual, f) {
    kept_ = std::move(kept);
  }

  autodiff::tensor<float> operator()(const autodiff::tensor<float>& y,
                                     const autodiff::tensor<float>& t) const {
    return on_float_(*this, y, t);
  }
  autodiff::tensor<double> operator()(const autodiff::tensor<double>& y,
                                      const autodiff::tensor<double>& t) const {
    return on_double_(*this, y, t);
  }
  /// Of outputs [n, k] and n class indices: the same as with targets [n] that hold these numbers.
  template <class T>
  autodiff::tensor<T> operator()(const autodiff::tensor<T>& y,
                                 const autodiff::index_array& labels) const;

  /// The same losses, put together in this way.
  loss reduced(reduction how) const;
  reduction how() const noexcept { return how_; }
  template <class Kept>
  const Kept& kept() const noexcept {
    return *static_cast<const Kept*>(kept_.get());
  }

  /// In full: "huber(0.5)", "mean_squared_error (sum)". There as long as the loss or a copy is.
  std::string_view name;

 private:
  std::string_view plain_name_;  // without the reduction
  reduction usual_, how_;
  function<float> on_float_;
  function<double> on_double_;
  std::shared_ptr<const void> kept_ = nullptr;
  std::shared_ptr<const std::string> full_name_ = nullptr;
};

// Regression: outputs and targets of one shape, the mean over all elements.

/// E = 1/2 sum (y - t)^2, over outputs and samples: the error of the textbook derivation, whose
/// delta at a linear output is y - t.
extern const loss half_squared_error;
/// (y - t)^2.
extern const loss mean_squared_error;
/// |y - t|, with slope 0 where both are equal.
extern const loss mean_absolute_error;
/// 1/2 (y - t)^2 up to |y - t| = delta, beyond it delta (|y - t| - delta / 2). Throws domain_error
/// unless delta is positive and finite. Source: Huber, Robust Estimation of a Location Parameter
/// (1964).
loss huber(double delta = 1);

// Two classes: outputs and targets of one shape, the mean over all elements.

/// -t log p - (1 - t) log(1 - p) with p = sigmoid(y), from the logits y; t in [0, 1].
/// Computed as t softplus(-y) + (1 - t) softplus(y): the shorter softplus(y) - y t cancels where a
/// confident output is right.
extern const loss binary_cross_entropy;
struct binary_cross_entropy_settings {
  /// What -log p counts for: one number, or one for each output of the last axis.
  std::vector<double> positive_weights = {};
};
/// Throws domain_error for weights that are negative or not finite.
loss binary_cross_entropy_with(const binary_cross_entropy_settings& settings);
/// -t log y - (1 - t) log(1 - y) from probabilities, those of a sigmoid; a factor of 0 adds
/// nothing. As textbooks write it; to train, prefer the one from logits: a probability that rounds
/// to 0 or 1 on the wrong side makes this one infinite, where PyTorch stops at 100. NaN for outputs
/// outside of [0, 1], which PyTorch refuses.
extern const loss binary_cross_entropy_of_probabilities;
/// max(0, 1 - s y) with s = 1 for targets 1 and s = -1 for targets 0 or -1. Throws domain_error for
/// other targets. PyTorch has none. Source: Cortes and Vapnik, Support-Vector Networks (1995).
extern const loss hinge;

// One class of k: outputs [n, k] (or [k], one sample), the mean over the samples. Targets [n, k]
// hold one weight per class, with sums of 1: one-hot or soft. Targets [n] hold class indices; those
// that are not whole or not below k throw domain_error.

/// -sum t log softmax(y), from the logits y; a weight of 0 adds nothing.
extern const loss softmax_cross_entropy;
struct cross_entropy_settings {
  /// In [0, 1]: targets become (1 - label_smoothing) t + label_smoothing / k. Source: Szegedy et
  /// al., Rethinking the Inception Architecture for Computer Vision (CVPR 2016), section 7.
  double label_smoothing = 0;
  /// One for each class; a sample counts as its class does. As in PyTorch, the mean is over the
  /// weights of the samples for class indices, over their number for targets [n, k].
  std::vector<double> class_weights = {};
  /// Samples with this class index, which may be any number, cost nothing and do not count in the
  /// mean either; where there are no others it is NaN, with slope 0. PyTorch's is -100 unless it is
  /// told otherwise.
  std::optional<int> ignored_index = std::nullopt;
};
/// Throws domain_error for settings out of range.
loss softmax_cross_entropy_with(const cross_entropy_settings& settings);
/// -sum t log y from probabilities, those of a softmax; targets [n, k] alone.
extern const loss cross_entropy_of_probabilities;
/// 1/k sum max(0, 1 - y_c + y_j) over the classes j other than c, the right one, which targets
/// [n, k] are to mark by a 1 among zeros. PyTorch calls it MultiMarginLoss. Source: Weston and
/// Watkins, Multi-class Support Vector Machines (1998), but for the 1/k.
extern const loss multiclass_hinge;

// Distributions.

/// sum t (log t - log softmax(y)), from the logits y [n, k] and probabilities t [n, k]; the mean
/// over the samples, which PyTorch's documentation recommends under the name of batchmean.
extern const loss kl_divergence;
/// The same from log-probabilities y, as PyTorch's KLDivLoss; of t = 0 it is 0.
extern const loss kl_divergence_of_log_probabilities;
/// 1/2 (log v + (m - t)^2 / v): y [n, 2 k] holds k means m and then k variances v, t [n, k]; the
/// mean over all elements. Throws domain_error for a negative variance.
extern const loss gaussian_nll;
struct gaussian_settings {
  /// Variances below count as this one, though they get its slope, which may lead them out.
  double smallest_variance = 1e-6;
  /// Adds 1/2 log(2 pi).
  bool with_constant = false;
};
/// Throws domain_error unless the smallest variance is positive and finite.
loss gaussian_nll_with(const gaussian_settings& settings);
/// The same with y [n, 2 k] of k means and k logarithms of variances, which may be any numbers: for
/// a network that ends in identity. PyTorch has none.
extern const loss gaussian_nll_of_log_variances;
/// exp(y) - t y, from y = log(rate) and counts t of one shape; the mean over all elements.
extern const loss poisson_nll;
/// y - t log(y + 1e-8) from rates y.
extern const loss poisson_nll_of_rates;
struct poisson_settings {
  bool of_rates = false;
  /// Adds Stirling's log t!, which is t log t - t + 1/2 log(2 pi t), where t is above 1.
  bool with_constant = false;
};
loss poisson_nll_with(const poisson_settings& settings);

// For makers of losses.

[[noreturn, gnu::cold, gnu::noinline]] void refuse_shapes(const loss& e, const autodiff::shape& y,
                                                          const autodiff::shape& t);
/// Throws shape_error with both shapes when they differ.
inline void require_alike(const loss& e, const autodiff::shape& y, const autodiff::shape& t) {
  if (y != t) refuse_shapes(e, y, t);
}

/// Whether t can hold a class index for each sample of y: the shape of y without the last axis.
bool holds_class_indices(const autodiff::shape& y, const autodiff::shape& t);

/// The class that target i, a number, is the index of. Throws domain_error, naming `operation`,
/// unless it is whole and below `classes`.
template <class T>
std::size_t class_index(std::string_view operation, T target, std::size_t i, std::size_t classes);

/// The losses put together: [], or as they are.
template <class T>
autodiff::tensor<T> collected(const autodiff::tensor<T>& losses, reduction how);

/// A loss with settings, which f(e, y, t), a generic lambda without captures, finds by
/// e.kept<Kept>().
template <class Kept, class Function>
loss parameterised_loss(std::string name, reduction usual, Kept kept, Function f) {
  struct named {
    std::string name;
    Kept kept;
  };
  const auto whole = std::make_shared<const named>(named{std::move(name), std::move(kept)});
  return {whole->name, usual, f, std::shared_ptr<const void>(whole, &whole->kept)};
}

/// A loss from a function f(y, t) that takes tensors of both types, a generic lambda, and gives the
/// losses of the elements or of the samples; y and t are to have one shape.
template <class Function>
loss make_loss(std::string name, Function f, reduction usual = reduction::mean) {
  return parameterised_loss(
      std::move(name), usual, std::move(f),
      []<class T>(const loss& e, const autodiff::tensor<T>& y, const autodiff::tensor<T>& t) {
        require_alike(e, y.shape(), t.shape());
        return collected<T>(e.kept<Function>()(y, t), e.how());
      });
}

}  // namespace nn
