#pragma once
// What a step of each optimizer does to one weight w with the gradient g: a rule is a handful of
// numbers, the same for all weights of the step, and a call operator that moves w and the slots s
// in which the optimizer remembers this weight. The loops over whole tensors are made of them, once
// per instruction set (update_loops.cpp), so everything is forced inline. Where the numbers come
// from, and the sources of the formulas: optimizer.cpp and optimizer.hpp.

#include <cmath>
#include <cstddef>

namespace nn {

/// 1, -1, or x itself where it is 0 or NaN.
template <class T>
[[gnu::always_inline]] inline T sign_of(T x) {
  return x > 0 ? T(1) : x < 0 ? T(-1) : x;
}

/// a m + (1 - a) x.
template <class T>
[[gnu::always_inline]] inline T blend(T a, T m, T x) {
  return a * m + (T(1) - a) * x;
}

template <class T>
struct sgd_rule {
  using value_type = T;
  static constexpr std::size_t slots = 0;
  T rate, decay;

  [[gnu::always_inline]] void operator()(T g, T& w, T*) const { w -= rate * (g + decay * w); }
};

template <class T>
struct momentum_rule {
  using value_type = T;
  static constexpr std::size_t slots = 1;
  T rate, decay, momentum, share;  // share: of the gradient that joins the velocity
  bool nesterov;

  [[gnu::always_inline]] void operator()(T g, T& w, T* s) const {
    g += decay * w;
    T& velocity = s[0];
    velocity = momentum * velocity + share * g;
    w -= rate * (nesterov ? g + momentum * velocity : velocity);
  }
};

template <class T>
struct adagrad_rule {
  using value_type = T;
  static constexpr std::size_t slots = 1;
  T rate, decay, epsilon;

  [[gnu::always_inline]] void operator()(T g, T& w, T* s) const {
    g += decay * w;
    T& sum = s[0];
    sum += g * g;
    w -= rate * g / (std::sqrt(sum) + epsilon);
  }
};

template <class T>
struct adadelta_rule {
  using value_type = T;
  static constexpr std::size_t slots = 2;
  T rate, decay, rho, epsilon;

  [[gnu::always_inline]] void operator()(T g, T& w, T* s) const {
    g += decay * w;
    T &squares = s[0], &squared_steps = s[1];
    squares = blend(rho, squares, g * g);
    const T step = std::sqrt(squared_steps + epsilon) / std::sqrt(squares + epsilon) * g;
    squared_steps = blend(rho, squared_steps, step * step);
    w -= rate * step;
  }
};

/// Slots: squares; the mean where centred; the velocity where there is momentum.
template <class T, bool centred, bool with_momentum>
struct rmsprop_rule {
  using value_type = T;
  static constexpr std::size_t slots = 1 + centred + with_momentum;
  T rate, decay, alpha, epsilon, momentum;

  [[gnu::always_inline]] void operator()(T g, T& w, T* s) const {
    g += decay * w;
    T& squares = s[0];
    squares = blend(alpha, squares, g * g);
    T spread = squares;
    if constexpr (centred) {
      T& mean = s[1];
      mean = blend(alpha, mean, g);
      // Rounding may take the variance of gradients that hardly change below 0.
      spread = squares - mean * mean;
      spread = spread < 0 ? T(0) : spread;
    }
    T step = g / (std::sqrt(spread) + epsilon);
    if constexpr (with_momentum) {
      T& velocity = s[1 + centred];
      step = velocity = momentum * velocity + step;
    }
    w -= rate * step;
  }
};

/// Of adam and adamw; both corrections of the bias are folded into rate and epsilon. Slots: first
/// and second moment; the largest second moment so far where `amsgrad`.
template <class T, bool amsgrad, bool decays>
struct adam_rule {
  using value_type = T;
  static constexpr std::size_t slots = 2 + amsgrad;
  T rate, decay, fade, beta1, beta2, epsilon;  // decay joins the gradient, fade does not

  [[gnu::always_inline]] void operator()(T g, T& w, T* s) const {
    if constexpr (decays) g += decay * w;
    T &m = s[0], &v = s[1];
    m = blend(beta1, m, g);
    v = blend(beta2, v, g * g);
    T scale = v;
    if constexpr (amsgrad) {
      T& largest = s[2];
      scale = largest = v > largest || v != v ? v : largest;
    }
    const T step = rate * m / (std::sqrt(scale) + epsilon);
    w -= decays ? fade * w + step : step;
  }
};

/// As adam_rule, with shares of their own for the gradient and for the first moment.
template <class T>
struct nadam_rule {
  using value_type = T;
  static constexpr std::size_t slots = 2;
  T rate_of_gradient, rate_of_moment, decay, fade, beta1, beta2, epsilon;

  [[gnu::always_inline]] void operator()(T g, T& w, T* s) const {
    g += decay * w;
    T &m = s[0], &v = s[1];
    m = blend(beta1, m, g);
    v = blend(beta2, v, g * g);
    const T along = rate_of_gradient * g + rate_of_moment * m;
    w -= fade * w + along / (std::sqrt(v) + epsilon);
  }
};

template <class T>
struct adamax_rule {
  using value_type = T;
  static constexpr std::size_t slots = 2;
  T rate, decay, beta1, beta2, epsilon;

  [[gnu::always_inline]] void operator()(T g, T& w, T* s) const {
    g += decay * w;
    T &m = s[0], &largest = s[1];
    m = blend(beta1, m, g);
    const T size = std::fabs(g) + epsilon, before = beta2 * largest;
    largest = size > before || size != size ? size : before;
    w -= rate * m / largest;
  }
};

template <class T>
struct lion_rule {
  using value_type = T;
  static constexpr std::size_t slots = 1;
  T rate, fade, beta1, beta2;

  [[gnu::always_inline]] void operator()(T g, T& w, T* s) const {
    T& m = s[0];
    w -= fade * w + rate * sign_of(blend(beta1, m, g));
    m = blend(beta2, m, g);
  }
};

template <class T>
struct rprop_rule {
  using value_type = T;
  static constexpr std::size_t slots = 2;
  T shrink, grow, least, most;

  [[gnu::always_inline]] void operator()(T g, T& w, T* s) const {
    T &before = s[0], &size = s[1];
    // Of the signs, not of the gradients: small ones would underflow.
    const T turned = sign_of(g) * sign_of(before);
    T factor = turned > 0 ? grow : T(1);
    factor = turned < 0 ? shrink : factor;
    T next = size * factor;
    next = next < least ? least : next;
    size = next > most ? most : next;
    // After a turn the weight rests for a step, and the next one is no turn.
    before = turned < 0 ? T(0) : g;
    w -= sign_of(before) * size;
  }
};

/// Moves an average w towards the weights g.
template <class T>
struct average_rule {
  using value_type = T;
  static constexpr std::size_t slots = 0;
  T share;

  [[gnu::always_inline]] void operator()(T g, T& w, T*) const { w += share * (g - w); }
};

}  // namespace nn
