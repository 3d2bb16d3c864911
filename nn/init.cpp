#include <nn/init.hpp>

#include <cmath>

namespace nn {

template <class T>
autodiff::tensor<T> initial_weights(init how, std::size_t fan_in, std::size_t fan_out,
                                    autodiff::generator& random) {
  const auto fan = static_cast<double>(how == init::glorot ? fan_in + fan_out : fan_in);
  const double bound = std::sqrt(6.0 / fan);
  autodiff::tensor<T> weights(autodiff::shape{fan_in, fan_out});
  for (T& w : weights.mutable_values()) w = static_cast<T>(random.uniform(-bound, bound));
  return weights;
}

template autodiff::tensor<float> initial_weights(init, std::size_t, std::size_t,
                                                 autodiff::generator&);
template autodiff::tensor<double> initial_weights(init, std::size_t, std::size_t,
                                                  autodiff::generator&);

}  // namespace nn
