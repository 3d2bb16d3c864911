#include <nn/tools/choices.hpp>

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
      {"adam", adam{}},
      {"adamw", adamw{}},
      {"nadam", nadam{}},
      {"adamax", adamax{}},
      {"amsgrad", adam{.amsgrad = true}},
      {"sgd", sgd{}},
      {"momentum", sgd{.momentum = 0.9}},
      {"nesterov", sgd{.momentum = 0.9, .nesterov = true}},
      {"adagrad", adagrad{}},
      {"adadelta", adadelta{}},
      {"rmsprop", rmsprop{}},
      {"lion", lion{}},
      {"rprop", rprop{}},
  };
  return all;
}

const named_values<schedule>& schedules() {
  static const named_values<schedule> all{
      {"constant", constant_rate{}},  {"cosine", cosine_annealing{}},
      {"one_cycle", one_cycle{}},     {"exponential", exponential_decay{}},
      {"linear", polynomial_decay{}}, {"plateau", reduce_on_plateau{}},
  };
  return all;
}

}  // namespace nn::tools
