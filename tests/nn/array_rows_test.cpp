#include <tests/catch.hpp>
#include <tests/files.hpp>
#include <tests/nn/mnist.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <nn/data/array_rows.hpp>
#include <nn/data/data.hpp>
#include <nn/data/npy.hpp>
#include <nn/data/streaming.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace std::string_literals;
namespace fs = std::filesystem;

/// Two images of 1 x 2 and their labels.
const std::string two_images = "\0\0\x8\3\0\0\0\2\0\0\0\1\0\0\0\2\0\xff\x33\x66"s;
const std::string two_labels = "\0\0\x8\1\0\0\0\2\2\0"s;

template <class T>
bool same_rows(nn::row_stream<T>& rows, const nn::dataset<T>& data) {
  std::vector<T> x(rows.features()), t(rows.outputs());
  std::size_t n = 0;
  for (; rows.next(x, t); ++n) {
    if (n == data.size()) return false;
    const auto expected_x = data.inputs.values().subspan(n * x.size(), x.size());
    const auto expected_t = data.targets.values().subspan(n * t.size(), t.size());
    if (!reference::all_close(x, expected_x, 0) || !reference::all_close(t, expected_t, 0)) {
      return false;
    }
  }
  return n == data.size();
}

template <class Error = autodiff::io_error>
std::string idx_refusal(const std::string& images, const std::string& labels) {
  const temporary_folder folder;
  write_file(folder / "images", images);
  write_file(folder / "labels", labels);
  return reference::message<Error>([&] {
    nn::idx_rows<float> rows(folder / "images", folder / "labels", 3);
    std::vector<float> x(rows.features()), t(rows.outputs());
    while (rows.next(x, t)) {
    }
  });
}

}  // namespace

TEMPLATE_TEST_CASE("rows of IDX files are those of the dataset, again after a rewind", "", float,
                   double) {
  const temporary_folder folder;
  const auto images = write_file(folder / "images", two_images);
  const auto labels = write_file(folder / "labels", two_labels);
  nn::idx_rows<TestType> rows(images, labels, 3);
  CHECK(rows.samples() == 2);
  CHECK(rows.features() == 2);
  CHECK(rows.outputs() == 3);
  const auto data = nn::load_idx<TestType>(images, labels, 3);
  CHECK(same_rows<TestType>(rows, data));
  rows.rewind();
  CHECK(same_rows<TestType>(rows, data));
}

TEST_CASE("rows of .npy files are those of the dataset, with numbers or labels for targets") {
  const temporary_folder folder;
  const auto save = [&](const char* name, const nn::number_array& array) {
    nn::write_npy(folder / name, array);
    return folder / name;
  };
  const auto inputs = save(
      "x.npy", nn::number_array::of(autodiff::tensor<double>{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}));
  const auto targets = save("t.npy", nn::number_array::of(autodiff::tensor<float>{2, 0}));
  for (const std::size_t classes : {0, 3}) {
    nn::npy_rows<double> rows(inputs, targets, classes);
    CHECK(rows.features() == 4);
    CHECK(rows.outputs() == (classes == 0 ? 1 : 3));
    const auto data = nn::load_npy<double>(inputs, targets, classes);
    CHECK(same_rows<double>(rows, data));
    rows.rewind();
    CHECK(same_rows<double>(rows, data));
  }
  std::string swapped =
      "\x93NUMPY\1\0\x76\0{'descr': '>i2', 'fortran_order': False, 'shape': (2,)}"s;
  swapped += std::string(10 + 0x76 - swapped.size(), ' ') + "\1\0\0\2"s;
  nn::npy_rows<double> rows(write_file(folder / "big.npy", swapped), targets);
  std::vector<double> x(1), t(1);
  REQUIRE(rows.next(x, t));
  CHECK(x[0] == 256);
  REQUIRE(rows.next(x, t));
  CHECK(x[0] == 2);

  const auto wide = save("wide.npy", nn::number_array::of(autodiff::tensor<double>{1, 1e300}));
  nn::npy_rows<float> narrow(wide, targets);
  std::vector<float> narrow_x(1), narrow_t(1);
  REQUIRE(narrow.next(narrow_x, narrow_t));
  CHECK(reference::says(
      reference::message<autodiff::domain_error>([&] { narrow.next(narrow_x, narrow_t); }),
      "wide.npy\", row 2 is 1e+300, which is no float32"));

  std::string fortran = swapped;
  fortran.replace(fortran.find("False, 'shape': (2,)"), 20, "True,'shape':(2,1,1)");
  CHECK(reference::says(reference::message<autodiff::io_error>([&] {
                          nn::npy_rows<double>(write_file(folder / "fortran.npy", fortran),
                                               targets);
                        }),
                        "npy_rows", "[2, 1, 1] in Fortran order", "ascontiguousarray"));
}

TEST_CASE("what files of rows promise is verified before the first row") {
  CHECK(idx_refusal(two_images, two_labels) == "nothing was thrown");
  CHECK(reference::says(idx_refusal(two_images.substr(0, 18), two_labels), "idx_rows", "images",
                        "[2, 1, 2] promises 4 bytes of values, 2 follow"));
  CHECK(reference::says(idx_refusal(two_images, two_labels + "x"), "labels", "has 1 bytes after"));
  CHECK(reference::says(
      idx_refusal("\0\0\x8\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s, two_labels),
      "more than any memory holds"));
  // No images, and so none of that size.
  const temporary_folder folder;
  nn::idx_rows<float> none(
      write_file(folder / "images", "\0\0\x8\3\0\0\0\0\x7f\xff\xff\xff\x7f\xff\xff\xff"s),
      write_file(folder / "labels", "\0\0\x8\1\0\0\0\0"s));
  CHECK(none.samples() == 0);
  CHECK(reference::says(idx_refusal("\0\0\x8\3\0\0\0\2\0\0\0\0\0\0\0\1"s, two_labels),
                        "[2, 0, 1], rows with nothing in them"));
  CHECK(reference::says(idx_refusal("\0\0\x8\3\0\0\0\2\xff\xff\xff\xff\0\0\0\1"s, two_labels),
                        "is truncated"));
  CHECK(reference::says(idx_refusal<autodiff::shape_error>(two_images, "\0\0\x8\1\0\0\0\1\2"s),
                        "idx_rows", "[2, 1, 2]", "[1]"));
  CHECK(reference::says(idx_refusal<autodiff::shape_error>(two_images, "\0\0\x8\1\0\0\0\2\2\3"s),
                        "label 3 of sample 1", "with 3 classes"));
}

TEST_CASE("a file that is gone or replaced is refused at the next rewind, and has no rows then") {
  const temporary_folder folder;
  const auto put = [&](const autodiff::tensor<double>& x) {
    nn::write_npy(folder / "x.npy", nn::number_array::of(x));
  };
  const autodiff::tensor<double> first{{1, 2}, {3, 4}, {5, 6}};
  put(first);
  nn::npy_rows<double> rows(folder / "x.npy", folder / "x.npy");
  std::vector<double> x(2), t(2);
  const auto refused = [&](const std::string& complaint) {
    CHECK(reference::says(reference::message<autodiff::io_error>([&] { rows.rewind(); }),
                          "npy_rows: ", "x.npy\" " + complaint));
    CHECK_FALSE(rows.next(x, t));
  };
  put(autodiff::tensor<double>(3.0));
  refused("holds float64 [] now, where it held float64 [3, 2]; do not change it");
  put(autodiff::tensor<double>(autodiff::shape{3, 9}));
  refused("holds float64 [3, 9] now");
  nn::write_npy(folder / "x.npy", nn::number_array::of(autodiff::tensor<float>{{1, 2}, {3, 4}}));
  refused("holds float32 [2, 2] now");
  fs::remove(folder / "x.npy");
  refused("does not exist");
  put(first);
  rows.rewind();
  REQUIRE(rows.next(x, t));
  CHECK(x == std::vector<double>{1, 2});
}

TEST_CASE("the digits stream as they are read at once") {
  const auto folder = mnist_folder();
  if (!folder) {
    WARN("skipped: no MNIST files");
    return;
  }
  const fs::path images = *folder / "t10k-images-idx3-ubyte.gz",
                 labels = *folder / "t10k-labels-idx1-ubyte.gz";
  nn::idx_rows<float> rows(images, labels);
  CHECK(same_rows<float>(rows, nn::load_idx<float>(images, labels)));
}
