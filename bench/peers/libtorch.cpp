// libtorch in its fastest form: plain tensors as parameters, gradients undefined before each sweep
// instead of zeroed, sgd in place; adam by torch::optim.

#include <torch/torch.h>

#include <bench/peers/training_peer.hpp>
#include <bench/problems/small_net.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace {

using bench::problems::hidden;
using bench::problems::training;
using bench::problems::update;

class on_libtorch final : public bench::peers::training_tool {
 public:
  explicit on_libtorch(const training& t) : how_(t) {
    const bench::problems::training_values v(t);
    for (std::size_t l = 0; l < v.weights.size(); ++l) {
      const auto in = as_extent(t.widths[l]), out = as_extent(t.widths[l + 1]);
      // As torch::nn::Linear keeps them, [out, in].
      parameters_.push_back(
          filled(v.weights[l], {in, out}).t().contiguous().set_requires_grad(true));
      parameters_.push_back(filled(v.biases[l], {out}).set_requires_grad(true));
    }
    input_ = filled(v.input, {as_extent(t.batch), as_extent(t.widths.front())});
    labels_ = filled(v.targets, {as_extent(t.batch), as_extent(t.widths.back())}).argmax(1);
    if (t.update == update::adam) {
      adam_ = std::make_unique<torch::optim::Adam>(
          parameters_, torch::optim::AdamOptions(bench::problems::learning_rate));
    }
  }

  float step() override {
    for (torch::Tensor& p : parameters_) p.mutable_grad() = torch::Tensor();
    torch::Tensor a = input_;
    for (std::size_t l = 0; l < parameters_.size(); l += 2) {
      a = torch::linear(a, parameters_[l], parameters_[l + 1]);
      if (l + 2 == parameters_.size()) break;
      if (how_.activation == hidden::relu)
        a.relu_();
      else
        a.tanh_();
    }
    const torch::Tensor loss = torch::cross_entropy_loss(a, labels_);
    loss.backward();
    if (adam_) {
      adam_->step();
    } else {
      const torch::NoGradGuard constants;
      for (torch::Tensor& p : parameters_) p.sub_(p.grad(), bench::problems::learning_rate);
    }
    return loss.item<float>();
  }

 private:
  static std::int64_t as_extent(std::size_t extent) { return static_cast<std::int64_t>(extent); }
  static torch::Tensor filled(std::vector<float> values, std::vector<std::int64_t> extents) {
    return torch::from_blob(values.data(), extents).clone();
  }

  training how_;
  std::vector<torch::Tensor> parameters_;
  torch::Tensor input_, labels_;
  std::unique_ptr<torch::optim::Adam> adam_;
};

class small_on_libtorch final : public bench::peers::training_tool {
 public:
  float step() override {
    for (torch::Tensor& p : parameters_) p.mutable_grad() = torch::Tensor();
    const torch::Tensor z = torch::addmv(parameters_[1], parameters_[0], input_).tanh_();
    const torch::Tensor y = torch::addmv(parameters_[3], parameters_[2], z);
    const torch::Tensor error = 0.5 * (y - target_).square().sum();
    error.backward();
    const torch::NoGradGuard constants;
    for (torch::Tensor& p : parameters_) p.sub_(p.grad(), bench::problems::small_net::rate);
    return static_cast<float>(error.item<double>());
  }

 private:
  template <std::size_t N>
  static torch::Tensor filled(std::array<double, N> values, std::vector<std::int64_t> extents) {
    return torch::from_blob(values.data(), extents, torch::kFloat64).clone();
  }
  static torch::Tensor leaf(const torch::Tensor& x) {
    return x.contiguous().set_requires_grad(true);
  }

  std::vector<torch::Tensor> parameters_{leaf(filled(bench::problems::small_net::w1, {2, 3}).t()),
                                         leaf(filled(bench::problems::small_net::b1, {3})),
                                         leaf(filled(bench::problems::small_net::w2, {3, 2}).t()),
                                         leaf(filled(bench::problems::small_net::b2, {2}))};
  torch::Tensor input_ = filled(bench::problems::small_net::input, {2}),
                target_ = filled(bench::problems::small_net::target, {2});
};

const bool announced = [] {
  bench::peers::training_peers().push_back(
      {"libtorch",
       [](const training& t) -> std::unique_ptr<bench::peers::training_tool> {
         return std::make_unique<on_libtorch>(t);
       },
       []() -> std::unique_ptr<bench::peers::training_tool> {
         return std::make_unique<small_on_libtorch>();
       },
       [](int threads) { torch::set_num_threads(threads); }});
  return true;
}();

}  // namespace
