#include <nn/training/running_statistics.hpp>

#include <autodiff/error.hpp>
#include <autodiff/random.hpp>

#include <nn/network/batch_norm.hpp>
#include <nn/network/layer.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace nn {
namespace {

/// Gives every batch_norm its own momentum back when it goes.
template <class T>
class batch_norms {
 public:
  explicit batch_norms(std::span<any_layer<T>> layers) { collect(layers); }
  ~batch_norms() {
    for (const found& each : all_) each.layer->momentum(each.momentum);
  }
  batch_norms(const batch_norms&) = delete;
  batch_norms& operator=(const batch_norms&) = delete;

  bool empty() const { return all_.empty(); }
  void momentum(double momentum) {
    for (const found& each : all_) each.layer->momentum(momentum);
  }

 private:
  struct found {
    batch_norm_layer<T>* layer;
    double momentum;
  };

  void collect(std::span<any_layer<T>> layers) {
    for (any_layer<T>& l : layers) {
      if (auto* const norm = l.template get_if<batch_norm_layer<T>>())
        all_.push_back({norm, norm->description().momentum});
      if (auto* const block = l.template get_if<residual_layer<T>>()) collect(block->layers);
    }
  }

  std::vector<found> all_;
};

}  // namespace

template <class T>
void renew_running_statistics(network<T>& net, batch_source<T>& data, seed seed) {
  batch_norms<T> norms(net.layers());
  if (norms.empty()) return;
  autodiff::generator random(seed.value);
  batch<T> samples;
  std::size_t seen = 0;
  data.begin(0);
  while (data.next(samples)) {
    // The mean of k numbers is that of k - 1 of them, moved by 1/k towards the last one.
    norms.momentum(1 / static_cast<double>(++seen));
    net(samples.inputs, random);
  }
  if (seen > 0) return;
  throw autodiff::shape_error("renew_running_statistics", "the source has no batches",
                              "pass one with at least two samples");
}

template void renew_running_statistics(network<float>&, batch_source<float>&, seed);
template void renew_running_statistics(network<double>&, batch_source<double>&, seed);

}  // namespace nn
