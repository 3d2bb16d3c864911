#include <nn/optimizer/optimizer_settings.hpp>

#include <autodiff/error.hpp>

#include <fmt/format.h>

#include <cmath>
#include <string_view>

namespace nn {
namespace {

void require(bool holds, std::string_view what, double value, std::string_view remedy) {
  if (holds) return;
  throw autodiff::domain_error("optimizer", fmt::format("{} is {}", what, value), remedy);
}

void require_positive(std::string_view what, double value) {
  require(value > 0 && std::isfinite(value), what, value, "it must be positive");
}
void require_not_negative(std::string_view what, double value) {
  require(value >= 0 && std::isfinite(value), what, value, "it must be 0 or positive");
}
/// A share of what is remembered that stays at each step.
void require_share(std::string_view what, double value) {
  require(value >= 0 && value < 1, what, value, "it must be in [0, 1)");
}

template <class Settings>
void require_betas(const Settings& s) {
  require_share("beta1", s.beta1);
  require_share("beta2", s.beta2);
}

void require_own(const sgd& s) {
  require_share("momentum", s.momentum);
  require(s.dampening >= 0 && s.dampening <= 1, "dampening", s.dampening, "it must be in [0, 1]");
  if (!s.nesterov) return;
  require(s.momentum > 0, "nesterov is set and momentum", s.momentum, "it needs a momentum");
  require(s.dampening == 0, "nesterov is set and dampening", s.dampening,
          "it needs a dampening of 0");
}
void require_own(const adagrad& s) {
  require_not_negative("rate_decay", s.rate_decay);
  require_not_negative("initial_accumulator", s.initial_accumulator);
}
void require_own(const adadelta& s) { require_share("rho", s.rho); }
void require_own(const rmsprop& s) {
  require_share("alpha", s.alpha);
  require_share("momentum", s.momentum);
}
void require_own(const adam& s) { require_betas(s); }
void require_own(const adamw& s) { require_betas(s); }
void require_own(const nadam& s) {
  require_betas(s);
  require_not_negative("momentum_decay", s.momentum_decay);
}
void require_own(const adamax& s) { require_betas(s); }
void require_own(const lion& s) { require_betas(s); }
void require_own(const rprop& s) {
  require(s.shrink > 0 && s.shrink < 1, "shrink", s.shrink, "it must be in (0, 1)");
  require(s.grow > 1 && std::isfinite(s.grow), "grow", s.grow, "it must be above 1");
  require_positive("least", s.least);
  require(s.most >= s.least && std::isfinite(s.most), "most", s.most, "it must be least or more");
}

}  // namespace

void require_range(const optimizer& settings) {
  std::visit(
      [](const auto& s) {
        require_positive("the rate", s.rate);
        if constexpr (requires { s.epsilon; }) require_positive("epsilon", s.epsilon);
        if constexpr (requires { s.weight_decay; })
          require_not_negative("weight_decay", s.weight_decay);
        require_own(s);
      },
      settings);
}

double rate_of(const optimizer& settings) noexcept {
  return std::visit([](const auto& s) { return s.rate; }, settings);
}

}  // namespace nn
