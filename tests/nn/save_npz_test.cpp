#include <nn/files/save_npz.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/shape.hpp>
#include <cstdint>
#include <nn/data/npz.hpp>
#include <nn/data/number_array.hpp>
#include <nn/network/network.hpp>
#include <string>
#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>
#include <vector>

namespace {

nn::network<double> network(std::uint64_t seed) {
  return nn::network<double>(3, {nn::dense(4), nn::batch_norm{}, nn::dense(2)}, nn::seed{seed});
}

std::vector<double> outputs(const nn::network<double>& net) {
  const auto y = net(autodiff::tensor<double>({{1.0, -2.0, 0.5}}));
  return {y.values().begin(), y.values().end()};
}

}  // namespace

TEST_CASE("the weights of a network come back from an .npz file") {
  const temporary_folder folder;
  auto net = network(1), other = network(2);
  nn::save_npz(net, folder / "net.npz");
  CHECK(outputs(other) != outputs(net));
  nn::load_npz(other, folder / "net.npz");
  CHECK(outputs(other) == outputs(net));
  const nn::named_arrays arrays = nn::read_npz(folder / "net.npz");
  CHECK(arrays.at("layers.0.weights").extents == std::vector<std::size_t>{3, 4});
  CHECK(arrays.size() == 8);
}

TEST_CASE("integers of an .npz file fill a network of floats") {
  const temporary_folder folder;
  const std::vector<std::int64_t> weights{1, -2};
  nn::write_npz(folder / "net.npz",
                {{"layers.0.weights", nn::number_array::of<std::int64_t>({2, 1}, weights)}});
  nn::network<float> net(2, {nn::dense(1, nn::identity, nn::bias::without)}, nn::seed{1});
  nn::load_npz(net, folder / "net.npz");
  CHECK(net(autodiff::tensor<float>({10.0F, 1.0F})).item() == 8);
}

TEST_CASE("an .npz file that does not fit the model is refused, and the model stays") {
  const temporary_folder folder;
  auto net = network(1);
  nn::save_npz(net, folder / "net.npz");
  nn::network<double> other(3, {nn::dense(5)}, nn::seed{2});
  const auto before = outputs(other);
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::load_npz(other, folder / "net.npz"); }),
      "load_npz: \"", "does not fit the model: the model lacks its \"layers.1.bias\", ",
      "of another shape are \"layers.0.weights\", [3, 4] instead of [3, 5]"));
  CHECK(outputs(other) == before);
  nn::number_array deep{nn::element_type::uint8, std::vector<std::size_t>(9, 1), {1}};
  nn::write_npz(folder / "deep.npz", {{"layers.0.weights", deep}});
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::load_npz(other, folder / "deep.npz"); }),
      "has an array \"layers.0.weights\" of 9 dimensions, where tensors have 8"));
}
