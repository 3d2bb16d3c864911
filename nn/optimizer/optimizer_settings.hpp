#pragma once
// The optimizers as plain settings. Meanings and defaults are PyTorch's, and so are the
// trajectories; what it calls lr is the rate here. Weight decay joins the gradient, g +
// weight_decay w, unless an optimizer says that it shrinks the weights themselves ("decoupled").

#include <variant>

namespace nn {

/// w <- w - rate g; with momentum w <- w - rate v, v <- momentum v + (1 - dampening) g, where the
/// first v is g. Nesterov's form moves along g + momentum v.
/// Source: Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in
/// deep learning (ICML 2013).
struct sgd {
  double rate = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

/// Source: Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic
/// optimization, JMLR 12 (2011).
struct adagrad {
  double rate = 0.01;
  double rate_decay = 0;  ///< step t runs at rate / (1 + (t - 1) rate_decay)
  double weight_decay = 0;
  double initial_accumulator = 0;
  double epsilon = 1e-10;
};

/// Source: Zeiler, ADADELTA: an adaptive learning rate method, arXiv:1212.5701 (2012).
struct adadelta {
  double rate = 1;
  double rho = 0.9;
  double epsilon = 1e-6;
  double weight_decay = 0;
};

/// Source: Tieleman and Hinton, Neural networks for machine learning, lecture 6.5 (2012); centred:
/// Graves, Generating sequences with recurrent neural networks, arXiv:1308.0850 (2013), eq. 38-45.
struct rmsprop {
  double rate = 0.01;
  double alpha = 0.99;
  double epsilon = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centred = false;  ///< divides by the standard deviation instead of the root mean square
};

/// Source: Kingma and Ba, Adam: a method for stochastic optimization (ICLR 2015), algorithm 1;
/// amsgrad: Reddi, Kale and Kumar, On the convergence of Adam and beyond (ICLR 2018), with the
/// correction of the bias after the maximum, as in PyTorch.
struct adam {
  double rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;  ///< divides by the largest second moment so far
};

/// Adam with decoupled weight decay: w shrinks by rate weight_decay w.
/// Source: Loshchilov and Hutter, Decoupled weight decay regularization (ICLR 2019), algorithm 2.
struct adamw {
  double rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  bool amsgrad = false;
};

/// Source: Dozat, Incorporating Nesterov momentum into Adam (ICLR 2016 workshop), as PyTorch 2 has
/// it: 1.13 multiplies the momentum of a step into the product of all of them twice.
struct nadam {
  double rate = 2e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;
  bool decoupled = false;  ///< weight decay as in adamw
};

/// Source: Kingma and Ba (2015), algorithm 2.
struct adamax {
  double rate = 2e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

/// Weight decay is decoupled.
/// Source: Chen et al., Symbolic discovery of optimization algorithms, arXiv:2302.06675 (2023),
/// algorithm 2; PyTorch has none, these are the defaults of the paper.
struct lion {
  double rate = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0;
};

/// For gradients of all the data. The rate is the size of the first steps alone: afterwards each
/// weight finds its own.
/// Source: Riedmiller and Braun, A direct adaptive method for faster backpropagation learning: the
/// RPROP algorithm (ICNN 1993); without taking steps back, as in PyTorch.
struct rprop {
  double rate = 0.01;
  double shrink = 0.5;  ///< of a step, where the gradient changed its sign
  double grow = 1.2;    ///< where it kept it
  double least = 1e-6;  ///< steps
  double most = 50;
};

using optimizer =
    std::variant<sgd, adam, adamw, nadam, adamax, adagrad, adadelta, rmsprop, lion, rprop>;

/// Throws domain_error naming the setting that is out of range, its value and its range.
void require_range(const optimizer& settings);
/// The rate among the settings.
double rate_of(const optimizer& settings) noexcept;

}  // namespace nn
