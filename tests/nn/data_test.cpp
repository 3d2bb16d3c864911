#include <tests/catch.hpp>
#include <tests/nn/batches.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <nn/data/data.hpp>
#include <nn/data/npy.hpp>

#include <stdlib.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using bytes = std::vector<std::uint8_t>;

bytes idx(const std::vector<std::uint8_t>& extents, const bytes& values) {
  bytes file{0, 0, 8, static_cast<std::uint8_t>(extents.size())};
  for (const std::uint8_t extent : extents) file.insert(file.end(), {0, 0, 0, extent});
  file.insert(file.end(), values.begin(), values.end());
  return file;
}

fs::path write(const fs::path& path, const bytes& content) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
  return path;
}

fs::path write_gzip(const fs::path& path, const bytes& content) {
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  REQUIRE(gzwrite(file, content.data(), static_cast<unsigned>(content.size())) ==
          static_cast<int>(content.size()));
  REQUIRE(gzclose(file) == Z_OK);
  return path;
}

/// The numbers of the samples, in their order; fails where rows of inputs and targets parted.
std::vector<std::size_t> samples(const nn::dataset<double>& data) {
  std::vector<std::size_t> numbers;
  REQUIRE(data.inputs.shape() == autodiff::shape{data.size(), 2});
  REQUIRE(data.targets.shape() == autodiff::shape{data.size(), 1});
  for (std::size_t i = 0; i < data.size(); ++i) {
    numbers.push_back(static_cast<std::size_t>(data.inputs.value(i, std::size_t{0})));
    if (data.targets.values()[i] != 10 * static_cast<double>(numbers.back())) FAIL("rows parted");
  }
  return numbers;
}

std::vector<std::size_t> up_to(std::size_t n) {
  std::vector<std::size_t> numbers(n);
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  return numbers;
}

std::vector<std::size_t> sorted(std::vector<std::size_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

/// An epoch as one list.
std::vector<std::size_t> order_of(const nn::batches& batches) {
  std::vector<std::size_t> order;
  for (std::size_t b = 0; b < batches.count(); ++b) {
    order.insert(order.end(), batches[b].begin(), batches[b].end());
  }
  return order;
}

template <class Error = autodiff::shape_error, class Function>
std::string refusal(Function&& provoke) {
  return reference::message<Error>(provoke);
}

}  // namespace

TEMPLATE_TEST_CASE("images become rows of grey in [0, 1] and labels one-hot rows", "", float,
                   double) {
  using T = TestType;
  const bytes images{0, 255, 51, 1, 128, 254}, labels{2, 0};
  const auto data = nn::image_dataset<T>(images, labels, 3);
  CHECK(data.size() == 2);
  REQUIRE(data.inputs.shape() == autodiff::shape{2, 3});
  for (std::size_t i = 0; i < 6; ++i) CHECK(data.inputs.values()[i] == T(images[i]) / T(255));
  REQUIRE(data.targets.shape() == autodiff::shape{2, 3});
  CHECK(reference::all_close(data.targets.values(), std::vector<T>{0, 0, 1, 1, 0, 0}, 0));
}

TEST_CASE("images and labels that do not fit each other are refused with their numbers") {
  const auto refused = [](std::size_t pixels, std::size_t labels) {
    return refusal([&] { nn::image_dataset<float>(bytes(pixels), bytes(labels)); });
  };
  CHECK(reference::says(refused(10, 3), "image_dataset", "10 pixels for 3 labels"));
  CHECK(reference::says(refused(10, 0), "10 pixels for 0 labels"));
  CHECK(reference::says(refused(0, 0), "0 pixels for 0 labels"));
  CHECK(reference::says(refused(0, 3), "0 pixels for 3 labels"));
  CHECK(reference::says(refused(2, 3), "2 pixels for 3 labels"));
}

TEST_CASE("a label beyond the classes is refused by its value") {
  CHECK(reference::says(refusal([] {
                          nn::image_dataset<float>(bytes(4), bytes{3, 10});
                        }),
                        "label 10 at position 1 with 10 classes"));
  CHECK(reference::says(refusal([] {
                          nn::image_dataset<float>(bytes(4), bytes{1, 2}, 2);
                        }),
                        "label 2 at position 1 with 2 classes"));
  CHECK(nn::image_dataset<float>(bytes(4), bytes{1, 0}, 2).targets.shape() ==
        autodiff::shape{2, 2});
}

TEST_CASE("a dataset is loaded from idx files, plain and gzip") {
  const temporary_folder folder;
  const bytes pixels{0, 255, 51, 102, 0, 0, 255, 255, 10, 20, 30, 40};
  for (const auto& write_file : {write, write_gzip}) {
    const auto images = write_file(folder / "images", idx({3, 2, 2}, pixels));
    const auto labels = write_file(folder / "labels", idx({3}, {7, 0, 9}));
    const auto data = nn::load_idx<double>(images, labels);
    REQUIRE(data.inputs.shape() == autodiff::shape{3, 4});
    REQUIRE(data.targets.shape() == autodiff::shape{3, 10});
    for (std::size_t i = 0; i < 12; ++i) CHECK(data.inputs.values()[i] == pixels[i] / 255.0);
    CHECK(data.targets.value(0, 7) == 1);
    CHECK(data.targets.value(1, 0) == 1);
    CHECK(data.targets.value(2, 9) == 1);
    CHECK(std::accumulate(data.targets.values().begin(), data.targets.values().end(), 0.0) == 3);
  }
}

TEST_CASE("idx files of unequal count, swapped or missing are refused by name") {
  const temporary_folder folder;
  const auto images = write(folder / "images", idx({3, 2, 2}, bytes(12)));
  const auto labels = write(folder / "labels", idx({2}, {1, 2}));
  CHECK(refusal([&] { nn::load_idx<float>(images, labels); }) ==
        "load_idx: " + images.string() + " holds 3 images and " + labels.string() +
            " holds 2 labels; pass the two files of one set");
  CHECK(reference::says(refusal<autodiff::io_error>([&] { nn::load_idx<float>(labels, images); }),
                        labels.string(), "did you swap the two paths?"));
  CHECK(reference::says(
      refusal<autodiff::io_error>([&] { nn::load_idx<float>(images, folder / "lost"); }), "lost",
      "does not exist"));
  const auto strange = write(folder / "strange", idx({3}, {1, 2, 11}));
  CHECK(reference::says(refusal([&] { nn::load_idx<float>(images, strange); }),
                        "label 11 at position 2 with 10 classes"));
}

TEST_CASE("a split parts the samples without loss or overlap, by its seed") {
  const auto data = numbered_samples(100);
  const auto [first, second] = nn::split(data, 70, nn::seed{3});
  const auto a = samples(first), b = samples(second);
  REQUIRE(a.size() == 70);
  REQUIRE(b.size() == 30);
  std::vector<std::size_t> both = a;
  both.insert(both.end(), b.begin(), b.end());
  CHECK(sorted(both) == up_to(100));
  // Drawn, not cut: whole runs in order would not be a sample of the data.
  CHECK(sorted(a) != up_to(70));

  CHECK(samples(nn::split(data, 70, nn::seed{3}).first) == a);
  CHECK(sorted(samples(nn::split(data, 70, nn::seed{4}).first)) != sorted(a));
}

TEST_CASE("a split takes none or all, and is refused for more than there are") {
  const auto data = numbered_samples(5);
  const auto [none, five] = nn::split(data, 0, nn::seed{1});
  CHECK(none.size() == 0);
  CHECK(sorted(samples(five)) == up_to(5));
  CHECK(nn::split(data, 5, nn::seed{1}).second.size() == 0);
  CHECK(refusal([&] { nn::split(data, 6, nn::seed{1}); }) ==
        "split: 6 samples asked for, 5 there; ask for fewer");
}

TEST_CASE("a split of inputs and targets of unequal count is refused with both shapes") {
  nn::dataset<double> data = numbered_samples(5);
  data.targets = numbered_samples(4).targets;
  CHECK(reference::says(refusal([&] { nn::split(data, 2, nn::seed{1}); }), "[5, 2]", "[4, 1]"));
  data.targets = numbered_samples(6).targets;
  CHECK(reference::says(refusal([&] { nn::split(data, 2, nn::seed{1}); }), "[5, 2]", "[6, 1]"));
}

TEST_CASE("three parts hold every sample once, in rounded shares, by the seed") {
  for (const std::size_t n : {0, 1, 2, 3, 10, 97, 1000}) {
    for (const auto& [validation, test] : std::vector<std::pair<double, double>>{
             {0.1, 0.1}, {0, 0.25}, {0.5, 0.5}, {1, 0}, {0, 0}}) {
      CAPTURE(n, validation, test);
      const auto data = numbered_samples(n);
      const nn::split_parts parts{.validation = validation, .test = test};
      const auto drawn = nn::split(data, parts, nn::seed{3});
      const auto rounded = [&](double share) {
        return static_cast<std::size_t>(std::lround(share * static_cast<double>(n)));
      };
      CHECK(drawn.test.size() == rounded(test));
      CHECK(drawn.validation.size() == std::min(rounded(validation), n - rounded(test)));
      std::vector<std::size_t> all;
      for (const auto& part : {drawn.train, drawn.validation, drawn.test}) {
        const auto numbers = samples(part);
        all.insert(all.end(), numbers.begin(), numbers.end());
      }
      CHECK(sorted(all) == up_to(n));
      CHECK(samples(nn::split(data, parts, nn::seed{3}).train) == samples(drawn.train));
      if (n >= 97 && test == 0.1) {
        CHECK(samples(nn::split(data, parts, nn::seed{4}).test) != samples(drawn.test));
      }
    }
  }
}

TEST_CASE("in stratified parts every class has its share, up to one sample") {
  reference::random random(1);
  for (const bool one_hot : {true, false}) {
    const std::size_t n = 1000, classes = 5;
    std::vector<std::size_t> labels(n), counts(classes, 0);
    for (std::size_t& label : labels) {
      label = std::min(random.below(9), classes - 1);  // the last class is the largest
      ++counts[label];
    }
    nn::dataset<double> data = numbered_samples(n);
    data.targets = autodiff::tensor<double>(autodiff::shape{n, one_hot ? classes : 1});
    for (std::size_t i = 0; i < n; ++i) {
      const auto to = data.targets.mutable_values();
      if (one_hot) {
        to[classes * i + labels[i]] = 1;
      } else {
        to[i] = 3 - 2 * static_cast<double>(labels[i]);
      }
    }
    const nn::split_parts parts{.validation = 0.15, .test = 0.2, .stratified = true};
    const auto drawn = nn::split(data, parts, nn::seed{8});
    CHECK(drawn.test.size() == 200);
    CHECK(drawn.validation.size() == 150);
    for (const auto& [part, share] : {std::pair{drawn.test, 0.2}, {drawn.validation, 0.15}}) {
      std::vector<double> of_class(classes, 0.0);
      for (std::size_t i = 0; i < part.size(); ++i) {
        ++of_class[labels[static_cast<std::size_t>(part.inputs.value(i, 0))]];
      }
      for (std::size_t c = 0; c < classes; ++c) {
        CHECK(std::abs(of_class[c] - share * static_cast<double>(counts[c])) <= 1.5);
      }
    }
  }
}

TEST_CASE("parts that are no fractions, and strata that are no classes, are refused") {
  auto data = numbered_samples(4);
  const auto text = [&](double validation, double test, bool stratified) {
    return refusal<autodiff::domain_error>([&] {
      nn::split(data, {.validation = validation, .test = test, .stratified = stratified},
                nn::seed{1});
    });
  };
  CHECK(reference::says(text(0.6, 0.5, false), "split: parts of 0.6 and 0.5"));
  CHECK(reference::says(text(-0.1, 0.5, false), "parts of -0.1 and 0.5"));
  CHECK(reference::says(text(std::nan(""), 0.5, false), "parts of nan"));
  CHECK(text(0.5, 0.5, true) == "nothing was thrown");
  data.targets.mutable_values()[2] = 0.5;
  CHECK(reference::says(text(0.5, 0.5, true), "the target of sample 2 is 0.5", "stratified"));
}

TEST_CASE("a dataset is loaded from .npy files, with numbers or labels for targets") {
  const temporary_folder folder;
  const auto save = [&](const char* name, const nn::number_array& array) {
    nn::write_npy(folder / name, array);
    return folder / name;
  };
  const auto images = save("x.npy", nn::number_array::of<std::uint8_t>(
                                        autodiff::shape{2, 2, 2}, bytes{1, 2, 3, 4, 5, 6, 7, 8}));
  const auto labels = save("labels.npy", nn::number_array::of<std::int64_t>(
                                             autodiff::shape{2}, std::vector<std::int64_t>{2, 0}));
  const auto data = nn::load_npy<float>(images, labels);
  CHECK(data.inputs.shape() == autodiff::shape{2, 4});
  CHECK(data.inputs.value(1, 0) == 5);
  CHECK(data.targets.shape() == autodiff::shape{2, 1});
  CHECK(data.targets.value(0, 0) == 2);
  const auto classes = nn::load_npy<double>(images, labels, 3);
  CHECK(reference::all_close(classes.targets.values(), std::vector{0, 0, 1, 1, 0, 0}, 0));
  CHECK(reference::says(refusal([&] { nn::load_npy<float>(images, labels, 2); }),
                        "label 2 at position 0 with 2 classes"));
  CHECK(reference::says(refusal([&] { nn::load_npy<float>(images, images, 3); }),
                        "labels [2, 2, 2]"));
  const auto three = save("three.npy", nn::number_array::of(autodiff::tensor<double>{1, -2, 3}));
  nn::number_array endless{nn::element_type::uint8, {std::size_t{1} << 60U, 0}, {}};
  const auto nothing = save("nothing.npy", endless);
  CHECK(reference::says(refusal([&] { nn::load_npy<float>(nothing, nothing); }),
                        "[1152921504606846976, 0]"));
  CHECK(reference::says(refusal([&] { nn::load_npy<float>(images, three); }), "load_npy", "x.npy",
                        "[2, 2, 2]", "three.npy", "[3]"));
  CHECK(reference::says(
      refusal<autodiff::domain_error>([&] { nn::load_npy<float>(three, three, 5); }), "[1] of \"",
      "three.npy\" is -2"));
}

TEST_CASE("an empty dataset has size 0") { CHECK(nn::dataset<float>{}.size() == 0); }

TEST_CASE("batches hold every sample once an epoch, the last one may be shorter") {
  for (const auto& [n, size, count, last] : std::vector<std::array<std::size_t, 4>>{
           {100, 32, 4, 4}, {100, 25, 4, 25}, {100, 1, 100, 1}, {5, 64, 1, 5}, {1, 1, 1, 1}}) {
    CAPTURE(n, size);
    nn::batches batches(n, size, nn::seed{2});
    REQUIRE(batches.count() == count);
    std::set<std::vector<std::size_t>> orders;
    for (std::size_t epoch = 0; epoch < 5; ++epoch) {
      batches.shuffle(epoch);
      for (std::size_t b = 0; b + 1 < count; ++b) CHECK(batches[b].size() == size);
      CHECK(batches[count - 1].size() == last);
      const auto order = order_of(batches);
      CHECK(sorted(order) == up_to(n));
      orders.insert(order);
    }
    if (n >= 100) CHECK(orders.size() == 5);
  }
}

TEST_CASE("batches before the first shuffle are the samples in their order") {
  CHECK(order_of(nn::batches(10, 3, nn::seed{2})) == up_to(10));
}

TEST_CASE("the seed decides the orders of all epochs") {
  nn::batches a(50, 8, nn::seed{6}), b(50, 8, nn::seed{6}), other(50, 8, nn::seed{7});
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    a.shuffle(epoch);
    b.shuffle(epoch);
    other.shuffle(epoch);
    CHECK(order_of(a) == order_of(b));
    CHECK(order_of(a) != order_of(other));
  }
}

TEST_CASE("the order of an epoch does not depend on those drawn before") {
  nn::batches all(50, 8, nn::seed{6}), later(50, 8, nn::seed{6});
  for (std::size_t epoch = 0; epoch < 4; ++epoch) all.shuffle(epoch);
  later.shuffle(3);
  CHECK(order_of(later) == order_of(all));
}

TEST_CASE("a batch size of 0 is refused, no samples make no batches") {
  CHECK(refusal<autodiff::domain_error>([] { nn::batches(10, 0, nn::seed{1}); }) ==
        "batches: a batch size of 0; use at least 1");
  nn::batches none(0, 4, nn::seed{1});
  none.shuffle(0);
  CHECK(none.count() == 0);
}
