// What a graph computes is held to its network by model_files_test.py.

#include <nn/files/export_onnx.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

TEST_CASE("an activation of one's own has no form in ONNX") {
  const temporary_folder folder;
  const nn::activation cube =
      nn::make_activation("cube", nn::init::glorot, [](const auto& a) { return a * a * a; });
  const nn::network<float> net(2, {nn::dense(3, cube)}, nn::seed{1});
  CHECK(reference::message<autodiff::domain_error>(
            [&] { nn::export_onnx(net, folder / "net.onnx"); }) ==
        "export_onnx: the activation \"cube\" has no form in ONNX; export a network with "
        "activations of the library");
  // Nor has one that only bears the name of another.
  const nn::activation tanh =
      nn::make_activation("tanh", nn::init::glorot, [](const auto& a) { return a * a; });
  const nn::network<double> other(2, {nn::dense(3), tanh}, nn::seed{1});
  CHECK_THROWS_AS(nn::export_onnx(other, folder / "net.onnx"), autodiff::domain_error);
  CHECK(folder.files() == 0);
}

TEST_CASE("a graph that cannot be written is refused by the path") {
  const temporary_folder folder;
  const nn::network<float> net(2, {nn::dense(3)}, nn::seed{1});
  CHECK(reference::says(reference::message<autodiff::io_error>(
                            [&] { nn::export_onnx(net, folder / "none/net.onnx"); }),
                        "export_onnx: \"", "cannot be written (No such file or directory)"));
}

TEST_CASE("a graph is written byte for byte as protobuf and the ONNX schema say") {
  using namespace std::string_literals;
  const temporary_folder folder;
  nn::network<float> net(1, {nn::relu}, nn::seed{1});
  nn::export_onnx(net, folder / "net.onnx");
  std::ifstream file(folder / "net.onnx", std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  // A tag is 8 * field + wire type: 2 for what begins with its length, 0 for an integer.
  const auto field = [](int number, const std::string& content) {
    return std::string(1, static_cast<char>(8 * number + 2)) + static_cast<char>(content.size()) +
           content;
  };
  const auto node = [&](const std::string& from, const std::string& to, const std::string& name,
                        const std::string& operation) {
    return field(1, field(1, from) + field(2, to) + field(3, name) + field(4, operation));
  };
  const auto value = [&](int number, const std::string& name) {
    const std::string shape = field(1, field(2, "batch")) + field(1, "\x08\x01");
    return field(number, field(1, name) + field(2, field(1, "\x08\x01" + field(2, shape))));
  };
  const std::string graph = node("x", "Relu_0", "Relu_0", "Relu") +
                            node("Relu_0", "y", "Identity_1", "Identity") + field(2, "network") +
                            value(11, "x") + value(12, "y");
  CHECK(bytes == "\x08\x07"s + field(2, "Backsweep") + field(7, graph) + field(8, "\x10\x0D"));
}
