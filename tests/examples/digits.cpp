// ctest: --quick
// Trains a 784-128-10 network on images of handwritten digits and shows how well it reads new ones.
//
//   digits [--data DIR] [--epochs N] [--picture FILE] [--quick]
//
// DIR holds MNIST as IDX files, plain or gzip. Without it the folder of the project's data is
// tried, and then digits are drawn by the program itself.

#include <tests/examples/digit_files.hpp>
#include <tests/examples/pictured.hpp>

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <string_view>

namespace {

constexpr std::uint64_t split_seed = 2026;

struct options {
  std::filesystem::path data;
  std::filesystem::path picture = "digits.svg";
  std::size_t epochs = 20;
  bool quick = false;
};

options parse(int argc, char** argv) {
  options chosen;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--quick") {
      chosen.quick = true;
      continue;
    }
    if (name != "--data" && name != "--epochs" && name != "--picture") {
      throw autodiff::domain_error("digits", fmt::format("there is no option {}", name),
                                   "use --data DIR, --epochs N, --picture FILE or --quick");
    }
    if (++i == argc) {
      throw autodiff::domain_error("digits", fmt::format("{} without a value", name),
                                   "give it one");
    }
    const std::string_view value = argv[i];
    if (name == "--data") chosen.data = value;
    if (name == "--picture") chosen.picture = value;
    if (name == "--epochs") {
      const auto [end, problem] = std::from_chars(value.begin(), value.end(), chosen.epochs);
      if (problem != std::errc() || end != value.end() || chosen.epochs == 0) {
        throw autodiff::domain_error("digits", fmt::format("--epochs {}", value),
                                     "give a number from 1 on");
      }
    }
  }
  return chosen;
}

int run(const options& chosen) {
  const nn::dataset<float> data = load_digits(chosen.data, chosen.quick);
  const auto [train, test] = nn::split(data, data.size() / 5 * 4, nn::seed{split_seed});
  fmt::print("{} images to train, {} to test, split by seed {}\n", train.size(), test.size(),
             split_seed);

  nn::network<float> net(784, {nn::dense(128, nn::relu), nn::dense(10)}, nn::seed{42});
  fmt::print("Network: {}\n\n", nn::to_string(net));
  const std::size_t epochs = chosen.quick ? 2 : chosen.epochs;
  const nn::history history = nn::train(net, train, test,
                                        {.loss = nn::softmax_cross_entropy,
                                         .optimizer = nn::adam{.rate = 1e-3},
                                         .epochs = epochs,
                                         .batch = 64,
                                         .metrics = {nn::accuracy}});

  double seconds = 0;
  fmt::print("epoch   loss     test loss   test accuracy\n");
  for (std::size_t e = 0; e < history.size(); ++e) {
    seconds += history[e].seconds;
    if (e % 2 == 1 || e + 1 == history.size()) {
      fmt::print("{:>5}   {:.4f}   {:.4f}      {:.2f} %\n", e + 1, history[e].loss,
                 *history[e].validation_loss, 100 * history[e].value("validation_accuracy"));
    }
  }
  const nn::confusion_matrix matrix = nn::confusion(net(test.inputs), test.targets);
  fmt::print("\nConfusion on the test images:\n{}\n", nn::to_string(matrix));
  fmt::print("Test accuracy {:.2f} % after {} epochs, {:.1f} s of training ({:.0f} images/s)\n",
             100 * matrix.accuracy(), epochs, seconds,
             static_cast<double>(train.size() * epochs) / seconds);
  draw_picture(chosen.picture, [&](const std::filesystem::path& file) {
    nn::plot_history(file, history, "784-128-10 on handwritten digits");
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const autodiff::error& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 2;
  }
}
