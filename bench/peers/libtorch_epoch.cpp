// libtorch in the form that its documentation teaches, each call in its fast variant: modules in a
// sequence, a permutation of the samples, rows taken by index, gradients undefined instead of
// zeroed, one number read from the device an epoch.

#include <torch/torch.h>

#include <bench/peers/epoch_peer.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace {

using bench::peers::epoch_problem;
using bench::peers::epoch_result;

std::int64_t as_extent(std::size_t extent) { return static_cast<std::int64_t>(extent); }

class on_libtorch final : public bench::peers::epoch_tool {
 public:
  explicit on_libtorch(const epoch_problem& p) : batch_(as_extent(p.batch)) {
    torch::set_num_threads(1);
    torch::manual_seed(1);
    for (std::size_t l = 0; l + 1 < p.widths.size(); ++l) {
      if (l > 0) net_->push_back(torch::nn::ReLU(torch::nn::ReLUOptions(true)));
      net_->push_back(torch::nn::Linear(as_extent(p.widths[l]), as_extent(p.widths[l + 1])));
    }
    parameters_ = net_->parameters();
    const auto n = as_extent(p.labels.size());
    inputs_ = torch::empty({n, as_extent(p.widths.front())});
    std::copy(p.inputs.begin(), p.inputs.end(), inputs_.data_ptr<float>());
    labels_ = torch::empty({n}, torch::kLong);
    std::copy(p.labels.begin(), p.labels.end(), labels_.data_ptr<std::int64_t>());
    adam_ = std::make_unique<torch::optim::Adam>(parameters_, torch::optim::AdamOptions());
  }

  epoch_result epoch() override {
    const std::int64_t n = labels_.size(0);
    const torch::Tensor order = torch::randperm(n);
    torch::Tensor loss_sum = torch::zeros({}), hits = torch::zeros({}, torch::kLong);
    for (std::int64_t from = 0; from < n; from += batch_) {
      const torch::Tensor rows = order.slice(0, from, std::min(from + batch_, n));
      const torch::Tensor labels = labels_.index_select(0, rows);
      for (torch::Tensor& p : parameters_) p.mutable_grad() = torch::Tensor();
      const torch::Tensor y = net_->forward(inputs_.index_select(0, rows));
      const torch::Tensor loss = torch::cross_entropy_loss(y, labels);
      loss.backward();
      adam_->step();
      const torch::NoGradGuard constants;
      loss_sum.add_(loss * rows.size(0));
      hits.add_(y.argmax(1).eq(labels).sum());
    }
    return {loss_sum.item<double>() / static_cast<double>(n),
            hits.item<double>() / static_cast<double>(n)};
  }

 private:
  std::int64_t batch_;
  torch::nn::Sequential net_;
  std::vector<torch::Tensor> parameters_;
  torch::Tensor inputs_, labels_;
  std::unique_ptr<torch::optim::Adam> adam_;
};

const bool announced = [] {
  bench::peers::epoch_peers().push_back(
      {"libtorch", [](const epoch_problem& p) -> std::unique_ptr<bench::peers::epoch_tool> {
         return std::make_unique<on_libtorch>(p);
       }});
  return true;
}();

}  // namespace
