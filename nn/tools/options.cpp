#include <nn/tools/options.hpp>

#include <autodiff/error.hpp>

#include <nn/network/activation.hpp>
#include <nn/tools/choices.hpp>
#include <nn/tools/command.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

namespace nn::tools {
namespace {

namespace fs = std::filesystem;

/// "64,32", or "none".
std::vector<std::size_t> parse_layers(const std::string& text) {
  std::vector<std::size_t> layers;
  if (text == "none") return layers;
  for (const std::string& word : CLI::detail::split(text, ',')) {
    std::size_t units = 0;
    const auto [rest, problem] = std::from_chars(word.data(), word.data() + word.size(), units);
    if (problem != std::errc() || rest != word.data() + word.size() || units == 0) {
      throw CLI::ValidationError("--layers",
                                 fmt::format("\"{}\" is no list of units, as 64,32", text));
    }
    layers.push_back(units);
  }
  return layers;
}

/// An activation of the library; a misspelt one is answered with the nearest.
const CLI::Validator is_activation(
    [](std::string& name) -> std::string {
      try {
        activation_named(name);
        return {};
      } catch (const autodiff::error& e) {
        return e.what();
      }
    },
    "");

const CLI::Validator is_delimiter(
    [](std::string& text) -> std::string {
      if (text == "tab" || text == "\\t") text = "\t";
      const bool is_one = text.size() == 1 && text.find_first_of("\"\r\n") == text.npos;
      return is_one ? "" : "one character that is no quote, or tab";
    },
    "");

/// Digits alone: the conversion to an unsigned number takes -1 for a huge one, and 010 for 8.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  return CLI::Validator(
      [least, most](std::string& text) -> std::string {
        std::uint64_t number = 0;
        const char* const end = text.data() + text.size();
        const auto [rest, problem] = std::from_chars(text.data(), end, number);
        if (problem != std::errc() || rest != end || number < least || number > most) {
          return fmt::format("\"{}\" is no whole number from {} to {}", text, least, most);
        }
        text = fmt::format("{}", number);
        return "";
      },
      "");
}

/// A decimal number for which is_right holds, described by `what`; never NaN or infinite.
CLI::Validator number_that(bool (*is_right)(double), const char* what) {
  return CLI::Validator(
      [is_right, what](std::string& text) -> std::string {
        double number = 0;
        const char* const end = text.data() + text.size();
        const auto [rest, problem] = std::from_chars(text.data(), end, number);
        const bool is_number = problem == std::errc() && rest == end && std::isfinite(number);
        return is_number && is_right(number) ? "" : fmt::format("\"{}\" is no {}", text, what);
      },
      "");
}

constexpr std::uint64_t most_of_all = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t most_epochs = 1'000'000;
constexpr std::uint64_t most_pixels = 1'000'000;

/// Options of one heading in the help text.
class option_group {
 public:
  option_group(CLI::App& app, const char* heading) : app_(app) {
    app_.option_defaults()->group(heading)->always_capture_default();
  }

  template <class Value>
  CLI::Option& operator()(const char* name, Value& into, const char* kind,
                          const std::string& help) {
    return *app_.add_option(name, into, help)->type_name(kind);
  }
  /// One of these names.
  void choice(const char* name, std::string& into, const std::vector<std::string>& names,
              const std::string& help) {
    (*this)(name, into, "NAME", help + fmt::format(": {}", fmt::join(names, ", ")))
        .check(CLI::IsMember(names));
  }
  void flag(const char* name, bool& into, const char* help) { app_.add_flag(name, into, help); }

 private:
  CLI::App& app_;
};

void add_data(CLI::App& app, train_options& into) {
  option_group add(app, "Data");
  add("--data", into.data, "FILE", "a table as CSV, or images as IDX, plain or gzip").required();
  add("--target", into.target, "COLUMN",
      "of the table, to be learned: a number if its first value is one, else a class");
  add("--labels", into.labels, "FILE", "of the images, as IDX");
  add("--ignore", into.ignored, "COLUMN,...", "columns to leave out").delimiter(',');
  add("--categorical", into.categorical, "COLUMN,...",
      "columns whose numbers stand for categories, as post codes do, and classes 0, 1, 2 in the "
      "target")
      .delimiter(',');
  add("--delimiter", into.delimiter, "CHARACTER", "between cells, or \"tab\"")
      .transform(is_delimiter);
  add.flag("--no-header", into.without_header,
           "the table has none; its columns are named 1, 2, ...");
  add.flag("--skip-missing", into.skips_missing,
           "leave out rows in which a value is missing, instead of refusing the table");
}

void add_network(CLI::App& app, train_options& into) {
  option_group add(app, "Network");
  app.add_option_function<std::string>(
         "--layers", [&into](const std::string& text) { into.layers = parse_layers(text); },
         "units of the hidden layers, or \"none\"")
      ->type_name("N,...")
      ->default_str("64,32");
  std::vector<std::string_view> names;
  for (const activation& each : activations()) names.push_back(each.name);
  add("--activation", into.activation, "NAME",
      fmt::format("of the hidden layers: {}", fmt::join(names, ", ")))
      .check(is_activation);
  add.flag("--batch-norm", into.batch_norm, "normalise what goes into the activations");
  add("--dropout", into.dropout, "P", "share of the hidden units left out at random in a step")
      .check(number_that([](double p) { return p >= 0 && p <= 0.99; }, "number from 0 to 0.99"));
}

void add_training(CLI::App& app, train_options& into) {
  std::vector<std::string> loss_names = names_of(losses());
  loss_names.insert(loss_names.begin(), "auto");
  option_group add(app, "Training");
  add.choice("--loss", into.loss, loss_names,
             "what is made small; auto is softmax_cross_entropy for classes and "
             "mean_squared_error for a number, gaussian_nll learns how uncertain the number is, "
             "too");
  add.choice("--optimizer", into.optimizer, names_of(optimizers()), "moves the weights");
  add("--rate", into.rate, "R", "of the optimizer, instead of its usual one")
      .check(number_that([](double rate) { return rate > 0; }, "positive number"));
  add.choice("--schedule", into.schedule, names_of(schedules()), "of the rate, over the training");
  add("--l2", into.l2, "L", "penalty on the squares of the weights")
      .check(number_that([](double l) { return l >= 0; }, "number from 0 on"));
  add("--epochs", into.epochs, "N", "passes over the data").transform(whole_number(1, most_epochs));
  add("--batch", into.batch, "N", "samples a step").transform(whole_number(1, most_of_all));
  add("--validation", into.validation, "SHARE",
      "of the samples, held back to measure how the network does on what it has not seen")
      .check(number_that([](double share) { return share >= 0 && share <= 0.9; },
                         "number from 0 to 0.9"));
  add("--patience", into.patience, "N",
      "stop after so many epochs without a better validation loss, and keep the best network; 0: "
      "never")
      .transform(whole_number(0, most_epochs));
  add("--shift", into.shift, "PIXELS",
      "move each image by up to so many pixels, anew in every epoch")
      .transform(whole_number(0, most_pixels));
  add("--seed", into.seed, "N", "of all that is random: the same seed gives the same file")
      .transform(whole_number(0, most_of_all));
}

void add_results(CLI::App& app, train_options& into) {
  option_group add(app, "Results");
  add("--save", into.save, "FILE", "the model (safetensors)").required();
  add("--log", into.log, "FILE", "losses and metrics of each epoch, as CSV");
  add("--picture", into.picture, "FILE", "learning curves, as .svg or .png");
  add("--checkpoint", into.checkpoint, "FILE",
      "the training so far, after every epoch and at Ctrl-C; goes on from there when it is started "
      "again");
  add.flag("--quiet", into.quiet, "print nothing but errors");
}

/// Throws ValidationError for a file to be written that has no folder, is none, or would replace
/// another one of the options.
void require_files(const train_options& chosen) {
  const std::initializer_list<std::pair<const char*, const fs::path&>> files{
      {"--data", chosen.data}, {"--labels", chosen.labels},   {"--save", chosen.save},
      {"--log", chosen.log},   {"--picture", chosen.picture}, {"--checkpoint", chosen.checkpoint}};
  for (auto file = files.begin() + 2; file != files.end(); ++file) {
    const auto& [name, path] = *file;
    if (path.empty() && &path != &chosen.save) continue;
    std::error_code ignored;
    const fs::path folder = path.parent_path();
    if (!folder.empty() && !fs::is_directory(folder, ignored))
      throw CLI::ValidationError(name, "there is no folder " + folder.string());
    if (path.filename().empty() || fs::is_directory(path, ignored))
      throw CLI::ValidationError(name, fmt::format("\"{}\" names no file", path.string()));
    for (auto other = files.begin(); other != file; ++other) {
      if (!other->second.empty() && are_same_file(path, other->second))
        throw CLI::ValidationError(
            name, fmt::format("\"{}\" is the file of {}, too", path.string(), other->first));
    }
  }
  const fs::path kind = chosen.picture.extension();
  if (!chosen.picture.empty() && kind != ".svg" && kind != ".png")
    throw CLI::ValidationError("--picture", "name a file that ends in .svg or .png");
}

}  // namespace

void add_options(CLI::App& app, train_options& into) {
  add_data(app, into);
  add_network(app, into);
  add_training(app, into);
  add_results(app, into);
}

void require_consistent(const train_options& chosen) {
  const bool of_table = !chosen.target.empty(), of_images = !chosen.labels.empty();
  if (of_table == of_images) {
    throw CLI::ValidationError(
        "say what to learn: --target COLUMN of a table, or --labels FILE of images");
  }
  if (of_table && chosen.shift > 0)
    throw CLI::ValidationError("--shift moves images; a table has none");
  const bool of_classes = chosen.loss == "auto" || chosen.loss == "softmax_cross_entropy";
  if (of_images && !of_classes)
    throw CLI::ValidationError("--loss " + chosen.loss + " learns a number; labels are classes");
  if (chosen.patience > 0 && chosen.validation == 0)
    throw CLI::ValidationError("--patience watches the validation loss; --validation is 0");
  require_files(chosen);
}

}  // namespace nn::tools
