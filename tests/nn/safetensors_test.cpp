#include <nn/files/safetensors.hpp>

#include <autodiff/error.hpp>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>
#include <vector>

namespace {

namespace fs = std::filesystem;
using autodiff::tensor;
using namespace std::string_literals;

void write(const fs::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  REQUIRE(file.good());
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file from its parts: the length of the header, unless another one is claimed, then both.
std::string safetensors(const std::string& header, const std::string& numbers) {
  std::string length;
  for (std::size_t i = 0; i < 8; ++i) length += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return length + header + numbers;
}

std::string refusal_of(const std::string& content) {
  const temporary_folder folder;
  write(folder / "file", content);
  return reference::message<autodiff::io_error>([&] { nn::safetensors_file(folder / "file"); });
}

std::string refusal(const std::string& header, std::size_t number_bytes) {
  return refusal_of(safetensors(header, std::string(number_bytes, '\0')));
}

template <class T>
std::vector<T> numbers(const tensor<T>& x) {
  return {x.values().begin(), x.values().end()};
}

}  // namespace

TEST_CASE("a safetensors file is written byte for byte as the specification says") {
  const temporary_folder folder;
  nn::write_safetensors(folder / "model",
                        std::vector<nn::named_tensor>{{"w", tensor<float>({{1.0F, 2.0F}})},
                                                      {"b", tensor<double>({-2.5})}},
                        {{"format", "pt"}});
  const std::string header = R"({"__metadata__":{"format":"pt"},)"
                             R"("b":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
                             R"("w":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}})";
  CHECK(header.size() == 141);
  CHECK(bytes_of(folder / "model") == "\x90\0\0\0\0\0\0\0"s + header + "   " +
                                          "\0\0\0\0\0\0\x04\xC0"s      // -2.5
                                          "\0\0\x80\x3F\0\0\0\x40"s);  // 1, 2
  CHECK(folder.files() == 1);
}

TEST_CASE("the header of a written file is padded so that numbers stand at multiples of eight") {
  const temporary_folder folder;
  for (std::size_t length = 1; length < 10; ++length) {
    const std::vector<nn::named_tensor> tensors{{std::string(length, 'n'), tensor<double>({1.0})}};
    nn::write_safetensors(folder / "model", tensors);
    const std::string bytes = bytes_of(folder / "model");
    CHECK(static_cast<unsigned char>(bytes[0]) % 8 == 0);
    CHECK(bytes.size() % 8 == 0);
    CHECK(numbers(nn::safetensors_file(folder / "model").read<double>(tensors[0].name)) ==
          std::vector{1.0});
  }
}

TEST_CASE("tensors and texts come back from a safetensors file") {
  const temporary_folder folder;
  const nn::metadata texts{{"empty", ""}, {"text", "a \"quoted\" \\ line\nand \u00e9"}};
  reference::random random(1);
  const auto many = random.uniform<float>(100'000, -1, 1);
  nn::write_safetensors(
      folder / "model",
      std::vector<nn::named_tensor>{
          {"scalar", tensor<float>(3.0F)},
          {"", tensor<double>({1.0, std::numeric_limits<double>::infinity()})},
          {"none", tensor<float>(autodiff::shape{2, 0, 3})},
          {"many \u00fc", tensor<float>(autodiff::shape{100, 1000}, std::span(many))}},
      texts);
  const nn::safetensors_file file(folder / "model");
  CHECK(file.metadata() == texts);
  REQUIRE(file.tensors().size() == 4);
  CHECK(file.read<float>("scalar").shape() == autodiff::shape{});
  CHECK(file.read<float>("scalar").item() == 3);
  CHECK(numbers(file.read<double>("")) ==
        std::vector{1.0, std::numeric_limits<double>::infinity()});
  CHECK(file.read<float>("none").shape() == autodiff::shape{2, 0, 3});
  CHECK(file.read<float>("many \u00fc").shape() == autodiff::shape{100, 1000});
  CHECK(numbers(file.read<float>("many \u00fc")) == many);
  CHECK(file.read<double>("many \u00fc").value(3, 4) == double{many[3004]});
  CHECK(file.find("Scalar") == nullptr);
  CHECK(file.find("none")->type->name == "F32");
}

TEST_CASE("a file without tensors is a safetensors file") {
  const temporary_folder folder;
  nn::write_safetensors(folder / "model", {}, {{"epoch", "3"}});
  CHECK(nn::safetensors_file(folder / "model").metadata().at("epoch") == "3");
  write(folder / "bare", safetensors("{}", ""));
  CHECK(nn::safetensors_file(folder / "bare").tensors().empty());
}

TEST_CASE("tensors of a safetensors file may stand in any order, and the header be padded") {
  const temporary_folder folder;
  write(folder / "file",
        safetensors(R"( {"b":{"shape":[2],"data_offsets":[1,3],"dtype":"I8"},)"
                    R"("a":{"data_offsets":[0,1],"dtype":"U8","shape":[]}}   )"s.substr(1),
                    "\xFF\x01\xFE"));
  const nn::safetensors_file file(folder / "file");
  CHECK(file.tensors()[0].name == "a");
  CHECK(file.read<float>("a").item() == 255);
  CHECK(numbers(file.read<float>("b")) == std::vector<float>{1, -2});
}

TEST_CASE("a tensor that a safetensors file lacks is named") {
  const temporary_folder folder;
  write(folder / "file", safetensors("{}", ""));
  const nn::safetensors_file file(folder / "file", "load");
  CHECK(reference::message<autodiff::io_error>([&] { file.read<float>("w"); }) ==
        "load: \"" + (folder / "file").string() +
            "\" has no tensor \"w\"; tensors() lists what it has");
}

TEST_CASE("what cannot be written as safetensors is refused, and the old file stays") {
  const temporary_folder folder;
  write(folder / "model", "old");
  const auto message = [&](const std::string& name, const std::string& other,
                           const nn::metadata& texts = {}) {
    return reference::message<autodiff::io_error>([&] {
      const tensor<float> x({1.0F});
      nn::write_safetensors(folder / "model", std::vector<nn::named_tensor>{{name, x}, {other, x}},
                            texts, "save");
    });
  };
  CHECK(message("w", "w") == "save: \"" + (folder / "model").string() +
                                 "\" cannot be written with another tensor \"w\"; give each a name "
                                 "of its own, and none \"__metadata__\"");
  CHECK(reference::says(message("w", "__metadata__"), "another tensor \"__metadata__\""));
  CHECK(reference::says(message("w", "\xFF"), "with the text \"\\xff\"; names and metadata are"));
  CHECK(reference::says(message("a", "b", {{"k", "\xC0"}}), "names and metadata are UTF-8"));
  CHECK(bytes_of(folder / "model") == "old");
  CHECK(folder.files() == 1);
  CHECK(reference::says(reference::message<autodiff::io_error>(
                            [&] { nn::write_safetensors(folder / "none/model", {}); }),
                        "write_safetensors: ", "cannot be written (No such file or directory)"));
}

TEST_CASE("what is no readable file is told from what is no safetensors file") {
  const temporary_folder folder;
  const auto message = [](const fs::path& path) {
    return reference::message<autodiff::io_error>([&] { nn::safetensors_file file(path, "load"); });
  };
  CHECK(message(folder / "none") ==
        "load: \"" + (folder / "none").string() + "\" does not exist; check the path");
  CHECK(reference::says(message(folder.path()), "is a directory; name a file"));
  CHECK(reference::says(message("/dev/null"), "is a device or a pipe"));
  write(folder / "file", "seven b");
  CHECK(reference::says(message(folder / "file"), "has 7 bytes, too few for a safetensors file"));
}

TEST_CASE("a header that is longer than the file, or than allowed, is refused unread") {
  CHECK(reference::says(refusal_of("\x0F\0\0\0\0\0\0\0{}            "s),
                        "claim a header of 15 bytes, where 14 follow and 100000000 are allowed"));
  CHECK(reference::says(refusal_of(std::string(8, '\xFF') + "{}"),
                        "claim a header of 18446744073709551615 bytes, where 2 follow"));
  CHECK(reference::says(refusal_of("PK\x03\x04\x14\0\0\0\0\0\0\0"s), "is no safetensors file"));
  CHECK(reference::says(refusal("", 0), "it has no header"));
  CHECK(reference::says(refusal("[]", 0), "it has no header"));
  CHECK(reference::says(refusal(" {}", 0), "it has no header"));
}

TEST_CASE("a header of safetensors that is no JSON is refused with the place") {
  CHECK(reference::says(refusal("{", 0), "has a header that is no JSON from its byte 2 on"));
  CHECK(reference::says(refusal("{} {}", 0), "is no JSON from its byte 4"));
  CHECK(reference::says(refusal("{'a':1}", 0), "is no JSON from its byte 2"));
  CHECK(reference::says(refusal("{\"\xFF\":1}", 0), "is no JSON"));
  CHECK(reference::says(refusal("{\"__metadata__\":{\"a\":NaN}}", 0), "is no JSON"));
  CHECK(reference::says(refusal("{}\0 "s, 0), "is no JSON from its byte 3"));
  CHECK(reference::says(refusal_of(safetensors("{\"a\":{\"dtype\":\"F3", "")), "is no JSON"));
}

TEST_CASE("deep nesting in a header is refused at the second bracket") {
  const std::string deep(1'000'000, '[');
  CHECK(reference::says(refusal("{\"a\":" + deep, 0), "has a tensor \"a\" that is no object"));
  CHECK(reference::says(refusal("{\"a\":{\"shape\":" + deep, 0), "\"shape\" that is no list"));
  CHECK(reference::says(refusal("{\"__metadata__\":" + deep, 0), "that is no object"));
}

TEST_CASE("metadata of safetensors are texts, one of a name") {
  CHECK(reference::says(refusal(R"({"__metadata__":1})", 0), "\"__metadata__\" that is no object"));
  CHECK(reference::says(refusal(R"({"__metadata__":{"a":null}})", 0),
                        "metadata \"a\" that is no text"));
  CHECK(reference::says(refusal(R"({"__metadata__":{"a":{}}})", 0), "\"a\" that is no text"));
  CHECK(reference::says(refusal(R"({"__metadata__":{"a":"","a":""}})", 0),
                        "two texts \"a\" in its metadata"));
  CHECK(reference::says(refusal(R"({"__metadata__":{},"__metadata__":{}})", 0),
                        "names \"__metadata__\" twice"));
}

TEST_CASE("a header entry of safetensors says what a tensor is, once and completely") {
  const auto entry = [](const std::string& properties) {
    return refusal(R"({"w":{)" + properties + "}}", 4);
  };
  const std::string type = R"("dtype":"F32",)", shape = R"("shape":[1],)",
                    place = R"("data_offsets":[0,4])";
  CHECK(entry(type + shape + place) == "nothing was thrown");
  CHECK(reference::says(entry(""), "lacks its \"dtype\", its \"shape\" or"));
  CHECK(reference::says(entry(type + place), "lacks"));
  CHECK(reference::says(entry(shape + place), "lacks"));
  CHECK(reference::says(entry(type + R"("shape":[1])"), "lacks"));
  CHECK(reference::says(entry(type + shape + R"("data_offsets":[0])"), "lacks"));
  CHECK(reference::says(entry(type + type + shape + place), "has \"dtype\" twice"));
  CHECK(reference::says(entry(type + shape + shape + place), "has \"shape\" twice"));
  CHECK(reference::says(entry(type + shape + place + ',' + place), "has \"data_offsets\" twice"));
  CHECK(reference::says(entry(R"("strides":[1],)" + type + shape + place),
                        "has the unknown property \"strides\""));
  CHECK(reference::says(entry(R"("dtype":"C64",)" + shape + place),
                        "has numbers of type \"C64\" in \"w\"; write it with one of BOOL U8"));
  CHECK(reference::says(entry(R"("dtype":7,)" + shape + place), "\"dtype\" that is no text"));
  CHECK(reference::says(refusal(R"({"w":[]})", 0), "has a tensor \"w\" that is no object"));
  CHECK(reference::says(refusal(R"({"w":{},"w":{}})", 0), "lacks"));
  CHECK(
      reference::says(refusal(R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{}})", 0),
                      "names \"w\" twice"));
}

TEST_CASE("extents and offsets of safetensors are whole numbers") {
  const auto shape = [](const std::string& text) {
    return refusal(R"({"w":{"dtype":"F32","data_offsets":[0,4],"shape":)" + text + "}}", 4);
  };
  for (const char* wrong : {"[-1]", "[1.0]", "[1e0]", "[\"1\"]", "[null]", "[true]", "[[1]]", "1",
                            "{}", "[18446744073709551616]"}) {
    CAPTURE(wrong);
    CHECK(reference::says(shape(wrong), "\"shape\" that is no list of numbers from 0"));
  }
  CHECK(reference::says(shape("[1,1,1,1,1,1,1,1,1]"), "has more than 8 dimensions"));
  CHECK(shape("[1,1,1,1,1,1,1,1]") == "nothing was thrown");
  const auto offsets = [](const std::string& text) {
    return refusal(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":)" + text + "}}", 4);
  };
  for (const char* wrong : {"[-4,0]", "[0,4.0]", "[0,4,4]", "[0,null]", "4", "[0,[4]]"}) {
    CAPTURE(wrong);
    CHECK(reference::says(offsets(wrong), "\"data_offsets\" that are not two numbers from 0"));
  }
}

TEST_CASE("a shape whose size overflows is refused") {
  const auto shape = [](const std::string& text) {
    return refusal(R"({"w":{"dtype":"F32","data_offsets":[0,4],"shape":)" + text + "}}", 4);
  };
  CHECK(reference::says(shape("[4294967296,4294967296]"),
                        "has the shape [4294967296, 4294967296], more numbers than any memory"));
  CHECK(reference::says(shape("[18446744073709551615]"), "more numbers than any memory"));
  // Times four it is 4, modulo 2^64.
  CHECK(reference::says(shape("[4611686018427387905]"), "more numbers than any memory"));
  CHECK(reference::says(shape("[1000000000000]"), "F32 [1000000000000] takes 4000000000000 bytes"));
  CHECK(reference::says(shape("[0,18446744073709551615]"), "takes 0 bytes"));
}

TEST_CASE("every byte of a safetensors file belongs to exactly one tensor") {
  const auto two = [](const std::string& first, const std::string& second, std::size_t bytes) {
    return refusal(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first +
                       R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}",
                   bytes);
  };
  CHECK(two("[4,8]", "[0,4]", 8) == "nothing was thrown");
  CHECK(reference::says(two("[0,4]", "[2,6]", 6),
                        "has \"b\" at bytes 2 to 6, over the end of the tensor before it, byte 4"));
  CHECK(reference::says(two("[0,4]", "[0,4]", 4), "over the end of the tensor before it"));
  CHECK(reference::says(two("[0,4]", "[5,9]", 9),
                        "has \"b\" at bytes 5 to 9, 1 bytes after the tensor before it"));
  CHECK(reference::says(two("[1,5]", "[5,9]", 9), "\"a\" at bytes 1 to 5, 1 bytes after"));
  CHECK(reference::says(two("[0,4]", "[4,8]", 9), "has 1 bytes after its last tensor"));
  CHECK(reference::says(two("[0,4]", "[4,8]", 7),
                        "has \"b\" at bytes 4 to 8 of 7 bytes of numbers, where no bytes are"));
  CHECK(reference::says(two("[0,4]", "[8,4]", 8), "where no bytes are"));
  CHECK(reference::says(two("[0,5]", "[5,9]", 9),
                        "has \"a\" at bytes 0 to 5, where U8 [4] takes 4 bytes"));
  CHECK(reference::says(two("[0,4]", "[18446744073709551612,18446744073709551615]", 8),
                        "where no bytes are"));
  CHECK(reference::says(refusal("{}", 1), "has 1 bytes after its last tensor"));
}

TEST_CASE("texts of a hostile file are cut and escaped in messages") {
  const std::string text = refusal(R"({"\u001b[31m)" + std::string(1'000'000, 'x') + "\":1}", 0);
  CHECK(text.size() < 500);
  CHECK(reference::says(text, R"("\x1b[31mxxx)"));
}

TEST_CASE("flipped and cut safetensors files are refused or read as something consistent") {
  const temporary_folder folder;
  nn::write_safetensors(folder / "good",
                        std::vector<nn::named_tensor>{{"w", tensor<float>({{1.0F, 2.0F}})},
                                                      {"b", tensor<double>({-2.5})}},
                        {{"format", "pt"}});
  const std::string good = bytes_of(folder / "good");
  reference::random random(3);
  std::size_t refused = 0, read = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string file = good;
    for (std::size_t flips = random.below(4); flips > 0; --flips) {
      file[random.below(file.size())] ^= static_cast<char>(1U << random.below(8));
    }
    if (random.below(4) == 0) file.resize(random.below(file.size() + 1));
    if (random.below(8) == 0) file.push_back(static_cast<char>(random.bits()));
    write(folder / "file", file);
    try {
      const nn::safetensors_file opened(folder / "file");
      std::size_t bytes = 0;
      for (const nn::stored_tensor& each : opened.tensors()) {
        REQUIRE(opened.read<double>(each).shape() == each.shape);
        bytes += each.shape.size() * each.type->bytes;
      }
      REQUIRE(bytes < file.size());
      ++read;
    } catch (const autodiff::io_error&) {
      ++refused;
    }
  }
  CHECK(refused > 1000);
  CHECK(read > 500);
}

TEST_CASE("a safetensors file that shrinks while it is open is noticed") {
  const temporary_folder folder;
  nn::write_safetensors(folder / "file",
                        std::vector<nn::named_tensor>{{"w", tensor<float>({1.0F, 2.0F})}});
  const nn::safetensors_file file(folder / "file");
  fs::resize_file(folder / "file", fs::file_size(folder / "file") - 1);
  CHECK(reference::says(reference::message<autodiff::io_error>([&] { file.read<float>("w"); }),
                        "became shorter while it was read"));
}
