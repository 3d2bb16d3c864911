// backsweep-train: a network from a file of samples, see --help.

#include <autodiff/error.hpp>
#include <autodiff/part_file.hpp>

#include <nn/data/augment.hpp>
#include <nn/files/save.hpp>
#include <nn/network/network.hpp>
#include <nn/tools/answers.hpp>
#include <nn/tools/command.hpp>
#include <nn/tools/plan.hpp>
#include <nn/tools/training_data.hpp>
#include <nn/training/pictures.hpp>
#include <nn/training/predict.hpp>
#include <nn/training/train.hpp>

#include <fmt/format.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction() is of POSIX

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nn::tools {
namespace {

constexpr const char* footer =
    "Exit status: 0, 1 for data, files and trainings that went wrong, 2 for wrong options.\n\n"
    "Examples:\n"
    "  backsweep-train --data iris.csv --target species --save iris.safetensors\n"
    "  backsweep-train --data houses.csv --target price --layers 64,64 --loss gaussian_nll \\\n"
    "      --epochs 200 --patience 20 --save price.safetensors --picture price.svg\n"
    "  backsweep-train --data train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz \\\n"
    "      --layers 256,128 --dropout 0.3 --shift 2 --save digits.safetensors\n\n"
    "backsweep-predict applies the model.";

template <class... Arguments>
void tell(const train_options& chosen, fmt::format_string<Arguments...> text,
          Arguments&&... arguments) {
  if (!chosen.quiet) fmt::print(text, std::forward<Arguments>(arguments)...);
}

void tell_plan(const train_options& chosen, const training_data& data, const network<float>& net,
               const training& how) {
  const std::size_t classes = data.format.classes().size();
  tell(chosen, "data      {}: {} samples to train, {} to validate\n", chosen.data.string(),
       data.train.size(), data.validation.size());
  tell(chosen, "          {} inputs, {} \"{}\"\n", data.format.features(),
       classes > 0 ? fmt::format("{} classes of", classes) : "the number", data.format.target());
  tell(chosen, "network   {}\n", to_string(net));
  tell(chosen, "training  {}, {}, rate {}, {} epochs of {} batches\n\n", how.loss.name,
       chosen.optimizer, rate_of(how.optimizer), how.epochs,
       batches(data.train.size(), how.batch, how.seed, how.drop_last).count());
}

/// Some of the epochs, the last one among them.
void tell_history(const train_options& chosen, const history& past) {
  constexpr std::size_t most = 10;
  if (past.empty()) return;
  const std::size_t every = (past.size() + most - 1) / most;
  std::string text = "epoch";
  std::vector<std::string> names = past.front().names();
  std::erase_if(names, [](const auto& name) { return name == "rate" || name == "seconds"; });
  for (const std::string& name : names) text += fmt::format("  {:>10}", name);
  for (std::size_t e = 0; e < past.size(); ++e) {
    if ((e + 1) % every != 0 && e + 1 != past.size()) continue;
    text += fmt::format("\n{:>5}", e + 1);
    for (const std::string& name : names) {
      text +=
          fmt::format("  {:>{}.4g}", past[e].value(name), std::max<std::size_t>(name.size(), 10));
    }
  }
  tell(chosen, "{}\n\n", text);
}

/// A batch_norm cannot be trained on one sample: a last batch of one is left out.
drop_last last_batch(const train_options& chosen, std::size_t samples) {
  const bool is_single = samples > chosen.batch && samples % chosen.batch == 1;
  return chosen.batch_norm && is_single ? drop_last::yes : drop_last::no;
}

history learn(const train_options& chosen, network<float>& net, const training_data& data,
              const training& how) {
  memory_source<float> samples(data.train, how.batch, how.seed, how.drop_last);
  batch_source<float>* source = &samples;
  std::optional<shifting_source<float>> shifted;
  if (chosen.shift > 0) {
    const auto& images = std::get<image_format>(data.format.file);
    if (chosen.shift >= std::min(images.rows, images.columns)) {
      throw CLI::ValidationError(
          "--shift", fmt::format("{} pixels move images of {} x {} out of sight", chosen.shift,
                                 images.rows, images.columns));
    }
    source = &shifted.emplace(samples, shift_images{images.rows, images.columns, chosen.shift},
                              how.seed);
  }
  if (data.validation.size() == 0) return train(net, *source, how);
  return train(net, *source, data.validation, how);
}

volatile sig_atomic_t is_interrupted = 0;

/// Ctrl-C lets the batch at work end and its checkpoint be written; a second one ends it at once.
void stop_when_interrupted(training& how) {
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;  // as nohup wants it
    action.sa_handler = [](int) { is_interrupted = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
    sigaction(signal, &action, nullptr);
  }
  how.on_step = [](const step_end&) {
    return is_interrupted != 0 ? verdict::stop : verdict::go_on;
  };
}

/// Throws io_error for a file that cannot be written: now, not when the network is trained.
void require_writable(const std::filesystem::path& file) {
  if (!file.empty()) const autodiff::part_file probe("backsweep-train", file);
}

void work(const train_options& chosen) {
  require_writable(chosen.save);
  require_writable(chosen.picture);
  const training_data data = read_training_data(chosen);
  const std::string description = to_text(data.format, named_file{"backsweep-train", chosen.data});
  network<float> net(data.format.features(), layers_of(chosen, data.format.outputs()),
                     seed{chosen.seed});
  training how = training_of(chosen, data.format);
  how.drop_last = last_batch(chosen, data.train.size());
  if (how.checkpoint) stop_when_interrupted(how);
  tell_plan(chosen, data, net, how);

  const history past = learn(chosen, net, data, how);
  if (is_interrupted != 0 && past.size() < how.epochs) {
    throw autodiff::error("training", fmt::format("interrupted in epoch {}", past.size() + 1),
                          "start it again in the same way to go on");
  }
  save(net, chosen.save, {{data_text_name, description}});
  tell_history(chosen, past);
  const bool is_validated = data.validation.size() > 0;
  const dataset<float>& measured = is_validated ? data.validation : data.train;
  tell(chosen, "on {} samples {}: {}\n", measured.size(),
       is_validated ? "held back" : "of the training",
       score_text(data.format, predict(net, measured.inputs), measured.targets));
  tell(chosen, "model     {}\napply it  backsweep-predict --model {} --data FILE\n",
       chosen.save.string(), chosen.save.string());
  if (!chosen.picture.empty()) plot_history(chosen.picture, past, to_string(net));
}

}  // namespace
}  // namespace nn::tools

int main(int argc, char** argv) {
  using namespace nn::tools;
  CLI::App app("Trains a dense network on a table or on images, and keeps it in a file.",
               "backsweep-train");
  app.footer(footer);
  train_options chosen;
  add_options(app, chosen);
  app.final_callback([&] { require_consistent(chosen); });
  return run(app, argc, argv, [&] { work(chosen); });
}
