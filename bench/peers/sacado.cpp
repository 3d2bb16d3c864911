// Sacado's reverse mode (Sacado::Rad) of Trilinos 13: memory comes in blocks that the next
// recording uses again. Source: Bartlett, Gay and Phipps, Automatic Differentiation of C++ Codes
// for Large-Scale Scientific Computing, ICCS (2006).

#include <Sacado_trad.hpp>

#include <bench/peers/peer.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace {

using number = Sacado::Rad::ADvar<double>;

template <class Problem>
class on_sacado final : public bench::peers::on_problem<Problem> {
 public:
  explicit on_sacado(const Problem& problem)
      : bench::peers::on_problem<Problem>(problem), inputs_(this->x_.size()) {}

  void compute() override {
    for (std::size_t i = 0; i < inputs_.size(); ++i) inputs_[i] = this->x_[i];
    auto y = this->problem_(std::span<const number>(inputs_));
    const std::span<const number> outputs = bench::problems::outputs_of(y);
    double* out = this->resized_values(outputs.size()).data();
    // A sweep clears the adjoints of arguments alone: every output has to get its weight anew.
    weights_.assign(outputs.size(), 0.0);
    outputs_.clear();
    for (const number& output : outputs) outputs_.push_back(const_cast<number*>(&output));
    for (double& weight : weights_) {
      weight = 1;
      number::Weighted_Gradcomp(outputs.size(), outputs_.data(), weights_.data());
      weight = 0;
      for (const number& input : inputs_) *out++ = input.adj();
    }
  }

  double bytes() const override { return std::numeric_limits<double>::quiet_NaN(); }

 private:
  std::vector<number> inputs_;
  std::vector<number*> outputs_;
  std::vector<double> weights_;
};

const bench::peers::announced<on_sacado> announcement("sacado");

}  // namespace
