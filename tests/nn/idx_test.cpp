#include <nn/data/idx.hpp>

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <autodiff/error.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tests/catch.hpp>
#include <tests/nn/mnist.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>
#include <vector>

namespace {

namespace fs = std::filesystem;
using bytes = std::vector<std::uint8_t>;

void write(const fs::path& path, const bytes& content) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
  REQUIRE(file.good());
}

bytes read_back(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_gzip(const fs::path& path, const bytes& content) {
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  REQUIRE(gzwrite(file, content.data(), static_cast<unsigned>(content.size())) ==
          static_cast<int>(content.size()));
  REQUIRE(gzclose(file) == Z_OK);
}

bytes idx(std::uint8_t type, const std::vector<std::uint32_t>& extents, std::size_t values) {
  bytes file{0, 0, type, static_cast<std::uint8_t>(extents.size())};
  for (const std::uint32_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      file.push_back(static_cast<std::uint8_t>(extent >> shift));
    }
  }
  for (std::size_t i = 0; i < values; ++i) {
    file.push_back(static_cast<std::uint8_t>((i * 37 + i / 256) & 0xFF));
  }
  return file;
}

template <class Action>
std::string message(Action&& action) {
  return reference::message<autodiff::io_error>(action);
}

std::string refusal(const fs::path& path) {
  return message([&] { nn::read_idx(path); });
}

std::string refusal_of(const temporary_folder& folder, const bytes& content) {
  write(folder / "file", content);
  return refusal(folder / "file");
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::size_t product(const std::vector<std::size_t>& extents) {
  return std::accumulate(extents.begin(), extents.end(), std::size_t{1}, std::multiplies<>());
}

}  // namespace

TEST_CASE("idx arrays of every small rank come back as they were written, plain and gzip") {
  const temporary_folder folder;
  const std::vector<std::vector<std::uint32_t>> shapes{{7}, {3, 5}, {4, 6, 5}, {2, 3, 4, 5}, {1}};
  for (const auto& shape : shapes) {
    std::size_t count = 1;
    for (const std::uint32_t extent : shape) count *= extent;
    const bytes content = idx(0x08, shape, count);
    write(folder / "plain", content);
    write_gzip(folder / "packed", content);
    for (const char* name : {"plain", "packed"}) {
      const nn::idx_array array = nn::read_idx(folder / name);
      CHECK(array.extents == std::vector<std::size_t>(shape.begin(), shape.end()));
      CHECK(array.values ==
            bytes(content.end() - static_cast<std::ptrdiff_t>(count), content.end()));
    }
  }
}

TEST_CASE("an idx file larger than the first block is read whole") {
  const temporary_folder folder;
  const bytes content = idx(0x08, {5000, 28, 28}, 5000 * 28 * 28);
  write(folder / "plain", content);
  write_gzip(folder / "packed", content);
  for (const char* name : {"plain", "packed"}) {
    const nn::idx_array array = nn::read_idx_images(folder / name);
    CHECK(array.extents == std::vector<std::size_t>{5000, 28, 28});
    REQUIRE(array.values.size() == content.size() - 16);
    CHECK(std::equal(array.values.begin(), array.values.end(), content.begin() + 16));
    CHECK(array.values.capacity() == array.values.size());
  }
}

TEST_CASE("a gzip file of several members is one idx file") {
  const temporary_folder folder;
  const bytes content = idx(0x08, {40}, 40);
  write_gzip(folder / "first", bytes(content.begin(), content.begin() + 20));
  write_gzip(folder / "second", bytes(content.begin() + 20, content.end()));
  bytes both = read_back(folder / "first");
  const bytes second = read_back(folder / "second");
  both.insert(both.end(), second.begin(), second.end());
  write(folder / "both", both);
  CHECK(nn::read_idx_labels(folder / "both").values == bytes(content.begin() + 8, content.end()));
}

TEST_CASE("an extent of zero gives an empty idx array") {
  const temporary_folder folder;
  write(folder / "none", idx(0x08, {0, 28, 28}, 0));
  const nn::idx_array array = nn::read_idx_images(folder / "none");
  CHECK(array.extents == std::vector<std::size_t>{0, 28, 28});
  CHECK(array.values.empty());
  write(folder / "huge", idx(0x08, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0}, 0));
  CHECK(nn::read_idx(folder / "huge").values.empty());
}

TEST_CASE("a missing idx file is named, and so is the one next door") {
  const temporary_folder folder;
  const std::string lost = refusal(folder / "lost");
  CHECK(holds(lost, "read_idx: \"" + (folder / "lost").string() + "\" does not exist"));
  CHECK(holds(lost, "check the path"));
  write(folder / "digits.gz", {});
  CHECK(holds(refusal(folder / "digits"), "did you mean \"" + (folder / "digits.gz").string()));
  write(folder / "letters", {});
  CHECK(holds(refusal(folder / "letters.gz"), "did you mean \"" + (folder / "letters").string()));
}

TEST_CASE("a directory is not an idx file") {
  const temporary_folder folder;
  CHECK(holds(refusal(folder.path()), "is a directory; name the IDX file inside it"));
}

TEST_CASE("an idx file that may not be read gives the system's reason") {
  const temporary_folder folder;
  write(folder / "closed", idx(0x08, {3}, 3));
  fs::permissions(folder / "closed", fs::perms::none);
  if (access((folder / "closed").c_str(), R_OK) == 0) {
    WARN("skipped: this user may read every file");
    return;
  }
  CHECK(holds(refusal(folder / "closed"), "cannot be opened (Permission denied)"));
}

TEST_CASE("a file that is not idx is shown by its first bytes") {
  const temporary_folder folder;
  const std::string html = "<!DOCTYPE html><title>404</title>";
  CHECK(holds(refusal_of(folder, bytes(html.begin(), html.end())),
              "is not an IDX file: it begins with 3c 21 44 4f 43 54 59 50 45 20 68 74 6d 6c 3e 3c "
              "(\"<!DOCTYPE html><\")"));
  CHECK(holds(refusal_of(folder, {0x89, 'P', 'N', 'G'}), "begins with 89 50 4e 47 (\".PNG\")"));
  CHECK(holds(refusal_of(folder, {0, 1, 8, 1, 0}), "begins with 00 01 08 01 00"));
  CHECK(holds(refusal_of(folder, {7}), "begins with 07 (\".\")"));
  CHECK(holds(refusal_of(folder, {0, 0, 0x42, 1, 0, 0}), "begins with 00 00 42 01 00 00"));
  CHECK(holds(refusal_of(folder, {0, 0, 8, 0, 5}), "begins with 00 00 08 00 05"));
  write_gzip(folder / "page.gz", bytes(html.begin(), html.end()));
  CHECK(holds(refusal(folder / "page.gz"), "is not an IDX file: it begins with 3c 21"));
}

TEST_CASE("an empty file is called empty") {
  const temporary_folder folder;
  CHECK(holds(refusal_of(folder, {}), "is empty"));
  write_gzip(folder / "empty.gz", {});
  CHECK(holds(refusal(folder / "empty.gz"), "is empty"));
}

TEST_CASE("idx values of another type than unsigned byte are refused by the type's name") {
  const temporary_folder folder;
  const std::vector<std::pair<std::uint8_t, std::string>> types{
      {0x09, "signed byte (type code 0x09)"},
      {0x0B, "short (type code 0x0B)"},
      {0x0C, "int (type code 0x0C)"},
      {0x0D, "float (type code 0x0D)"},
      {0x0E, "double (type code 0x0E)"}};
  for (const auto& [code, name] : types) {
    CHECK(holds(refusal_of(folder, idx(code, {2}, 16)), "holds values of type " + name));
  }
}

TEST_CASE("swapped image and label paths are noticed") {
  const temporary_folder folder;
  write_gzip(folder / "images", idx(0x08, {2, 3, 4}, 24));
  write_gzip(folder / "labels", idx(0x08, {2}, 2));
  CHECK(message([&] { nn::read_idx_images(folder / "labels"); }) ==
        "read_idx_images: \"" + (folder / "labels").string() +
            "\" holds labels (rank 1, [2]), images (rank 3) were asked for; "
            "did you swap the two paths?");
  CHECK(message([&] { nn::read_idx_labels(folder / "images"); }) ==
        "read_idx_labels: \"" + (folder / "images").string() +
            "\" holds images (rank 3, [2, 3, 4]), labels (rank 1) were asked for; "
            "did you swap the two paths?");
  write(folder / "colour", idx(0x08, {2, 3, 4, 3}, 72));
  CHECK(holds(message([&] { nn::read_idx_images(folder / "colour"); }),
              "holds values of rank 4, [2, 3, 4, 3], images (rank 3) were asked for"));
}

TEST_CASE("a truncated idx file says what was promised and what follows") {
  const temporary_folder folder;
  CHECK(holds(refusal_of(folder, idx(0x08, {10, 28, 28}, 5000)),
              "is truncated: its header [10, 28, 28] promises 7840 bytes of values, 5000 follow"));
  write_gzip(folder / "short.gz", idx(0x08, {10, 28, 28}, 5000));
  CHECK(holds(refusal(folder / "short.gz"), "promises 7840 bytes of values, 5000 follow"));
}

TEST_CASE("an idx file cut inside its header is told from one that is not idx") {
  const temporary_folder folder;
  const bytes whole = idx(0x08, {10, 28, 28}, 0);
  for (std::ptrdiff_t size = 1; size < 4; ++size) {
    CHECK(holds(refusal_of(folder, bytes(whole.begin(), whole.begin() + size)),
                "ends inside its header, after " + std::to_string(size) + " of at least 8 bytes"));
  }
  for (std::ptrdiff_t size = 4; size < 16; ++size) {
    CHECK(holds(refusal_of(folder, bytes(whole.begin(), whole.begin() + size)),
                "ends inside its header, after " + std::to_string(size) + " of 16 bytes (rank 3)"));
  }
}

TEST_CASE("bytes after the values of an idx file are refused") {
  const temporary_folder folder;
  CHECK(holds(refusal_of(folder, idx(0x08, {4}, 7)), "has 3 bytes after the 4"));
  CHECK(holds(refusal_of(folder, idx(0x08, {4}, 9004)), "has at least 4096 bytes after the 4"));
  write_gzip(folder / "long.gz", idx(0x08, {4}, 7));
  CHECK(holds(refusal(folder / "long.gz"), "has 3 bytes after the 4"));
}

TEST_CASE("absurd idx extents are refused without the memory they ask for") {
  const temporary_folder folder;
  CHECK(holds(refusal_of(folder, idx(0x08, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, 100)),
              "claims [4294967295, 4294967295, 4294967295] values, more than any memory holds"));
  // Fits 64 bits; an allocation of it would throw std::bad_alloc or bring the machine down.
  CHECK(holds(refusal_of(folder, idx(0x08, {0xFFFFFFFF, 0xFFFFFFF}, 100)),
              "promises 1152921500043444225 bytes of values, 100 follow"));
  write_gzip(folder / "absurd.gz", idx(0x08, {0xFFFFFFFF, 28, 28}, 100));
  CHECK(holds(refusal(folder / "absurd.gz"), "promises 3367254359280 bytes of values, 100 follow"));
}

TEST_CASE("a gzip file with a wrong checksum or length is damaged") {
  const temporary_folder folder;
  write_gzip(folder / "good.gz", idx(0x08, {10, 28, 28}, 7840));
  const bytes good = read_back(folder / "good.gz");
  for (std::size_t from_end = 1; from_end <= 8; ++from_end) {
    bytes bad = good;
    bad[bad.size() - from_end] ^= 0x10;
    CHECK(holds(refusal_of(folder, bad),
                from_end <= 4 ? "is a damaged gzip file (zlib: incorrect length check)"
                              : "is a damaged gzip file (zlib: incorrect data check)"));
  }
  bytes bad = good;
  bad[3] = 0xFF;
  CHECK(holds(refusal_of(folder, bad), "is a damaged gzip file (zlib: unknown header flags set)"));
}

TEST_CASE("a gzip file cut anywhere is refused") {
  const temporary_folder folder;
  write_gzip(folder / "good.gz", idx(0x08, {20, 28}, 560));
  const bytes good = read_back(folder / "good.gz");
  for (std::size_t size = 2; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(holds(
        refusal_of(folder, bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
        "is a gzip file cut short before the end of its stream"));
  }
}

TEST_CASE("flipped and cut idx files are refused or read as something consistent") {
  const temporary_folder folder;
  const bytes plain = idx(0x08, {6, 5, 4}, 120);
  write_gzip(folder / "packed", plain);
  const bytes packed = read_back(folder / "packed");
  std::mt19937 random(20);
  std::size_t refused = 0;
  std::size_t read = 0;
  for (int round = 0; round < 6000; ++round) {
    bytes file = round % 2 == 0 ? plain : packed;
    const unsigned flips = random() % 4;
    for (unsigned flip = 0; flip < flips; ++flip) {
      // Half of the flips go where it hurts: the header.
      const std::size_t range = random() % 2 == 0 ? std::size_t{18} : file.size();
      file[random() % range] ^= static_cast<std::uint8_t>(1U << (random() % 8));
    }
    if (random() % 3 == 0) file.resize(random() % (file.size() + 1));
    if (random() % 8 == 0) file.push_back(static_cast<std::uint8_t>(random()));
    write(folder / "file", file);
    try {
      const nn::idx_array array = nn::read_idx(folder / "file");
      ++read;
      if (array.values.size() != product(array.extents)) FAIL("inconsistent in round " << round);
      // A checksum leaves no room for a wrong value.
      if (round % 2 == 1 && file[0] == 0x1F && file[1] == 0x8B &&
          !std::equal(array.values.begin(), array.values.end(), plain.begin() + 16, plain.end())) {
        FAIL("a damaged gzip file passed in round " << round);
      }
    } catch (const autodiff::io_error&) {
      ++refused;
    }
  }
  CHECK(refused > 1000);
  CHECK(read > 1000);
}

TEST_CASE("the real MNIST test images and labels are read") {
  const std::optional<fs::path> folder = mnist_folder();
  if (!folder) {
    WARN("skipped: no mnist/t10k-images-idx3-ubyte.gz in $BACKSWEEP_DATA or ../shared/data");
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  const nn::idx_array images = nn::read_idx_images(*folder / "t10k-images-idx3-ubyte.gz");
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  INFO("images read in " << seconds.count() << " s");
  const nn::idx_array labels = nn::read_idx_labels(*folder / "t10k-labels-idx1-ubyte.gz");
  CHECK(images.extents == std::vector<std::size_t>{10000, 28, 28});
  CHECK(labels.extents == std::vector<std::size_t>{10000});
  CHECK(std::vector<int>(labels.values.begin(), labels.values.begin() + 10) ==
        std::vector<int>{7, 2, 1, 0, 4, 1, 4, 9, 5, 9});
  std::array<int, 10> counts{};
  for (const std::uint8_t label : labels.values) ++counts.at(label);
  CHECK(counts == std::array<int, 10>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
  // The published mean of the test images, 0.1325 of full scale.
  const double mean = std::accumulate(images.values.begin(), images.values.end(), 0.0) /
                      (255.0 * static_cast<double>(images.values.size()));
  CHECK(std::abs(mean - 0.1325) < 0.00005);
  CHECK(seconds.count() < 3.0);
}
