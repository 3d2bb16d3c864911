// TMBad of TMB 1.9, twice: recorded anew each time, and recorded once, optimised, fused and
// replayed, which is what it is made for; a replay repeats the branches that the recording took.
// Source: Kristensen, Nielsen, Berg, Skaug and Bell, TMB: Automatic Differentiation and Laplace
// Approximation, J. Stat. Softw. 70 (2016).

#include <iostream>

// What TMB.hpp defines around it, for R.
#define Rcout std::cout
#define Rcerr std::cerr
#define TMBAD_ASSERT2(x, message) static_cast<void>(x);
#define TMBAD_ASSERT(x) TMBAD_ASSERT2(x, "")
#include <TMBad/TMBad.cpp>
#include <TMBad/TMBad.hpp>
#include <TMBad/tmbad_allow_comparison.hpp>

#include <bench/peers/peer.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace {

using number = TMBad::ad_aug;

double bytes_of(const TMBad::global& tape) {
  return static_cast<double>(tape.opstack.size() * sizeof(tape.opstack[0]) +
                             tape.inputs.size() * sizeof(TMBad::Index) +
                             tape.values.size() * sizeof(TMBad::Scalar));
}

template <class Problem>
TMBad::ADFun<> recorded(const Problem& problem, const std::vector<double>& x) {
  const auto evaluate = [&problem](const std::vector<number>& inputs) {
    const auto y = problem(std::span<const number>(inputs));
    const auto outputs = bench::problems::outputs_of(y);
    return std::vector<number>(outputs.begin(), outputs.end());
  };
  return TMBad::ADFun<>(evaluate, x);
}

template <class Problem>
class on_tmbad final : public bench::peers::on_problem<Problem> {
 public:
  using bench::peers::on_problem<Problem>::on_problem;

  void compute() override {
    TMBad::ADFun<> f = recorded(this->problem_, this->x_);
    const std::vector<double> jacobian = f.Jacobian(this->x_);
    this->resized_values(jacobian.size() / this->x_.size()) = jacobian;
    bytes_ = bytes_of(f.glob);
  }
  double bytes() const override { return bytes_; }

 private:
  double bytes_ = 0;
};

template <class Problem>
class on_tmbad_replay final : public bench::peers::on_problem<Problem> {
 public:
  explicit on_tmbad_replay(const Problem& problem)
      : bench::peers::on_problem<Problem>(problem), f_(recorded(problem, this->x_)) {
    f_.optimize();
    // Neighbouring operations become one: up to four times faster.
    f_.glob.set_fuse(true);
    f_.replay();
    f_.glob.set_fuse(false);
  }

  void compute() override {
    f_.force_update();  // the inputs may be what they were
    const std::vector<double> jacobian = f_.Jacobian(this->x_);
    this->resized_values(jacobian.size() / this->x_.size()) = jacobian;
  }
  double bytes() const override { return bytes_of(f_.glob); }

 private:
  TMBad::ADFun<> f_;
};

const bench::peers::announced<on_tmbad> announcement("tmbad");
const bench::peers::announced<on_tmbad_replay> replay_announcement("tmbad_replay");

}  // namespace
