#include <nn/tools/settings.hpp>

#include <nn/activation.hpp>

#include <variant>

namespace nn::tools {

const named_values<named_loss>& losses() {
  static const named_values<named_loss> all{
      {"softmax_cross_entropy", {softmax_cross_entropy, answer::category}},
      {"mean_squared_error", {mean_squared_error, answer::number}},
      {"mean_absolute_error", {mean_absolute_error, answer::number}},
      {"huber", {huber(), answer::number}},
      {"gaussian_nll", {gaussian_nll_of_log_variances, answer::number_and_deviation}},
  };
  return all;
}

const named_values<optimizer>& optimizers() {
  static const named_values<optimizer> all{
      {"adam", adam{}},         {"adamw", adamw{}},       {"nadam", nadam{}},
      {"adamax", adamax{}},     {"amsgrad", adam{.amsgrad = true}},
      {"sgd", sgd{}},           {"momentum", sgd{.momentum = 0.9}},
      {"nesterov", sgd{.momentum = 0.9, .nesterov = true}},
      {"adagrad", adagrad{}},   {"adadelta", adadelta{}}, {"rmsprop", rmsprop{}},
      {"lion", lion{}},         {"rprop", rprop{}},
  };
  return all;
}

const named_values<schedule>& schedules() {
  static const named_values<schedule> all{
      {"constant", constant_rate{}}, {"cosine", cosine_annealing{}},
      {"one_cycle", one_cycle{}},    {"exponential", exponential_decay{}},
      {"linear", polynomial_decay{}}, {"plateau", reduce_on_plateau{}},
  };
  return all;
}

const named_loss& loss_of(const train_options& chosen, const data_format& format) {
  const bool is_class = !format.classes().empty();
  const char* usual = is_class ? "softmax_cross_entropy" : "mean_squared_error";
  return named(losses(), chosen.loss == "auto" ? usual : chosen.loss);
}

optimizer optimizer_of(const train_options& chosen) {
  optimizer settings = named(optimizers(), chosen.optimizer);
  if (chosen.rate) std::visit([&](auto& s) { s.rate = *chosen.rate; }, settings);
  return settings;
}

std::vector<layer> layers_of(const train_options& chosen, std::size_t outputs) {
  const activation& hidden = activation_named(chosen.activation);
  std::vector<layer> layers;
  for (const std::size_t units : chosen.layers) {
    if (chosen.batch_norm) {
      layers.emplace_back(dense(units, identity, bias::without));
      layers.emplace_back(batch_norm());
      layers.emplace_back(hidden);
    } else {
      layers.emplace_back(dense(units, hidden));
    }
    if (chosen.dropout > 0) layers.emplace_back(dropout(chosen.dropout));
  }
  layers.emplace_back(dense(outputs));
  return layers;
}

}  // namespace nn::tools
