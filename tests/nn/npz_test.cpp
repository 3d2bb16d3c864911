#include <tests/catch.hpp>
#include <tests/files.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <nn/data/npz.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::string_literals;

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// What NumPy 1.24's savez_compressed wrote of a = array([1.5, -2.0], '<f4'), b = array(7, 'u1').
const std::string deflated = from_hex(
    "504b030414000000080000002100d6434b054b0000008800000005001400612e6e70790100100088000000000000"
    "004b000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a2aea3a09e965f54529498179f"
    "5f94920a12774bcc294e058a17672416a402f91a463a9a3a0ab50a14002e068603f60c400200504b030414000000"
    "080000002100760e1389430000008100000005001400622e6e707901001000810000000000000043000000000000"
    "009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a05e536aa8aea3a09e965f54529498179f5f94920a12774bcc"
    "294e058a17672416a402f91a9a3a0ab50a14012e7600504b0102140314000000080000002100d6434b054b000000"
    "88000000050000000000000000000000800100000000612e6e7079504b0102140314000000080000002100760e13"
    "894300000081000000050000000000000000000000800182000000622e6e7079504b0506000000000200020066000"
    "000fc0000000000");

nn::named_arrays two_arrays() {
  return {{"layers.0.weights", nn::number_array::of(autodiff::tensor<float>{{1, 2}, {3, 4}})},
          {"steps",
           nn::number_array::of<std::int64_t>(autodiff::shape{}, std::vector<std::int64_t>{1})}};
}

std::string refusal(std::string_view content) {
  const temporary_folder folder;
  return reference::message<autodiff::io_error>(
      [&] { nn::read_npz(write_file(folder / "a.npz", content)); });
}

/// Whether this build has no libzip; then there is nothing to test but its refusal.
bool lacks_libzip() {
  const temporary_folder folder;
  const std::string text =
      reference::message<autodiff::io_error>([&] { nn::write_npz(folder / "x.npz", {}); });
  if (!reference::says(text, "this build has no libzip", "libzip-dev")) return false;
  WARN("skipped: " << text);
  return true;
}

}  // namespace

TEST_CASE("an archive that NumPy saved is read") {
  if (lacks_libzip()) return;
  const temporary_folder folder;
  const auto arrays = nn::read_npz(write_file(folder / "a.npz", deflated));
  REQUIRE(arrays.size() == 2);
  CHECK(arrays.at("a").type == nn::element_type::float32);
  CHECK(arrays.at("a").values<float>() == std::vector{1.5F, -2.0F});
  CHECK(arrays.at("b").extents.empty());
  CHECK(arrays.at("b").values<int>() == std::vector{7});
}

TEST_CASE("an archive is read as it was written, stored and deflated") {
  if (lacks_libzip()) return;
  const temporary_folder folder;
  for (const auto how : {nn::npz_entries::stored, nn::npz_entries::deflated}) {
    nn::write_npz(folder / "x.npz", two_arrays(), how);
    const auto back = nn::read_npz(folder / "x.npz");
    REQUIRE(back.size() == 2);
    CHECK(back.at("layers.0.weights").extents == std::vector<std::size_t>{2, 2});
    CHECK(back.at("layers.0.weights").values<int>() == std::vector{1, 2, 3, 4});
    CHECK(back.at("steps").type == nn::element_type::int64);
    CHECK(folder.files() == 1);
  }
}

TEST_CASE("the same arrays give the same bytes, deflated ones are fewer") {
  if (lacks_libzip()) return;
  const temporary_folder folder;
  const nn::named_arrays zeros{
      {"x", nn::number_array::of(autodiff::tensor<double>(autodiff::shape{100, 100}))}};
  const auto bytes = [&](nn::npz_entries how) {
    nn::write_npz(folder / "x.npz", zeros, how);
    return content_of(folder / "x.npz");
  };
  CHECK(bytes(nn::npz_entries::stored) == bytes(nn::npz_entries::stored));
  CHECK(bytes(nn::npz_entries::stored).size() > 80000);
  CHECK(bytes(nn::npz_entries::deflated).size() < 1000);
}

TEST_CASE("an archive of no arrays is one") {
  if (lacks_libzip()) return;
  const temporary_folder folder;
  nn::write_npz(folder / "x.npz", {});
  CHECK(nn::read_npz(folder / "x.npz").empty());
}

TEST_CASE("what is no archive, or a damaged one, is refused by name") {
  if (lacks_libzip()) return;
  CHECK(reference::says(refusal(""), "read_npz", "a.npz", "no zip archive"));
  CHECK(reference::says(refusal("\x93NUMPY and so on"), "no zip archive", "numpy.savez"));
  CHECK(reference::says(refusal(deflated.substr(0, 200)), "a.npz"));
  CHECK(reference::says(refusal(deflated.substr(deflated.size() - 150)), "a.npz"));
  std::string flipped = deflated;
  flipped[100] ^= 1;  // within the deflated bytes of a
  CHECK(reference::says(refusal(flipped), "a.npz: a.npy", "fetch or copy it again"));
  const temporary_folder folder;
  const auto text = [&](const char* name) {
    return reference::message<autodiff::io_error>([&] { nn::read_npz(folder / name); });
  };
  CHECK(reference::says(text("lost.npz"), "lost.npz", "does not exist"));
  CHECK(reference::says(text(""), "is a directory"));
}

TEST_CASE("an entry that is no array, and a name that stands twice, are refused by name") {
  if (lacks_libzip()) return;
  std::string renamed = deflated;
  for (std::size_t at = renamed.find("b.npy"); at != std::string::npos;
       at = renamed.find("b.npy", at)) {
    renamed.replace(at, 5, "b.txt");
  }
  CHECK(reference::says(refusal(renamed), "\"b.txt\", which is no .npy"));
  std::string twice = deflated;
  for (std::size_t at = twice.find("b.npy"); at != std::string::npos; at = twice.find("b.npy")) {
    twice.replace(at, 5, "a.npy");
  }
  CHECK(reference::says(refusal(twice), "two arrays named \"a\""));
}

TEST_CASE("entries that share their bytes are refused before any of them is unpacked") {
  if (lacks_libzip()) return;
  // 28 entries in the directory at the end, all of the one that is there.
  const std::size_t at = deflated.find("PK\1\2"), second = deflated.find("PK\1\2", at + 1);
  const std::string entry = deflated.substr(at, second - at);
  std::string many = deflated.substr(0, at), directory;
  for (char name = 'a'; name <= 'z'; ++name) {
    directory += entry;
    directory[directory.find("a.npy", directory.size() - entry.size())] = name;
  }
  directory += entry + entry;
  many += directory + "PK\5\6\0\0\0\0\x1c\0\x1c\0"s;
  for (std::size_t number : {directory.size(), at}) {
    for (int i = 0; i < 4; ++i, number >>= 8) many += static_cast<char>(number & 0xFF);
  }
  many += "\0\0"s;
  CHECK(reference::says(refusal(many), "read_npz", "has entries of more bytes than the file"));
}

TEST_CASE("a name that an archive cannot keep is refused") {
  if (lacks_libzip()) return;
  const temporary_folder folder;
  const auto array = nn::number_array::of(autodiff::tensor<float>{1});
  for (const std::string& name : {"a\0b"s, "\xff"s, std::string(65532, 'a')}) {
    CHECK(reference::says(reference::message<autodiff::io_error>([&] {
                            nn::write_npz(folder / "x.npz", {{name, array}});
                          }),
                          "write_npz", "x.npz\" cannot have an entry \"", "names are UTF-8 text"));
  }
  CHECK(folder.files() == 0);
  const std::string longest(65531, 'a');
  nn::write_npz(folder / "x.npz", {{longest, array}, {"../\u00fc", array}});
  const nn::named_arrays read = nn::read_npz(folder / "x.npz");
  CHECK(read.size() == 2);
  CHECK(read.contains(longest));
  CHECK(read.contains("../\u00fc"));
}

TEST_CASE("an archive that cannot be written leaves nothing behind") {
  if (lacks_libzip()) return;
  const temporary_folder folder;
  CHECK(reference::says(reference::message<autodiff::io_error>(
                            [&] { nn::write_npz(folder / "no/x.npz", two_arrays()); }),
                        "write_npz", "x.npz"));
  nn::named_arrays wrong = two_arrays();
  wrong.begin()->second.extents = {3};
  CHECK(reference::says(
      reference::message<autodiff::shape_error>([&] { nn::write_npz(folder / "x.npz", wrong); }),
      "write_npz", "[3]"));
  CHECK(folder.files() == 0);
}
