// What backsweep-train and backsweep-predict do.

#include <autodiff/random.hpp>

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <string>

#include <tests/catch.hpp>
#include <tests/files.hpp>
#include <tests/nn/command_line.hpp>
#include <tests/nn/mnist.hpp>
#include <tests/temporary_folder.hpp>

namespace {

/// Numbers y = 1000 + 50 sin x, give or take 4.
std::filesystem::path write_wave(const std::filesystem::path& file) {
  autodiff::generator random(4);
  std::string text = "x;y\n";
  for (int i = 0; i < 500; ++i) {
    const double x = random.uniform(-3, 3);
    text += fmt::format("{:.5f};{:.5f}\n", x, 1000 + 50 * std::sin(x) + random.uniform(-4, 4));
  }
  return write_file(file, text);
}

}  // namespace

TEST_CASE("a class is learned from a table and told of another one without the target") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  const std::string table = write_circle(folder / "circle.csv"), model = folder / "m.safetensors";
  const finished_process trained =
      run("backsweep-train", {"--data", table, "--target", "where", "--layers", "24,24",
                              "--activation", "tanh", "--rate", "0.02", "--epochs", "40", "--seed",
                              "7", "--save", model, "--log", folder / "log.csv"});
  INFO(trained.complaints);
  REQUIRE(trained.failure.empty());
  CHECK_THAT(trained.output, Catch::Contains("540 samples to train, 60 to validate") &&
                                 Catch::Contains("4 inputs, 2 classes of \"where\"") &&
                                 Catch::Contains("on 60 samples held back: accuracy 9"));
  CHECK(lines_of(content_of(folder / "log.csv")).size() == 41);

  // Columns in another order, one more of them, and a class whose name needs quotes.
  const std::string asked =
      write_file(folder / "asked.csv", "y,note,colour,x\n0,near,red,0\n1.9,far,blue,-190\n");
  const finished_process told =
      run("backsweep-predict", {"--model", model, "--data", asked, "--probabilities"});
  INFO(told.complaints);
  const words lines = lines_of(told.output);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "where,probability,\"p(in, or on)\",p(out)");
  CHECK_THAT(lines[1], Catch::StartsWith("\"in, or on\",0.9"));
  CHECK_THAT(lines[2], Catch::StartsWith("out,"));

  const finished_process scored =
      run("backsweep-predict", {"--model", model, "--data", table, "--score"});
  CHECK_THAT(scored.output, Catch::StartsWith("600 samples: accuracy 9"));
}

TEST_CASE("a number is learned in its own unit, and how uncertain it is") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  const std::string table = write_wave(folder / "wave.csv"), model = folder / "m.safetensors",
                    out = folder / "out.csv";
  const words common{"--data",       table,  "--target",   "y",      "--delimiter", ";",
                     "--rate",       "0.01", "--schedule", "cosine", "--epochs",    "100",
                     "--activation", "tanh", "--save",     model};
  const std::string loss = GENERATE("auto", "gaussian_nll");
  words arguments = common;
  arguments.insert(arguments.end(), {"--loss", loss});
  const finished_process trained = run("backsweep-train", arguments);
  INFO(trained.complaints);
  REQUIRE(trained.failure.empty());
  CHECK_THAT(trained.output, Catch::Contains("R2 0.9"));

  const std::string asked = write_file(folder / "asked.csv", "x\n1.5707963\n0\n");
  // Without the delimiter of the training there is only one column, which is no matter here.
  const finished_process told =
      run("backsweep-predict", {"--model", model, "--data", asked, "--out", out});
  INFO(told.complaints);
  CHECK(told.output.empty());
  const words lines = lines_of(content_of(out));
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == (loss == "auto" ? "y" : "y,deviation"));
  CHECK(std::stod(lines[1]) == Approx(1050).margin(5));
  CHECK(std::stod(lines[2]) == Approx(1000).margin(5));
}

TEST_CASE("the same seed gives the same file, another seed another one") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  const std::string table = write_circle(folder / "circle.csv");
  const auto model_of = [&](const std::string& seed) {
    const std::string file = folder / "m.safetensors";
    run("backsweep-train", {"--data", table, "--target", "where", "--epochs", "2", "--dropout",
                            "0.2", "--batch-norm", "--seed", seed, "--save", file, "--quiet"});
    return content_of(file);
  };
  const std::string first = model_of("1");
  CHECK_FALSE(first.empty());
  CHECK(model_of("1") == first);
  CHECK(model_of("2") != first);
}

TEST_CASE("a training with a checkpoint goes on where it stopped") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  const std::string table = write_circle(folder / "circle.csv"), checkpoint = folder / "checkpoint";
  const auto train = [&](const std::string& epochs, const std::string& to, bool keeps) {
    words arguments{"--data", table,    "--target",  "where",  "--epochs",
                    epochs,   "--save", folder / to, "--quiet"};
    if (keeps) arguments.insert(arguments.end(), {"--checkpoint", checkpoint});
    CHECK(run("backsweep-train", arguments).failure.empty());
    return content_of(folder / to);
  };
  train("2", "begun", true);
  CHECK(train("5", "resumed", true) == train("5", "whole", false));
}

TEST_CASE("a last batch of one sample does not end a training with --batch-norm") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  // 450 to train: 449 and one.
  const finished_process trained =
      run("backsweep-train", {"--data", write_wave(folder / "wave.csv"), "--target", "y",
                              "--layers", "4", "--batch-norm", "--delimiter", ";", "--batch", "449",
                              "--epochs", "2", "--save", folder / "m.safetensors"});
  INFO(trained.complaints);
  CHECK(trained.failure.empty());
  CHECK_THAT(trained.output, Catch::Contains("2 epochs of 1 batches"));
}

TEST_CASE("a training that is interrupted leaves its checkpoint, and nothing half written") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  const std::string table = write_circle(folder / "circle.csv"), checkpoint = folder / "checkpoint",
                    model = folder / "m.safetensors";
  const std::string options = fmt::format(
      "--data '{}' --target where --quiet --checkpoint '{}' --save '{}'", table, checkpoint, model);
  const auto train = [&](const std::string& script) {
    return autodiff::run_program(
        "test", {"sh", "-c", fmt::format(fmt::runtime(script), BACKSWEEP_PROGRAMS, options)}, "",
        "build it");
  };
  check_refusal(train("{}/backsweep-train {} --epochs 900000 & p=$!\n"
                      "until test -e '" +
                      checkpoint + "'; do sleep 0.01; done; kill -TERM $p; wait $p"),
                "1", "training: interrupted in epoch ");
  CHECK(folder.files() == 2);
  CHECK(train("{}/backsweep-train {} --epochs 1").failure.empty());
  CHECK(folder.files() == 3);
}

TEST_CASE("digits are learned from IDX files") {
  if (!programs_are_built()) return;
  const auto mnist = mnist_folder();
  if (!mnist) {
    WARN("skipped: no MNIST files; BACKSWEEP_DATA names a folder that has mnist/");
    return;
  }
  const temporary_folder folder;
  const std::string images = *mnist / "t10k-images-idx3-ubyte.gz",
                    labels = *mnist / "t10k-labels-idx1-ubyte.gz", model = folder / "m.safetensors";
  const finished_process trained =
      run("backsweep-train", {"--data", images, "--labels", labels, "--layers", "32", "--epochs",
                              "3", "--shift", "1", "--save", model});
  INFO(trained.complaints);
  CHECK_THAT(trained.output, Catch::Contains("784 inputs, 10 classes of \"label\"") &&
                                 Catch::Contains("accuracy 9"));
  const finished_process scored =
      run("backsweep-predict", {"--model", model, "--data", images, "--labels", labels, "--score"});
  CHECK_THAT(scored.output, Catch::StartsWith("10000 samples: accuracy 9"));
  const finished_process told = run("backsweep-predict", {"--model", model, "--data", images});
  CHECK(lines_of(told.output).size() == 10001);
  check_refusal(run("backsweep-predict", {"--model", model, "--data", images, "--score"}), "1",
                "--score without right answers");
}

TEST_CASE("--help tells every option and how to begin") {
  if (!programs_are_built()) return;
  const finished_process help = run("backsweep-train", {"--help"});
  CHECK(help.failure.empty());
  for (const char* expected : {"--data", "--target", "--layers", "--patience", "--save",
                               "Examples:", "Exit status", "64,32"}) {
    CHECK_THAT(help.output, Catch::Contains(expected));
  }
  for (const std::string& line : lines_of(help.output)) {
    INFO(line);
    CHECK(line.size() <= 100);
  }
}
