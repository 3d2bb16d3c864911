// ctest: --quick
// Training with all that it offers, on digits that this program draws: training [--quick]. Files go
// to a folder "training" here. Start it, stop it with Ctrl-C, and start it again: it goes on.

#include <tests/examples/drawn_digits.hpp>

#include <nn/nn.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <exception>
#include <filesystem>
#include <string_view>
#include <vector>

namespace {

int run(bool quick) {
  const std::filesystem::path folder = quick ? "training-quick" : "training";
  std::filesystem::create_directories(folder);
  const drawn_digits drawn = draw_digits(quick ? 1500 : 8000, 1);
  const auto data = nn::image_dataset<float>(drawn.images, drawn.labels);
  const auto [train, validation, test] =
      nn::split(data, {.validation = 0.15, .test = 0.15, .stratified = true}, nn::seed{1});
  nn::network<float> net(784,
                         {nn::dense(128, nn::identity, nn::bias::without), nn::batch_norm(),
                          nn::relu, nn::dropout(0.3), nn::dense(10)},
                         nn::seed{42});

  const nn::rate_curve found =
      nn::rate_range(net, train, {.loss = nn::softmax_cross_entropy, .batch = 50});
  fmt::print("The loss falls fastest at a rate of {:.1e}.\n", found.suggestion);

  std::vector<nn::flow> flows;
  const nn::history history =
      nn::train(net, train, validation,
                {.loss = nn::softmax_cross_entropy,
                 .optimizer = nn::adamw{.rate = 2e-3},
                 .schedule = nn::warm_up{.length = 50, .then = nn::cosine_annealing{}},
                 .epochs = quick ? std::size_t{3} : std::size_t{30},
                 .batch = 50,
                 .seed = nn::seed{7},
                 .clip_norm = 5.0,
                 .metrics = {nn::accuracy},
                 .early_stopping = nn::early_stopping{.patience = 8},
                 .on_epoch =
                     [&](const nn::epoch_end&) {
                       flows.push_back(nn::gradient_flow(net, validation.inputs, validation.targets,
                                                         nn::softmax_cross_entropy));
                     },
                 .csv_log = folder / "epochs.csv",
                 .checkpoint = nn::checkpointing{folder / "checkpoint"}});
  const auto outputs = nn::predict<float>(net, test.inputs);
  fmt::print("{} epochs; accuracy on new digits {:.1f} %\n", history.size(),
             100 * nn::accuracy(outputs, test.targets));
  if (!flows.empty()) fmt::print("{}", nn::to_string(flows.back()));
  // The next start begins anew.
  std::filesystem::remove(folder / "checkpoint");

  try {
    nn::plot_rate_curve(folder / "rates.svg", found);
    nn::plot_history(folder / "curves.svg", history, "drawn digits");
    nn::plot_confusion(folder / "confusion.svg", nn::confusion(outputs, test.targets));
    if (!flows.empty()) nn::plot_gradient_flow(folder / "flow.svg", flows);
  } catch (const autodiff::io_error& e) {
    // The training is worth its numbers without the pictures.
    fmt::print(stderr, "No pictures: {}\n", e.what());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 && std::string_view(argv[1]) == "--quick");
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
}
