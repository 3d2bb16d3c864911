// backsweep-predict: what a network of backsweep-train says of further samples, see --help.

#include <autodiff/error.hpp>
#include <autodiff/part_file.hpp>

#include <nn/files/safetensors.hpp>
#include <nn/files/save.hpp>
#include <nn/network/network.hpp>
#include <nn/tools/answers.hpp>
#include <nn/tools/command.hpp>
#include <nn/tools/data_format.hpp>
#include <nn/training/predict.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <utility>

namespace nn::tools {
namespace {

struct predict_options {
  std::filesystem::path model, data, labels, out;
  bool all_probabilities = false, scores = false;
};

void add_options(CLI::App& app, predict_options& into) {
  app.add_option("--model", into.model, "that backsweep-train saved")
      ->type_name("FILE")
      ->required();
  app.add_option("--data", into.data,
                 "table with the columns of the training, in any order, the target left out or "
                 "not; or images of that size")
      ->type_name("FILE")
      ->required();
  app.add_option("--out", into.out, "CSV for the answers, instead of standard output")
      ->type_name("FILE");
  app.add_flag("--probabilities", into.all_probabilities, "tell those of all classes");
  app.add_flag("--score", into.scores,
               "compare with the right answers instead, in the target's column or in --labels");
  app.add_option("--labels", into.labels, "right answers for images, as IDX")->type_name("FILE");
  app.footer(
      "Answers are a row for each sample: its class and the probability of it, or its number.\n"
      "Exit status: 0, 1 for data and files that are wrong, 2 for wrong options.\n\n"
      "Example:\n"
      "  backsweep-predict --model iris.safetensors --data new.csv --out species.csv");
}

/// Throws ValidationError where the answers would replace what they are made from.
void require_consistent(const predict_options& chosen) {
  for (const auto& [name, path] :
       {std::pair<const char*, const std::filesystem::path&>{"--model", chosen.model},
        {"--data", chosen.data},
        {"--labels", chosen.labels}}) {
    if (!chosen.out.empty() && !path.empty() && are_same_file(chosen.out, path))
      throw CLI::ValidationError(
          "--out", fmt::format("\"{}\" is the file of {}, too", chosen.out.string(), name));
  }
}

/// How the model's samples look. Throws io_error for a file of another origin.
data_format format_of(const std::filesystem::path& model, const network<float>& net) {
  const safetensors_file file(model, "backsweep-predict");
  const auto text = file.metadata().find(data_text_name);
  if (text == file.metadata().end()) {
    file.name().refuse("does not say what data it was trained on",
                       "give a file that backsweep-train saved");
  }
  data_format format = parse_data_format(text->second, file.name());
  if (format.features() != net.inputs() || format.outputs() != net.outputs()) {
    file.name().refuse_content(fmt::format("has a network {} -> {} for data {} -> {}", net.inputs(),
                                           net.outputs(), format.features(), format.outputs()));
  }
  return format;
}

void tell(const predict_options& chosen, const std::string& text) {
  if (chosen.out.empty()) {
    fmt::print("{}", text);
    return;
  }
  autodiff::part_file file("backsweep-predict", chosen.out);
  file.write(text);
  file.keep();
}

/// Throws io_error where right answers are asked for that nobody gave, or given for a table, which
/// has its own.
void require_labels(const predict_options& chosen, const data_format& format) {
  if (format.table() != nullptr && !chosen.labels.empty()) {
    throw autodiff::io_error("backsweep-predict", "--labels for the model of a table",
                             "leave it out; the table has the answers in its column of the target");
  }
  if (!chosen.scores || format.table() != nullptr || !chosen.labels.empty()) return;
  throw autodiff::io_error("backsweep-predict", "--score without right answers for the images",
                           "name their file by --labels");
}

void work(const predict_options& chosen) {
  network<float> net = load_network<float>(chosen.model);
  const data_format format = format_of(chosen.model, net);
  require_labels(chosen, format);
  if (!chosen.scores) {
    const auto outputs = predict(net, read_inputs(chosen.data, format));
    return tell(chosen, answers_text(format, outputs, chosen.all_probabilities));
  }
  const dataset<float> samples = read_samples(chosen.data, chosen.labels, format);
  if (samples.size() == 0) {
    named_file{"backsweep-predict", chosen.data}.refuse("has no samples to score",
                                                        "give a file with a row per sample");
  }
  tell(chosen, fmt::format("{} samples: {}", samples.size(),
                           score_text(format, predict(net, samples.inputs), samples.targets)));
}

}  // namespace
}  // namespace nn::tools

int main(int argc, char** argv) {
  using namespace nn::tools;
  CLI::App app("Applies a network that backsweep-train made to further samples.",
               "backsweep-predict");
  predict_options chosen;
  add_options(app, chosen);
  app.final_callback([&] { require_consistent(chosen); });
  return run(app, argc, argv, [&] { work(chosen); });
}
