// ctest: --quick
// How well a 784-256-128-10 network reads digits, with dropout, and again when every image of the
// training is shifted by up to two pixels, anew in every epoch.
//
//   shifted_digits [--data DIR] [--seeds N] [--quick]
//
// One split of the data; each seed draws its own weights, order and shifts.

#include <tests/examples/digit_files.hpp>
#include <tests/examples/pictured.hpp>

#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace {

constexpr std::uint64_t split_seed = 2026;

struct options {
  std::filesystem::path data;
  std::size_t seeds = 3;
  bool quick = false;
};

options parse(int argc, char** argv) {
  options chosen;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--quick") {
      chosen.quick = true;
    } else if (name == "--data" && !value.empty()) {
      chosen.data = argv[++i];
    } else if (name == "--seeds" &&
               std::from_chars(value.begin(), value.end(), chosen.seeds).ptr == value.end() &&
               chosen.seeds > 0) {
      ++i;
    } else {
      throw autodiff::domain_error("shifted_digits", fmt::format("{} {}", name, value),
                                   "use --data DIR, --seeds N or --quick");
    }
  }
  return chosen;
}

struct experiment {
  const nn::dataset<float>&train, &test;
  std::size_t epochs;

  nn::history run(nn::seed seed, std::size_t most_shift) const {
    nn::network<float> net(784,
                           {nn::dense(256, nn::relu), nn::dropout(0.3), nn::dense(128, nn::relu),
                            nn::dropout(0.3), nn::dense(10)},
                           seed);
    nn::memory_source<float> samples(train, 64, seed);
    nn::shifting_source<float> source(samples, {.rows = 28, .columns = 28, .most = most_shift},
                                      seed);
    return nn::train(net, source, test,
                     {.loss = nn::softmax_cross_entropy,
                      .optimizer = nn::adam{},
                      .epochs = epochs,
                      .seed = seed,
                      .metrics = {nn::accuracy}});
  }
};

nn::curve curve_of(const nn::history& past, std::string_view label) {
  nn::curve c{std::string(label), {}, nn::values_of(past, "validation_accuracy")};
  for (std::size_t e = 0; e < past.size(); ++e) {
    c.x.push_back(static_cast<double>(e + 1));
    c.y[e] *= 100;
  }
  return c;
}

void run(const options& chosen) {
  const nn::dataset<float> data = load_digits(chosen.data, chosen.quick);
  auto [train, test] = nn::split(data, data.size() / 5 * 4, nn::seed{split_seed});
  fmt::print("{} images to train, {} to test, split by seed {}\n\n", train.size(), test.size(),
             split_seed);
  const experiment trial{train, test, chosen.quick ? std::size_t{1} : std::size_t{30}};
  fmt::print("seed   test accuracy   with shifted images\n");
  double plain_sum = 0, shifted_sum = 0;
  std::vector<nn::curve> curves;
  const std::size_t seeds = chosen.quick ? 1 : chosen.seeds;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const nn::history plain = trial.run(nn::seed{seed}, 0), shifted = trial.run(nn::seed{seed}, 2);
    const double on_plain = 100 * plain.back().value("validation_accuracy"),
                 on_shifted = 100 * shifted.back().value("validation_accuracy");
    fmt::print("{:>4}         {:.2f} %               {:.2f} %\n", seed, on_plain, on_shifted);
    plain_sum += on_plain;
    shifted_sum += on_shifted;
    curves.push_back(curve_of(plain, fmt::format("seed {}", seed)));
    curves.push_back(curve_of(shifted, fmt::format("seed {}, shifted", seed)));
  }
  const auto count = static_cast<double>(seeds);
  fmt::print("mean         {:.2f} %               {:.2f} %\n\n", plain_sum / count,
             shifted_sum / count);
  draw_picture("shifted_digits.svg", [&](const std::filesystem::path& file) {
    nn::plot_curves(file,
                    {.title = "784-256-128-10 on handwritten digits, dropout 0.3",
                     .x_label = "epoch",
                     .y_label = "test accuracy, %"},
                    curves);
  });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse(argc, argv));
    return 0;
  } catch (const autodiff::error& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 2;
  }
}
