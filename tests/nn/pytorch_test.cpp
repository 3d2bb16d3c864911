#include <nn/files/pytorch.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/view.hpp>
#include <nn/files/safetensors.hpp>
#include <nn/network/network.hpp>
#include <string>
#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>
#include <vector>

namespace {

using autodiff::shape, autodiff::tensor;

template <class Action>
std::string message(Action&& action) {
  return reference::message<autodiff::io_error>(action);
}

tensor<double> some(const shape& s, std::uint64_t seed) {
  const auto values = reference::random(seed).uniform<double>(s.size(), 0.1, 0.9);
  return tensor<double>(s, std::span(values));
}

/// What PyTorch writes for nn.Sequential(Linear(3, 4), BatchNorm1d(4), ReLU(), Dropout(0.2),
/// Linear(4, 2)), under other names where these are given.
std::vector<nn::named_tensor> state_dict(const std::string& first = "0",
                                         const std::string& second = "1",
                                         const std::string& third = "4") {
  return {{first + ".weight", some({4, 3}, 1)},
          {first + ".bias", some({4}, 2)},
          {second + ".weight", some({4}, 3)},
          {second + ".bias", some({4}, 4)},
          {second + ".running_mean", some({4}, 5)},
          {second + ".running_var", some({4}, 6)},
          {second + ".num_batches_tracked", some({}, 7)},
          {third + ".weight", some({2, 4}, 8)},
          {third + ".bias", some({2}, 9)}};
}

nn::network<double> start() {
  return nn::network<double>(
      3, {nn::dense(4), nn::batch_norm{}, nn::relu, nn::dropout(0.2), nn::dense(2)}, nn::seed{1});
}

/// The same by the definitions of the modules.
tensor<double> by_hand(const tensor<double>& x) {
  const auto a = matmul(x, transpose(some({4, 3}, 1))) + some({4}, 2);
  const auto n = (a - some({4}, 5)) / sqrt(some({4}, 6) + 1e-5) * some({4}, 3) + some({4}, 4);
  return matmul(relu(n), transpose(some({2, 4}, 8))) + some({2}, 9);
}

bool same_outputs(const nn::network<double>& net) {
  const tensor<double> x = some({5, 3}, 20);
  return reference::all_close(net(x).values(), by_hand(x).values(), 1e-14);
}

}  // namespace

TEST_CASE("a state_dict of an nn.Sequential fills the network of the same layers") {
  const temporary_folder folder;
  nn::write_safetensors(folder / "torch", state_dict(), {{"format", "pt"}});
  auto net = start();
  CHECK_FALSE(same_outputs(net));
  CHECK(nn::load_pytorch(net, folder / "torch").at("format") == "pt");
  CHECK(same_outputs(net));
}

TEST_CASE("modules of a state_dict are taken in the order of their numbers") {
  const temporary_folder folder;
  nn::write_safetensors(folder / "torch", state_dict("body.2", "body.9", "body.10"));
  auto net = start();
  nn::load_pytorch(net, folder / "torch");
  CHECK(same_outputs(net));
}

TEST_CASE("modules with names of their own are told apart by a map") {
  const temporary_folder folder;
  nn::write_safetensors(folder / "torch", state_dict("input", "norm", "output"));
  auto net = start();
  nn::load_pytorch(net, folder / "torch",
                   {{"layers.0", "input"}, {"layers.1", "norm"}, {"layers.4", "output"}});
  CHECK(same_outputs(net));
  CHECK(message([&] { nn::load_pytorch(net, folder / "torch"); }) ==
        "load_pytorch: \"" + (folder / "torch").string() +
            "\" has modules whose order is not in their names: \"input, norm, output\"; say which "
            "of them fills each of layers.0, layers.1, layers.4");
  CHECK(reference::says(
      message([&] {
        nn::load_pytorch(net, folder / "torch", {{"layers.2", "norm"}});
      }),
      "cannot fill \"layers.2\", which the model has not; name one of layers.0, layers.1, layers"));
}

TEST_CASE("a model whose layers are called as the modules are needs no map") {
  struct perceptron {
    tensor<double> hidden{some({3, 4}, 1)}, hidden_bias{some({4}, 2)};
    tensor<double> operator()(const tensor<double>& x) const {
      return matmul(x, hidden) + hidden_bias;
    }
    void parameters(const std::function<void(tensor<double>&)>& visit) {
      visit(hidden);
      visit(hidden_bias);
    }
    void state(const std::function<void(const std::string&, tensor<double>&)>& visit) {
      visit("fc.weights", hidden);
      visit("fc.bias", hidden_bias);
    }
  };
  const temporary_folder folder;
  nn::write_safetensors(
      folder / "torch",
      std::vector<nn::named_tensor>{
          {"fc.weight",
           tensor<double>({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}, {7.0, 8.0, 9.0}, {0.0, 1.0, 2.0}})},
          {"fc.bias", some({4}, 3)}});
  perceptron model;
  nn::load_pytorch(model, folder / "torch");
  CHECK(model.hidden.value(1, 2) == 8);
  CHECK(model.hidden.shape() == shape{3, 4});
}

TEST_CASE("layer_norm is filled from LayerNorm, of whatever rank") {
  const temporary_folder folder;
  nn::write_safetensors(
      folder / "torch",
      std::vector<nn::named_tensor>{{"0.weight", some({2, 3}, 1)}, {"0.bias", some({2, 3}, 2)}});
  nn::network<float> net(shape{2, 3}, {nn::layer_norm{}}, nn::seed{1});
  nn::load_pytorch(net, folder / "torch");
  const auto& layer = *net.layers()[0].get_if<nn::layer_norm_layer<float>>();
  CHECK(layer.gain.value(1, 2) == static_cast<float>(some({2, 3}, 1).value(1, 2)));
}

TEST_CASE("everything in which a state_dict differs from the network is listed at once") {
  const temporary_folder folder;
  auto tensors = state_dict();
  tensors[1].name = "0.scale";
  tensors[7].values = some({4, 2}, 8);
  tensors.push_back({"7.weight", some({1}, 1)});
  nn::write_safetensors(folder / "torch", tensors);
  auto net = start();
  CHECK(message([&] { nn::load_pytorch(net, folder / "torch"); }) ==
        "load_pytorch: \"" + (folder / "torch").string() +
            "\" does not fit the model: it lacks \"0.bias\" (for layers.0.bias); the model lacks "
            "its \"0.scale\", \"7.weight\"; of another shape are \"4.weight\", [4, 2] instead of "
            "[2, 4]; make the model that was saved");
}

TEST_CASE("fewer modules than layers leave the last layers missing") {
  const temporary_folder folder;
  nn::write_safetensors(
      folder / "torch",
      std::vector<nn::named_tensor>{{"0.weight", some({4, 3}, 1)}, {"0.bias", some({4}, 2)}});
  auto net = start();
  CHECK(reference::says(message([&] { nn::load_pytorch(net, folder / "torch"); }),
                        "it lacks \"layers.1.gain\", \"layers.1.bias\"", "\"layers.4.bias\";"));
}
