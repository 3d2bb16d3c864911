// What backsweep-train and backsweep-predict refuse, and how.

#include <autodiff/child_process.hpp>
#include <nn/files/save.hpp>
#include <nn/network/network.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>

#include <tests/catch.hpp>
#include <tests/files.hpp>
#include <tests/nn/command_line.hpp>
#include <tests/temporary_folder.hpp>

using namespace std::string_literals;

TEST_CASE("options that are wrong end with status 2 and a word of help") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  const std::string table = write_circle(folder / "circle.csv"), model = folder / "m.safetensors";
  const auto refused = [&](const words& more, const std::string& complaint) {
    words arguments{"--data", table, "--save", model};
    arguments.insert(arguments.end(), more.begin(), more.end());
    check_refusal(run("backsweep-train", arguments), "2", complaint);
    CHECK_FALSE(std::filesystem::exists(model));
  };
  refused({}, "say what to learn: --target COLUMN of a table, or --labels FILE of images");
  refused({"--target", "where", "--labels", "l"}, "say what to learn");
  refused({"--target", "where", "--activation", "relo"}, "relu");
  refused({"--target", "where", "--optimizer", "adan"}, "adan not in {adam");
  refused({"--target", "where", "--layers", "64,x"}, "\"64,x\" is no list of units, as 64,32");
  refused({"--target", "where", "--layers", "0"}, "is no list of units");
  refused({"--target", "where", "--rate", "-1"}, "--rate");
  refused({"--target", "where", "--epochs", "0"}, "--epochs");
  refused({"--target", "where", "--dropout", "1"}, "--dropout");
  refused({"--target", "where", "--shift", "2"}, "--shift moves images");
  refused({"--labels", "l", "--loss", "huber"}, "--loss huber learns a number");
  refused({"--target", "where", "--patience", "3", "--validation", "0"}, "--validation is 0");
  refused({"--target", "where", "--what"}, "--what");
  check_refusal(
      run("backsweep-train", {"--data", table, "--target", "where", "--save", folder / "none/m"}),
      "2", "there is no folder");
  check_refusal(run("backsweep-predict", {"--model", model}), "2", "--data is required");
}

TEST_CASE("every option is told when it is wrong, before anything is read or written") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  const std::string table = write_circle(folder / "circle.csv"), model = folder / "m.safetensors";
  const std::string before = content_of(table);
  const auto refused = [&](const words& more, const std::string& complaint) {
    words arguments{"--data", table, "--target", "where", "--epochs", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    if (more.front() == "--epochs") arguments.erase(arguments.begin() + 4, arguments.begin() + 6);
    if (more.front() != "--save") arguments.insert(arguments.end(), {"--save", model});
    INFO(more.front() << " " << more.back());
    check_refusal(run("backsweep-train", arguments), "2", complaint);
    CHECK(content_of(table) == before);
    CHECK(folder.files() == 1);
  };
  for (const char* count : {"-1", "1.5", "x", "0x10", "18446744073709551616"}) {
    for (const char* option : {"--epochs", "--batch", "--patience", "--seed", "--shift"}) {
      refused({option + "="s + count},
              fmt::format("{}: \"{}\" is no whole number from ", option, count));
    }
  }
  refused({"--epochs", "00"}, "--epochs: \"00\" is no whole number from 1 to");
  refused({"--batch", "0"}, "--batch: \"0\" is no whole number from 1 to");
  for (const char* number : {"nan", "inf", "1e400", "-1", "1,5", "0x1p3"}) {
    for (const auto& [option, what] : {std::pair{"--rate", "positive number"},
                                       {"--l2", "number from 0 on"},
                                       {"--dropout", "number from 0 to 0.99"},
                                       {"--validation", "number from 0 to 0.9"}}) {
      refused({option + "="s + number}, fmt::format("{}: \"{}\" is no {}", option, number, what));
    }
  }
  refused({"--rate", "0"}, "--rate: \"0\" is no positive number");
  for (const char* delimiter : {"", "ab", "\"", "\n"}) {
    refused({"--delimiter="s + delimiter}, "one character that is no quote");
  }
  for (const char* option : {"--save", "--log", "--picture", "--checkpoint"}) {
    refused({option, folder / "none/m.svg"}, option + ": there is no folder"s);
    refused({option, folder.path()},
            option + ": \""s + folder.path().string() + "\" names no file");
    refused({option, (folder / "").string()}, "names no file");
    refused({option, table}, option + ": \""s + table + "\" is the file of --data, too");
    refused({option, folder / "./circle.csv"}, "is the file of --data, too");
  }
  refused({"--log", model}, "--log: \"" + model + "\" is the file of --save, too");
  refused({"--picture", folder / "p.jpeg"}, "--picture: name a file that ends in .svg or .png");
}

TEST_CASE("what cannot be written is told before the training, and leaves nothing") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  const std::string table = write_circle(folder / "circle.csv");
  // A pipe stands for a device, which nobody would want to be replaced by a file.
  const std::string pipe = folder / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const words common{"--data", table, "--target", "where", "--epochs", "1", "--save"};
  words arguments = common;
  arguments.push_back(pipe);
  check_refusal(run("backsweep-train", arguments), "1", "is a device or a pipe; name a file");
  CHECK(std::filesystem::is_fifo(pipe));
  CHECK(folder.files() == 2);

  // A disk that is full: what was printed is lost, and that is no success. The network is kept.
  const std::string model = folder / "m.safetensors", quoted = fmt::format("'{}'", model);
  const auto on_full_disk = [&](const std::string& program, const std::string& options) {
    return autodiff::run_program(
        "test",
        {"sh", "-c", fmt::format("{}/{} {} > /dev/full", BACKSWEEP_PROGRAMS, program, options)}, "",
        "build it");
  };
  const auto trained =
      on_full_disk("backsweep-train",
                   fmt::format("--data '{}' --target where --epochs 1 --save {}", table, quoted));
  CHECK(trained.failure == "exit status 1");
  CHECK_THAT(trained.complaints, Catch::Contains("cannot be written (No space left on device)"));
  REQUIRE(std::filesystem::exists(model));
  const auto told =
      on_full_disk("backsweep-predict", fmt::format("--model {} --data '{}'", quoted, table));
  CHECK(told.failure == "exit status 1");
  CHECK_THAT(told.complaints, Catch::Contains("No space left on device"));
}

TEST_CASE("data that is wrong ends with status 1 and says where") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  const std::string model = folder / "m.safetensors";
  const auto refused = [&](const std::string& table, const words& more,
                           const std::string& complaint) {
    words arguments{"--data", write_file(folder / "t.csv", table), "--save", model};
    arguments.insert(arguments.end(), more.begin(), more.end());
    check_refusal(run("backsweep-train", arguments), "1", complaint);
    CHECK_FALSE(std::filesystem::exists(model));
  };
  refused("a,b\n1,2\n", {"--target", "c"}, "has no column \"c\"; its columns are \"a\", \"b\"");
  refused("a,b\n1,2\n,3\n", {"--target", "b"}, "row 2 (line 3), column \"a\"");
  refused("a,b\n1,x\n2,y\n", {"--target", "b", "--loss", "huber"},
          "has classes in column \"b\", such as \"x\"; leave out --loss huber");
  refused("a,b\n1,2\n", {"--target", "b", "--validation", "0.6"}, "no sample is left to train on");
  refused("a,b\n1,\xff\n2,z\n", {"--target", "b"}, "not UTF-8");
  refused("a,b\n1,x\n2,x\n", {"--target", "b"},
          "has one class in column \"b\", \"x\"; give samples of two classes or more");
  refused("a,b\n\"1,5\",2\n", {"--target", "b"}, "\"1,5\" is a number with a comma");
  refused("", {"--target", "b"}, "is empty");
  refused("a,b\n", {"--target", "b"}, "has no rows");
  refused("a,a\n1,2\n", {"--target", "a"}, "has two columns named \"a\"");
  refused("a,b\n1,2\n3\n", {"--target", "b"}, "line 3: 1 cells in a table of 2 columns");
  refused("a,b\n1,1\n2,3e30\n",
          {"--target", "b", "--validation", "0", "--quiet", "--optimizer", "sgd", "--rate", "1e30"},
          "the loss is");
  check_refusal(
      run("backsweep-train", {"--data", folder / "none", "--target", "b", "--save", model}), "1",
      "none");
}

TEST_CASE("a model that is none, or of other data, is refused by backsweep-predict") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  const std::string table = write_file(folder / "t.csv", "a,b\n1,x\n2,y\n"),
                    file = folder / "m.safetensors";
  const auto refused = [&](const std::string& complaint) {
    check_refusal(run("backsweep-predict", {"--model", file, "--data", table}), "1", complaint);
  };
  refused("m.safetensors");
  nn::network<float> net(1, {nn::dense(2)}, nn::seed{1});
  nn::save(net, file);
  refused("does not say what data it was trained on");
  for (const char* nonsense :
       {"", "{}", "[]", "{\"table\":{}}", "{\"images\":{\"rows\":-1,\"columns\":2,\"classes\":2}}",
        "{\"table\":{\"delimiter\":\"\",\"header\":true,\"inputs\":[],\"target\":{\"name\":\"b\"}}"
        "}",
        "{\"table\":{\"delimiter\":\",\",\"header\":true,\"inputs\":[{\"name\":\"a\",\"offset\":0,"
        "\"spread\":0}],\"target\":{\"name\":\"b\",\"categories\":[\"x\",\"y\"]}}}",
        // Two outputs for three classes.
        "{\"table\":{\"delimiter\":\",\",\"header\":true,\"inputs\":[{\"name\":\"a\",\"offset\":0,"
        "\"spread\":1}],\"target\":{\"name\":\"b\",\"categories\":[\"x\",\"y\",\"z\"]},"
        "\"tells_deviation\":true}}"}) {
    INFO(nonsense);
    nn::save(net, file, {{"data", nonsense}});
    refused("describes its data by what makes no sense");
  }
  nn::save(net, file, {{"data", "{\"images\":{\"rows\":2,\"columns\":2,\"classes\":2}}"}});
  refused("has a network 1 -> 2 for data 4 -> 2");

  run("backsweep-train", {"--data", table, "--target", "b", "--save", file, "--quiet",
                          "--validation", "0", "--epochs", "1"});
  write_file(table, "b\nx\n");
  refused("has no column \"a\"");
  const auto refused_with = [&](const words& more, const std::string& text,
                                const std::string& complaint) {
    words arguments{"--model", file, "--data", write_file(table, text)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    check_refusal(run("backsweep-predict", arguments), "1", complaint);
  };
  refused_with({}, "", "is empty");
  refused_with({}, "a\n1\n\n,\n", "line 4: 2 cells in a table of 1 columns");
  refused_with({}, "a\n1\n1e400\n", "row 2 (line 3), column \"a\": \"1e400\" is no finite number");
  refused_with({"--score"}, "b,a\nz,1\n", "column \"b\": \"z\" is none of its 2 categories");
  refused_with({"--score"}, "a,b\n", "has no samples to score");
  check_refusal(run("backsweep-predict", {"--model", file, "--data", table, "--out", file}), "2",
                "--out: \"" + file + "\" is the file of --model, too");
  refused_with({"--labels", file}, "a\n1\n", "--labels for the model of a table");
  CHECK(run("backsweep-predict", {"--model", file, "--data", write_file(table, "a\n")}).output ==
        "b,probability\n");
}

TEST_CASE("images and labels that do not belong together are refused by the file") {
  if (!programs_are_built()) return;
  const temporary_folder folder;
  const std::string images = write_file(folder / "images",
                                        "\0\0\x8\3\0\0\0\3\0\0\0\1\0\0\0\2"s
                                        "\1\2\3\4\5\6"s),
                    model = folder / "m.safetensors";
  const auto labels = [&](const std::string& values) {
    return write_file(folder / "labels",
                      "\0\0\x8\1\0\0\0"s + static_cast<char>(values.size()) + values)
        .string();
  };
  const auto train = [&](const std::string& data, const std::string& answers) {
    return run("backsweep-train", {"--data", data, "--labels", answers, "--epochs", "1",
                                   "--validation", "0", "--quiet", "--save", model});
  };
  check_refusal(train(images, labels("\0\1"s)), "1", "labels\" has 2 labels for 3 images");
  const std::string none = write_file(folder / "none", "\0\0\x8\3\0\0\0\0\0\0\0\1\0\0\0\2"s);
  check_refusal(train(none, labels("")), "1", "none\" has no images");
  CHECK(train(images, labels("\0\1\0"s)).failure.empty());
  check_refusal(run("backsweep-predict",
                    {"--model", model, "--data", images, "--labels", labels("\0\1\7"s), "--score"}),
                "1", "labels\" has label 7 at place 2, beyond the 2 classes of the model");
  const std::string tall = write_file(folder / "tall", "\0\0\x8\3\0\0\0\1\0\0\0\2\0\0\0\1\1\1"s);
  check_refusal(run("backsweep-predict", {"--model", model, "--data", tall}), "1",
                "has images of 2 x 1 for a model of 1 x 2");
}
