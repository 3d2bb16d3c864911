#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <nn/files/safetensors.hpp>
#include <nn/training/checkpoint.hpp>

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;

template <class T>
nn::checkpoint<T> sample() {
  nn::checkpoint<T> state;
  state.settings = {{"seed", "7"}, {"loss", "huber(0.5)"}};
  state.epoch = 2;
  state.batch = 3;
  state.numbers = {{"sums", {0.1, -0.0, std::numeric_limits<double>::denorm_min()}},
                   {"step", {9007199254740991.0}},
                   {"none", {}}};
  state.past = {{.loss = 0.1, .metrics = {{"accuracy", 0.5}}, .rate = 1e-3, .seconds = 2},
                {.loss = 0.3, .metrics = {{"accuracy", 0.7}}, .rate = 1e-4, .seconds = 3}};
  state.tensors = {{"model.w", tensor<T>({{T(1) / 3, T(2)}, {T(-0.0), T(1e-30)}})},
                   {"model.b", tensor<T>({T(5)})},
                   {"optimizer.empty", tensor<T>(autodiff::shape{0, 3})}};
  return state;
}

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void put(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

template <class T = float>
std::string refusal(const std::filesystem::path& file) {
  return reference::message<autodiff::io_error>([&] { nn::read_checkpoint<T>(file); });
}

}  // namespace

TEMPLATE_TEST_CASE("a checkpoint comes back to the bit", "", float, double) {
  using T = TestType;
  const temporary_folder folder;
  const nn::checkpoint<T> written = sample<T>();
  nn::write_checkpoint(folder / "c", written);
  const nn::checkpoint<T> read = nn::read_checkpoint<T>(folder / "c");
  CHECK(read.settings == written.settings);
  CHECK(read.epoch == 2);
  CHECK(read.batch == 3);
  CHECK(read.numbers == written.numbers);
  CHECK(std::signbit(read.numbers.at("sums")[1]));
  REQUIRE(read.past.size() == 2);
  for (std::size_t e = 0; e < 2; ++e) {
    CHECK(read.past[e].names() == written.past[e].names());
    for (const std::string& name : read.past[e].names())
      CHECK(read.past[e].value(name) == written.past[e].value(name));
  }
  nn::require_same_training(folder / "c", read, written);
  for (const auto& [name, t] : written.tensors) {
    const auto values = read.tensors.at(name).values();
    CHECK(std::equal(values.begin(), values.end(), t.values().begin()));
  }
  // The same again: a file is a function of what it holds.
  nn::write_checkpoint(folder / "d", read);
  CHECK(content(folder / "c") == content(folder / "d"));
  CHECK(folder.files() == 2);
}

TEST_CASE("a checkpoint before the first epoch has an empty history") {
  const temporary_folder folder;
  nn::write_checkpoint(folder / "c", nn::checkpoint<double>{});
  const auto read = nn::read_checkpoint<double>(folder / "c");
  CHECK(read.past.empty());
  CHECK(read.tensors.empty());
}

TEST_CASE("a checkpoint with any byte changed or cut off is refused") {
  const temporary_folder folder;
  nn::write_checkpoint(folder / "c", sample<float>());
  const std::string whole = content(folder / "c");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    put(folder / "d", damaged);
    const std::string text = refusal(folder / "d");
    CAPTURE(i, text);
    // A blank of the padding may become another one.
    if (text == "nothing was thrown") CHECK(whole[i] == ' ');
    if (text != "nothing was thrown") CHECK(reference::says(text, "train: \"", "/d\""));
  }
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    put(folder / "d", whole.substr(0, size));
    CHECK(reference::says(refusal(folder / "d"), "train: \""));
  }
}

TEST_CASE("a damaged number is told by the checksum") {
  const temporary_folder folder;
  nn::write_checkpoint(folder / "c", sample<float>());
  std::string text = content(folder / "c");
  text.back() = static_cast<char>(text.back() ^ 1);
  put(folder / "c", text);
  CHECK(reference::says(refusal(folder / "c"), "is damaged: its checksum"));
}

TEST_CASE("a file that is missing or no checkpoint, or of other numbers, is refused") {
  const temporary_folder folder;
  CHECK(reference::says(refusal(folder / "none"), "train: \"", "none\""));
  put(folder / "text", "not a checkpoint at all");
  CHECK(reference::says(refusal(folder / "text"), "no safetensors file"));
  nn::write_checkpoint(folder / "c", sample<float>());
  CHECK(reference::says(refusal<double>(folder / "c"), "other numbers than F64"));
}

TEST_CASE("a history of rows without columns is refused without the memory") {
  const temporary_folder folder;
  nn::metadata texts{
      {"batch", "0"}, {"epoch", "0"}, {"kind", "backsweep checkpoint 2"}, {"type", "F32"}};
  std::string checked;
  for (const auto& [name, text] : texts) checked += fmt::format("{}={}\n", name, text);
  checked += "history [1099511627776, 0]\n";
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
  texts.emplace("checksum", fmt::format("{:08x}", sum));
  const std::vector<nn::named_tensor> tensors{
      {"history", tensor<double>(autodiff::shape{std::size_t{1} << 40, 0})}};
  nn::write_safetensors(folder / "c", tensors, texts);
  CHECK(reference::says(refusal(folder / "c"), "has a tensor \"history\" out of place"));
}

TEST_CASE("a checkpoint of another training is refused with all that differs") {
  const temporary_folder folder;
  const auto found = sample<float>();
  const auto differences = [&](auto&& change) {
    auto expected = sample<float>();
    change(expected);
    return reference::message<autodiff::io_error>(
        [&] { nn::require_same_training(folder / "c", found, expected); });
  };
  CHECK(differences([](auto&) {}) == "nothing was thrown");
  CHECK(reference::says(differences([](auto& c) { c.settings["seed"] = "8"; }),
                        "is the checkpoint of another training: its seed is \"7\", not \"8\";",
                        "or remove it"));
  CHECK(reference::says(differences([](auto& c) { c.settings["measures"] = "loss"; }),
                        "it has no measures"));
  CHECK(reference::says(differences([](auto& c) { c.numbers["sums"].push_back(1); }),
                        "it has other sums"));
  CHECK(reference::says(differences([](auto& c) {
                          c.tensors.at("model.w") = tensor<float>(autodiff::shape{2, 3});
                        }),
                        "its \"model.w\" is [2, 2], not [2, 3]"));
  CHECK(reference::says(differences([](auto& c) {
                          c.tensors.erase("model.w");
                          c.tensors.emplace("model.v", tensor<float>(autodiff::shape{1}));
                        }),
                        "it lacks \"model.v\", it has \"model.w\", too"));
}
