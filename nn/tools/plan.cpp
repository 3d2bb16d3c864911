#include <nn/tools/plan.hpp>

#include <nn/network/activation.hpp>
#include <nn/optimizer/optimizer.hpp>
#include <nn/tools/choices.hpp>
#include <nn/training/metrics.hpp>

#include <variant>

namespace nn::tools {
namespace {

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

}  // namespace

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

training training_of(const train_options& chosen, const data_format& format) {
  const named_loss& learned = loss_of(chosen, format);
  training how;
  how.loss = learned.loss;
  how.optimizer = optimizer_of(chosen);
  how.schedule = named(schedules(), chosen.schedule);
  how.epochs = chosen.epochs;
  how.batch = chosen.batch;
  how.seed = {chosen.seed};
  how.penalty.l2 = chosen.l2;
  if (learned.answer == answer::category) how.metrics = {accuracy};
  if (chosen.patience > 0) how.early_stopping = early_stopping{.patience = chosen.patience};
  how.csv_log = chosen.log;
  if (!chosen.checkpoint.empty()) how.checkpoint = checkpointing{chosen.checkpoint};
  if (chosen.quiet) how.progress = progress::off;
  return how;
}

}  // namespace nn::tools
