#pragma once
// First values of weights: random, scaled so that activations and deltas keep their spread from
// layer to layer. A way to draw them is a value:
//
//   nn::init::he                                       uniform, by the inputs of a unit
//   nn::init::glorot_normal.with_gain(5.0 / 3)         for tanh
//   nn::init::he_normal.with_fan(nn::fan::out)
//   nn::init::truncated_normal(0, 0.02, -0.04, 0.04)

#include <autodiff/random.hpp>
#include <autodiff/tensor/tensor.hpp>

#include <cstddef>
#include <cstdint>

namespace nn {

/// The seed of everything random in what it is passed to.
struct seed {
  std::uint64_t value;
};

/// What a spread is scaled by: the inputs of a unit keeps that of activations on the way forward,
/// the outputs that of deltas on the way back, their average a bit of both.
enum class fan { in, out, average };

class init {
 public:
  /// Mean 0 and variance 1 / average fan, 2 / fan_in or 1 / fan_in, uniform in +-sqrt(3 variance)
  /// or normal. For tanh, sigmoid, softmax and identity; for relu and its like; for selu.
  /// Sources: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
  /// networks (AISTATS 2010), eq. (16); He, Zhang, Ren, Sun, Delving deep into rectifiers (ICCV
  /// 2015), eq. (10); LeCun, Bottou, Orr, Mueller, Efficient BackProp (1998), eq. (16).
  static const init glorot, glorot_normal, he, he_normal, lecun, lecun_normal;

  /// Rows or columns, whichever are fewer, orthonormal, every such matrix equally likely: the Q of
  /// a matrix of normal numbers whose R has a positive diagonal. Sources: Saxe, McClelland,
  /// Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks
  /// (ICLR 2014); Mezzadri, How to generate random matrices from the classical compact groups,
  /// Notices of the AMS 54 (2007), for the sign of the diagonal.
  static const init orthogonal;

  static const init zeros;
  /// Every weight the same. Units that start alike stay alike.
  static constexpr init constant(double value) noexcept {
    return {distribution::constant, value, 0, {}, fan::in};
  }
  /// Throws domain_error unless both are finite and from <= to.
  static init uniform(double from, double to);
  /// Throws domain_error unless both are finite and the deviation is not negative.
  static init normal(double mean, double deviation);
  /// A normal distribution without what is outside of [from, to]; `deviation` is that of the whole.
  /// Throws domain_error unless from < to and some of the distribution, to the precision of double,
  /// lies between them.
  static init truncated_normal(double mean, double deviation, double from, double to);

  /// The same, each weight times `gain`: 5/3 is used with tanh, sqrt(2) with relu where the way to
  /// draw does not have it already, 3/4 with selu.
  constexpr init with_gain(double gain) const noexcept {
    init how = *this;
    how.gain_ *= gain;
    return how;
  }
  /// Another fan for glorot, he, lecun and their normal forms. Throws domain_error for the others,
  /// which do not look at it.
  init with_fan(nn::fan mode) const;

  bool operator==(const init&) const = default;

  template <class T>
  friend autodiff::tensor<T> initial_weights(const init& how, std::size_t fan_in,
                                             std::size_t fan_out, autodiff::generator& random);

 private:
  enum class distribution {
    constant,
    uniform,
    normal,
    truncated_normal,
    orthogonal,
    scaled_uniform,
    scaled_normal
  };
  struct interval {
    double from = 0, to = 0;
    bool operator==(const interval&) const = default;
  };
  constexpr init(distribution shape, double mean, double spread, interval within,
                 nn::fan mode) noexcept
      : shape_(shape), mean_(mean), spread_(spread), within_(within), fan_(mode) {}

  distribution shape_;
  double mean_;
  double spread_;    // standard deviation; of scaled ones the variance times the fan
  interval within_;  // of the uniform and the truncated ones
  nn::fan fan_;
  double gain_ = 1;
};

inline constexpr init init::glorot{distribution::scaled_uniform, 0, 1, {}, fan::average};
inline constexpr init init::glorot_normal{distribution::scaled_normal, 0, 1, {}, fan::average};
inline constexpr init init::he{distribution::scaled_uniform, 0, 2, {}, fan::in};
inline constexpr init init::he_normal{distribution::scaled_normal, 0, 2, {}, fan::in};
inline constexpr init init::lecun{distribution::scaled_uniform, 0, 1, {}, fan::in};
inline constexpr init init::lecun_normal{distribution::scaled_normal, 0, 1, {}, fan::in};
inline constexpr init init::orthogonal{distribution::orthogonal, 0, 1, {}, fan::in};
inline constexpr init init::zeros = init::constant(0);

/// Weights [fan_in, fan_out], each column those of a unit. Throws domain_error for a gain or a
/// constant that is not finite.
template <class T>
autodiff::tensor<T> initial_weights(const init& how, std::size_t fan_in, std::size_t fan_out,
                                    autodiff::generator& random);

}  // namespace nn
