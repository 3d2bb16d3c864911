#pragma once
// How the rate changes while a model is trained: plain settings, and rate_at(), a function of them
// and of how far training is. Nothing is remembered from step to step, so a resumed training goes
// on as if it had not stopped. Meanings are PyTorch's (torch.optim.lr_scheduler), and so are the
// defaults but for lengths; the time that a scheduler counts is here a unit: steps, or whole
// epochs.

#include <cstddef>
#include <span>
#include <variant>
#include <vector>

namespace nn {

enum class time_unit { step, epoch };

/// How far training is: before the first step both counts are 0.
struct moment {
  std::size_t step = 0;
  std::size_t epoch = 0;
  std::size_t steps_per_epoch = 1;
  std::size_t epochs = 1;                  ///< of the whole training
  std::span<const double> monitored = {};  ///< what was measured after each epoch so far
};

struct constant_rate {};

/// Times factor after every so many epochs (StepLR).
struct step_decay {
  std::size_t every = 30;
  double factor = 0.1;
  time_unit unit = time_unit::epoch;
};

/// Times factor at each of these epochs (MultiStepLR).
struct multi_step_decay {
  std::vector<std::size_t> at;
  double factor = 0.1;
  time_unit unit = time_unit::epoch;
};

/// Times factor after every epoch (ExponentialLR).
struct exponential_decay {
  double factor = 0.95;
  time_unit unit = time_unit::epoch;
};

/// base (1 - t / length)^power, and 0 from `length` on (PolynomialLR); a length of 0 is the whole
/// training.
struct polynomial_decay {
  double power = 1;
  std::size_t length = 0;
  time_unit unit = time_unit::step;
};

/// lowest + (base - lowest) (1 + cos(pi t / length)) / 2 (CosineAnnealingLR); a length of 0 is the
/// whole training. After `length` the rate rises again, as PyTorch's does.
/// Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts (ICLR 2017).
struct cosine_annealing {
  double lowest = 0;
  std::size_t length = 0;
  time_unit unit = time_unit::step;
};

/// The same again and again, the first time over `length`, each time `growth` times as long as
/// before (CosineAnnealingWarmRestarts).
struct cosine_restarts {
  std::size_t length = 10;
  std::size_t growth = 1;
  double lowest = 0;
  time_unit unit = time_unit::epoch;
};

enum class annealing { cosine, linear };

/// From base / start_divisor up to base and down to base / (start_divisor end_divisor), where the
/// rise takes the share `rising` of the length; in three phases the way down first mirrors the rise
/// (OneCycleLR, without its cycle of the momentum). A length of 0 is the whole training.
/// Source: Smith and Topin, Super-convergence: very fast training of neural networks using large
/// learning rates, arXiv:1708.07120 (2017).
struct one_cycle {
  double rising = 0.3;
  double start_divisor = 25;
  double end_divisor = 1e4;
  nn::annealing shape = nn::annealing::cosine;
  bool three_phases = false;
  std::size_t length = 0;
  time_unit unit = time_unit::step;
};

/// Which values of what is monitored are better, and how far better they must be: by a part of the
/// best so far, or by an amount.
enum class aim { lower, higher };
enum class margin { relative, absolute };

/// Times factor when what is monitored has not become better for more than `patience` epochs in a
/// row (ReduceLROnPlateau).
struct reduce_on_plateau {
  nn::aim aim = nn::aim::lower;
  double factor = 0.1;
  std::size_t patience = 10;
  double threshold = 1e-4;  ///< better by less than this is not better
  nn::margin margin = nn::margin::relative;
  std::size_t cooldown = 0;  ///< epochs after a reduction that are not counted
  double lowest = 0;
  double least_change = 1e-8;  ///< a smaller reduction is left out
};

using plain_schedule =
    std::variant<constant_rate, step_decay, multi_step_decay, exponential_decay, polynomial_decay,
                 cosine_annealing, cosine_restarts, one_cycle, reduce_on_plateau>;

/// Over `length` the rate rises linearly from `from` times the base to the base; then another
/// schedule takes over, and its time begins there (LinearLR and SequentialLR). What is left of the
/// training is then the whole of it, the rest of an epoch counting as one.
/// Source: Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour,
/// arXiv:1706.02677 (2017).
struct warm_up {
  std::size_t length = 100;
  double from = 1.0 / 3;
  time_unit unit = time_unit::step;
  plain_schedule then = constant_rate{};
};

using schedule =
    std::variant<constant_rate, step_decay, multi_step_decay, exponential_decay, polynomial_decay,
                 cosine_annealing, cosine_restarts, one_cycle, reduce_on_plateau, warm_up>;

/// The rate of the step that begins at this moment, where the optimizer's own rate is `base`.
/// Throws domain_error naming the setting that is out of range, and where the length of training is
/// needed and is 0.
double rate_at(const schedule& s, double base, const moment& now);

}  // namespace nn
