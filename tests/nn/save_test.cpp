#include <nn/files/architecture.hpp>
#include <nn/files/save.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <autodiff/error.hpp>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <string>
#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>
#include <vector>

namespace {

using autodiff::tensor;

/// A network of every layer, trained a little, so that running averages are not the first ones.
template <class T>
nn::network<T> varied_network(std::uint64_t seed) {
  nn::network<T> net(autodiff::shape{2, 3},
                     {nn::flatten{}, nn::dense(4, nn::relu), nn::batch_norm{.momentum = 0.3},
                      nn::dropout(0.25), nn::residual({nn::dense(4, nn::tanh), nn::layer_norm{}}),
                      nn::leaky_relu, nn::dense(2, nn::identity, nn::bias::without)},
                     nn::seed{seed});
  reference::random numbers(seed);
  autodiff::generator random(seed);
  const auto values = numbers.uniform<T>(30, -2, 2);
  net(tensor<T>(autodiff::shape{5, 2, 3}, std::span(values)), random);
  return net;
}

template <class T>
std::vector<T> outputs(const nn::network<T>& net) {
  reference::random numbers(7);
  const auto values = numbers.uniform<T>(30, -2, 2);
  const tensor<T> y = net(tensor<T>(autodiff::shape{5, 2, 3}, std::span(values)));
  return {y.values().begin(), y.values().end()};
}

struct line {
  tensor<double> slope{2.0}, offset{0.5};

  tensor<double> operator()(const tensor<double>& x) const { return slope * x + offset; }
  template <class Visitor>
  void parameters(Visitor&& visit) {
    visit(slope);
    visit(offset);
  }
};

template <class Action>
std::string message(Action&& action) {
  return reference::message<autodiff::io_error>(action);
}

void write_with(const std::filesystem::path& path, const std::string& architecture,
                std::vector<nn::named_tensor> tensors = {}) {
  nn::write_safetensors(path, tensors, {{"architecture", architecture}});
}

}  // namespace

TEMPLATE_TEST_CASE("a network comes back from its file alone, to the last bit", "", float, double) {
  const temporary_folder folder;
  const auto net = varied_network<TestType>(3);
  nn::save(net, folder / "net.safetensors", {{"epoch", "12"}});
  const auto again = nn::load_network<TestType>(folder / "net.safetensors");
  CHECK(to_string(again) == to_string(net));
  CHECK(again.input_shape() == net.input_shape());
  CHECK(outputs(again) == outputs(net));
  CHECK(nn::safetensors_file(folder / "net.safetensors").metadata().at("epoch") == "12");
}

TEST_CASE("a network is filled from a file of its architecture, and the texts are returned") {
  const temporary_folder folder;
  const auto net = varied_network<double>(3);
  auto other = varied_network<double>(4);
  CHECK(outputs(other) != outputs(net));
  nn::save(net, folder / "net", {{"epoch", "12"}});
  CHECK(nn::load(other, folder / "net").at("epoch") == "12");
  CHECK(outputs(other) == outputs(net));
}

TEST_CASE("a file of doubles fills a network of floats, rounded") {
  const temporary_folder folder;
  auto net = varied_network<double>(3);
  nn::save(net, folder / "net");
  auto rounded = nn::load_network<float>(folder / "net");
  std::vector<double> wide;
  net.state([&](const std::string&, tensor<double>& t) {
    wide.insert(wide.end(), t.values().begin(), t.values().end());
  });
  std::size_t i = 0, wrong = 0;
  rounded.state([&](const std::string&, tensor<float>& t) {
    for (const float value : t.values()) wrong += value != static_cast<float>(wide[i++]);
  });
  CHECK(i == wide.size());
  CHECK(wrong == 0);
}

TEST_CASE("the tensors of a network's file stand under the names of its state") {
  const temporary_folder folder;
  nn::save(varied_network<float>(1), folder / "net");
  const nn::safetensors_file file(folder / "net");
  std::vector<std::string> names;
  for (const auto& each : file.tensors()) names.push_back(each.name);
  CHECK(names == std::vector<std::string>{"layers.1.weights", "layers.1.bias", "layers.2.gain",
                                          "layers.2.bias", "layers.2.running_mean",
                                          "layers.2.running_variance", "layers.4.layers.0.weights",
                                          "layers.4.layers.0.bias", "layers.4.layers.1.gain",
                                          "layers.4.layers.1.bias", "layers.6.weights"});
  CHECK(file.metadata().at("architecture") ==
        R"({"inputs":[2,3],"layers":[{"layer":"flatten"},)"
        R"({"activation":"relu","layer":"dense","units":4},)"
        R"({"epsilon":1e-05,"layer":"batch_norm","momentum":0.3},)"
        R"({"layer":"dropout","probability":0.25},)"
        R"({"layer":"residual","layers":[{"activation":"tanh","layer":"dense","units":4},)"
        R"({"epsilon":1e-05,"layer":"layer_norm"}]},)"
        R"({"layer":"activation","name":"leaky_relu"},)"
        R"({"activation":"identity","bias":false,"layer":"dense","units":2}]})");
}

TEST_CASE("a struct of one's own is saved and loaded by its parameters") {
  const temporary_folder folder;
  line model;
  model.slope = tensor<double>({7.0});
  nn::save(model, folder / "line");
  line other;
  nn::load(other, folder / "line");
  CHECK(other.slope.item() == 7);
  CHECK(message([&] { nn::load_network<double>(folder / "line"); }) ==
        "load_network: \"" + (folder / "line").string() +
            "\" has no architecture in its metadata; build the network in your program and load() "
            "the file into it");
}

TEST_CASE("everything in which a file differs from the model is listed at once") {
  const temporary_folder folder;
  nn::save(nn::network<float>(3, {nn::dense(4), nn::batch_norm{}}, nn::seed{1}), folder / "net");
  nn::network<float> other(3, {nn::dense(5), nn::dropout(), nn::dense(4)}, nn::seed{2});
  const std::vector<float> before(other.layers()[0].dense().weights.values().begin(),
                                  other.layers()[0].dense().weights.values().end());
  CHECK(
      message([&] { nn::load(other, folder / "net"); }) ==
      "load: \"" + (folder / "net").string() +
          "\" does not fit the model: it lacks \"layers.2.weights\", \"layers.2.bias\"; the model "
          "lacks its \"layers.1.bias\", \"layers.1.gain\", \"layers.1.running_mean\", "
          "\"layers.1.running_variance\"; of another shape are \"layers.0.weights\", [3, 4] "
          "instead of [3, 5], \"layers.0.bias\", [4] instead of [5]; make the model that was "
          "saved");
  CHECK(std::vector<float>(other.layers()[0].dense().weights.values().begin(),
                           other.layers()[0].dense().weights.values().end()) == before);
}

TEST_CASE("long lists of differences are cut") {
  const temporary_folder folder;
  nn::write_safetensors(folder / "none", {});
  const std::vector<nn::layer> many(30, nn::dense(2));
  nn::network<float> deep(2, many, nn::seed{1});
  CHECK(reference::says(message([&] { nn::load(deep, folder / "none"); }),
                        "\"layers.5.weights\", \"layers.5.bias\" and 48 more; make the model"));
}

TEST_CASE("a text of the name \"architecture\" is the network's own") {
  const temporary_folder folder;
  CHECK(reference::says(
      message([&] {
        nn::save(varied_network<float>(1), folder / "net", {{"architecture", "mine"}});
      }),
      "would have two texts \"architecture\"", "give yours another name"));
  CHECK(folder.files() == 0);
}

TEST_CASE("a model that cannot be written leaves the file that was there") {
  const temporary_folder folder;
  const auto net = varied_network<float>(1);
  nn::save(net, folder / "net");
  CHECK_THROWS_AS(nn::save(net, folder / "net", {{"text", "\xFF"}}), autodiff::io_error);
  CHECK(outputs(nn::load_network<float>(folder / "net")) == outputs(net));
  CHECK(folder.files() == 1);
}

TEST_CASE("a writer that is killed leaves the old file or the new one") {
  const temporary_folder folder;
  const auto path = folder / "net";
  const nn::network<double> nets[] = {varied_network<double>(1), varied_network<double>(2)};
  nn::save(nets[0], path);
  reference::random random(5);
  for (int round = 0; round < 20; ++round) {
    const pid_t writer = fork();
    REQUIRE(writer >= 0);
    if (writer == 0) {
      try {
        for (std::size_t i = 0;; ++i) nn::save(nets[i % 2], path);
      } catch (...) {
        _exit(1);
      }
    }
    usleep(static_cast<useconds_t>(random.below(10'000)));
    kill(writer, SIGKILL);
    REQUIRE(waitpid(writer, nullptr, 0) == writer);
    const auto found = outputs(nn::load_network<double>(path));
    CHECK((found == outputs(nets[0]) || found == outputs(nets[1])));
  }
}

TEST_CASE("an architecture that save does not write is refused") {
  const temporary_folder folder;
  const auto refusal = [&](const std::string& text) {
    write_with(folder / "net", text);
    return message([&] { nn::load_network<float>(folder / "net"); });
  };
  const auto layer = [&](const std::string& text) {
    return refusal(R"({"inputs":[3],"layers":[)" + text + "]}");
  };
  CHECK(reference::says(refusal("dense"), "has an architecture in its metadata that is no JSON",
                        "build the network in your program and load() the file into it"));
  CHECK(reference::says(refusal("{}"), "lacks a property \"inputs\""));
  CHECK(reference::says(refusal("3"), "has a text, a number or a list where an object should be"));
  CHECK(
      reference::says(refusal(R"({"inputs":3,"layers":[]})"), "has a \"inputs\" that is no list"));
  CHECK(reference::says(refusal(R"({"inputs":[-3],"layers":[]})"), "that is no whole number"));
  CHECK(reference::says(refusal(R"({"inputs":[3],"layers":[],"x":1})"), "unknown property \"x\""));
  CHECK(reference::says(refusal(R"({"inputs":[4294967296,4294967296],"layers":[]})"),
                        "has \"inputs\" of no possible shape"));
  CHECK(reference::says(layer(""), "makes no network (network: no layers"));
  CHECK(reference::says(layer("7"), "where an object should be"));
  CHECK(reference::says(layer("{}"), "lacks a property \"layer\""));
  CHECK(reference::says(layer(R"({"layer":7})"), "\"layer\" that is no text"));
  CHECK(reference::says(layer(R"({"layer":"lstm"})"), "has the unknown layer \"lstm\""));
  CHECK(
      reference::says(layer(R"({"layer":"dense","units":2})"), "lacks a property \"activation\""));
  CHECK(reference::says(layer(R"({"layer":"dense","units":2.5,"activation":"relu"})"),
                        "\"units\" that is no whole number"));
  CHECK(reference::says(layer(R"({"layer":"dense","units":2,"activation":"swish"})"),
                        "has the unknown activation \"swish\""));
  CHECK(reference::says(layer(R"({"layer":"dense","units":2,"activation":"relu","bias":0})"),
                        "\"bias\" that is no true or false"));
  CHECK(reference::says(layer(R"({"layer":"dropout","probability":null})"), "that is no number"));
  CHECK(reference::says(layer(R"({"layer":"dropout","probability":2})"),
                        "makes no network (dropout"));
  std::string deep;
  for (int i = 0; i < 30'000; ++i) deep += R"({"layer":"residual","layers":[)";
  CHECK(reference::says(layer(deep), "is nested more than 64 deep"));
}

TEST_CASE("an architecture of a million bytes is neither written nor read") {
  const temporary_folder folder;
  const std::vector<nn::layer> many(60000, nn::flatten{});
  nn::network<float> net(3, {nn::flatten{}}, nn::seed{1});
  const nn::named_file file{"test", folder / "net"};
  CHECK(reference::says(reference::message<autodiff::io_error>([&] {
                          nn::architecture_text({{3}, many}, file);
                        }),
                        "would have an architecture of 1200", "where 1048576 are allowed"));
  std::string text = R"({"inputs":[3],"layers":[{"layer":"flatten"})";
  for (int i = 1; i < 60000; ++i) text += R"(,{"layer":"flatten"})";
  nn::save(nn::model_view<float>(net), folder / "net", {{"architecture", text + "]}"}});
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::load_network<float>(folder / "net"); }),
      "net\" has an architecture in its metadata that has 1200", "where 1048576 are allowed"));
}

TEST_CASE("an architecture that is larger than its file is refused without the memory") {
  const temporary_folder folder;
  const auto refusal = [&](const std::string& layers) {
    write_with(folder / "net", R"({"inputs":[1000],"layers":[)" + layers + "]}");
    return message([&] { nn::load_network<float>(folder / "net"); });
  };
  const std::string dense = R"({"layer":"dense","activation":"relu","units":)";
  CHECK(reference::says(refusal(dense + "1000000000000}"),
                        "has 0 numbers for an architecture of 1001000000000000"));
  CHECK(reference::says(refusal(dense + "18446744073709551615}"), "has 0 numbers for"));
  CHECK(reference::says(refusal(R"({"layer":"residual","layers":[)" + dense + "1000}]}"),
                        "has 0 numbers for an architecture of 1001000"));
  CHECK(reference::says(refusal(R"({"layer":"batch_norm","momentum":0.1,"epsilon":1e-5})"),
                        "has 0 numbers for an architecture of 4000"));
}
