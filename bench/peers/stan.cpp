// Stan Math 2.21: recorded each time on its arena, which recover_memory() keeps for the next.
// Source: Carpenter et al., The Stan Math Library: Reverse-Mode Automatic Differentiation in C++,
// arXiv:1509.07164 (2015).

#include <stan/math/rev/scal.hpp>

#include <bench/peers/peer.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace {

using stan::math::var;

template <class Problem>
class on_stan final : public bench::peers::on_problem<Problem> {
 public:
  using bench::peers::on_problem<Problem>::on_problem;

  void compute() override {
    const auto& stack = *stan::math::ChainableStack::instance_;
    const char* start = position();
    inputs_.assign(this->x_.begin(), this->x_.end());
    const auto y = this->problem_(std::span<const var>(inputs_));
    const std::span<const var> outputs = bench::problems::outputs_of(y);
    double* out = this->resized_values(outputs.size()).data();
    for (std::size_t row = 0; row < outputs.size(); ++row) {
      if (row > 0) stan::math::set_zero_all_adjoints();
      stan::math::grad(outputs[row].vi_);
      for (const var& input : inputs_) *out++ = input.adj();
    }
    // The arena tells whole blocks, each twice as large as the one before; within the first it is
    // the way from its start.
    const std::ptrdiff_t in_first_block = position() - start;
    const std::size_t blocks = stack.memalloc_.bytes_allocated();
    const bool one_block = blocks == stan::math::internal::DEFAULT_INITIAL_NBYTES;
    bytes_ = (one_block ? static_cast<double>(in_first_block) : static_cast<double>(blocks)) +
             static_cast<double>(stack.var_stack_.size() * sizeof(stan::math::vari*));
    stan::math::recover_memory();
  }

  double bytes() const override { return bytes_; }

 private:
  static const char* position() {
    return static_cast<const char*>(stan::math::ChainableStack::instance_->memalloc_.alloc(0));
  }

  std::vector<var> inputs_;
  double bytes_ = 0;
};

const bench::peers::announced<on_stan> announcement("stan");

}  // namespace
