#include <tests/catch.hpp>
#include <tests/files.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <nn/data/npy.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::string_literals;
using extents = std::vector<std::size_t>;

/// A .npy file of version 1, 2 or 3.
std::string npy(std::string_view header, std::string_view values, char version = 1) {
  std::string file = "\x93NUMPY"s + version + '\0';
  file += static_cast<char>(header.size());
  file.append(version == 1 ? 1 : 3, '\0');
  return file.append(header).append(values);
}

std::string described(std::string_view type, std::string_view shape,
                      std::string_view order = "False") {
  return "{'descr': '" + std::string(type) + "', 'fortran_order': " + std::string(order) +
         ", 'shape': " + std::string(shape) + ", }\n";
}

nn::number_array read(const std::string& content) {
  const temporary_folder folder;
  return nn::read_npy(write_file(folder / "a.npy", content));
}

std::string refusal(const std::string& content) {
  return reference::message<autodiff::io_error>([&] { read(content); });
}

template <class Error, class Function>
std::string message(Function&& provoke) {
  return reference::message<Error>(provoke);
}

// What NumPy 1.24's save wrote of array([[1.5, -2.0, 0.25]], dtype='<f4').
const std::string row_of_floats =
    "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }"s +
    std::string(58, ' ') + "\n\x00\x00\xc0?\x00\x00\x00\xc0\x00\x00\x80>"s;

}  // namespace

TEST_CASE("an array that NumPy saved is read, and written again byte for byte") {
  const nn::number_array array = read(row_of_floats);
  CHECK(array.type == nn::element_type::float32);
  CHECK(array.extents == extents{1, 3});
  CHECK(array.values<double>() == std::vector{1.5, -2.0, 0.25});
  const temporary_folder folder;
  nn::write_npy(folder / "b.npy", array);
  CHECK(content_of(folder / "b.npy") == row_of_floats);
}

TEST_CASE("every type of number is read in both byte orders") {
  const auto values = [](std::string_view type, const std::string& bytes) {
    return read(npy(described(type, "(2,)"), bytes)).values<double>();
  };
  using pair = std::vector<double>;
  CHECK(values("|b1", "\0\1"s) == pair{0, 1});
  CHECK(values("|i1", "\x80\x7f"s) == pair{-128, 127});
  CHECK(values("|u1", "\x80\xff"s) == pair{128, 255});
  CHECK(values("<i2", "\xfe\xff\2\1"s) == pair{-2, 258});
  CHECK(values(">i2", "\xff\xfe\1\2"s) == pair{-2, 258});
  CHECK(values("<u2", "\xfe\xff\2\1"s) == pair{65534, 258});
  CHECK(values(">u2", "\xff\xfe\1\2"s) == pair{65534, 258});
  CHECK(values("<i4", "\xfe\xff\xff\xff\4\3\2\1"s) == pair{-2, 0x01020304});
  CHECK(values(">i4", "\xff\xff\xff\xfe\1\2\3\4"s) == pair{-2, 0x01020304});
  CHECK(values("<u4", "\xfe\xff\xff\xff\4\3\2\1"s) == pair{4294967294, 0x01020304});
  CHECK(values(">u4", "\xff\xff\xff\xfe\1\2\3\4"s) == pair{4294967294, 0x01020304});
  CHECK(values("<i8", "\xfe\xff\xff\xff\xff\xff\xff\xff\1\0\0\0\0\0\0\0"s) == pair{-2, 1});
  CHECK(values(">i8", "\xff\xff\xff\xff\xff\xff\xff\xfe\0\0\0\0\0\0\0\1"s) == pair{-2, 1});
  CHECK(values("<u8", "\0\0\0\0\0\0\0\x80\1\0\0\0\0\0\0\0"s) == pair{0x1p63, 1});
  CHECK(values(">u8", "\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"s) == pair{0x1p63, 1});
  CHECK(values("<f4", "\0\0\xc0\x3f\0\0\0\xc0"s) == pair{1.5, -2});
  CHECK(values(">f4", "\x3f\xc0\0\0\xc0\0\0\0"s) == pair{1.5, -2});
  CHECK(values("<f8", "\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\0\xc0"s) == pair{1.5, -2});
  CHECK(values(">f8", "\x3f\xf8\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0"s) == pair{1.5, -2});
}

TEST_CASE("Fortran order is turned into rows") {
  const auto matrix = read(npy(described("|u1", "(2, 3)", "True"), "\1\4\2\5\3\6"s));
  CHECK(matrix.extents == extents{2, 3});
  CHECK(matrix.values<int>() == std::vector{1, 2, 3, 4, 5, 6});
  // x[i, j, k] = 4 i + 2 j + k
  const auto cube =
      read(npy(described("<i2", "(2, 2, 2)", "True"), "\0\0\4\0\2\0\6\0\1\0\5\0\3\0\7\0"s));
  CHECK(cube.values<int>() == std::vector{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(read(npy(described("|u1", "(3,)", "True"), "\1\2\3"s)).values<int>() ==
        std::vector{1, 2, 3});
  CHECK(read(npy(described("|u1", "(0, 3)", "True"), "")).values<int>().empty());
}

TEST_CASE("headers of versions 1 to 3 are read, in any order of their keys") {
  for (const char version : {1, 2, 3}) {
    CAPTURE(int{version});
    CHECK(read(npy(described("|u1", "(2,)"), "\1\2", version)).values<int>() == std::vector{1, 2});
  }
  CHECK(read(npy(R"({"shape":(1,2),"fortran_order":False,"descr":"|u1"})", "\1\2")).extents ==
        extents{1, 2});
  CHECK(read(npy("{'shape': (2L, 1L), 'fortran_order': False, 'descr': '|u1'}", "\1\2")).extents ==
        extents{2, 1});
}

TEST_CASE("a single number and no numbers are arrays too") {
  const auto one = read(npy(described("|u1", "()"), "\7"));
  CHECK(one.extents.empty());
  CHECK(one.tensor<float>().item() == 7);
  const auto none = read(npy(described("<f8", "(0, 5)"), ""));
  CHECK(none.extents == extents{0, 5});
  CHECK(none.tensor<double>().shape() == autodiff::shape{0, 5});
}

TEST_CASE("what is written is read as it was, for every type") {
  const temporary_folder folder;
  const auto same = [&]<class Value>(const std::vector<Value>& values) {
    nn::write_npy(folder / "x.npy",
                  nn::number_array::of<Value>(autodiff::shape{values.size()}, values));
    const nn::number_array back = nn::read_npy(folder / "x.npy");
    CHECK(back.extents == extents{values.size()});
    CHECK(back.values<Value>() == values);
  };
  const auto edges = [&]<class Value>(Value) {
    using limits = std::numeric_limits<Value>;
    same(std::vector<Value>{limits::lowest(), limits::min(), Value(1), limits::max()});
  };
  edges(std::int8_t{});
  edges(std::int16_t{});
  edges(std::int32_t{});
  edges(std::int64_t{});
  edges(std::uint8_t{});
  edges(std::uint16_t{});
  edges(std::uint32_t{});
  edges(std::uint64_t{});
  edges(float{});
  edges(double{});
  same(std::vector<double>{});

  const std::array truths{true, false, true};
  nn::write_npy(folder / "b.npy",
                nn::number_array::of<bool>(autodiff::shape{3}, std::span<const bool>(truths)));
  CHECK(nn::read_npy(folder / "b.npy").type == nn::element_type::boolean);
  CHECK(nn::read_npy(folder / "b.npy").values<int>() == std::vector{1, 0, 1});
}

TEST_CASE("a tensor is written and read as it was, also one that is a view") {
  const temporary_folder folder;
  const autodiff::tensor<float> x{{1, 2, 3}, {4, 5, 6}};
  nn::write_npy(folder / "x.npy", nn::number_array::of(x));
  const auto back = nn::read_npy(folder / "x.npy").tensor<float>();
  CHECK(back.shape() == x.shape());
  CHECK(reference::all_close(back.values(), x.values(), 0));
}

TEST_CASE("an element that is no number of the type asked for is refused with its place") {
  const auto numbers =
      nn::number_array::of<double>(autodiff::shape{2, 2}, std::vector<double>{1, 255, 256, 0.5});
  CHECK(message<autodiff::domain_error>([&] { numbers.values<std::uint8_t>(); }) ==
        "number_array: the float64 at [1, 0] is 256, which is no uint8; ask for a type that holds "
        "it");
  CHECK(reference::says(message<autodiff::domain_error>([&] { numbers.values<std::int32_t>(); }),
                        "[1, 1]", "0.5", "int32"));
  const auto refuses = [](auto value, auto wanted) {
    using Value = decltype(value);
    const auto array = nn::number_array::of<Value>(autodiff::shape{1}, std::vector<Value>{value});
    return message<autodiff::domain_error>([&] { array.template values<decltype(wanted)>(); }) !=
           "nothing was thrown";
  };
  CHECK(refuses(std::int8_t{-1}, std::uint64_t{}));
  CHECK(refuses(0x1p63, std::int64_t{}));
  CHECK_FALSE(refuses(-0x1p63, std::int64_t{}));
  CHECK(refuses(0x1p64, std::uint64_t{}));
  CHECK(refuses(std::numeric_limits<double>::quiet_NaN(), std::int32_t{}));
  CHECK(refuses(1e300, float{}));
  CHECK_FALSE(refuses(std::numeric_limits<double>::infinity(), float{}));
  CHECK_FALSE(refuses(std::numeric_limits<std::uint64_t>::max(), float{}));
}

TEST_CASE("a number_array whose bytes are not its extents' is refused") {
  nn::number_array array = nn::number_array::of(autodiff::tensor<float>{1, 2, 3});
  array.extents = {4};
  CHECK(reference::says(message<autodiff::shape_error>([&] { array.tensor<float>(); }),
                        "12 bytes of float32 values [4]"));
  const temporary_folder folder;
  CHECK(reference::says(
      message<autodiff::shape_error>([&] { nn::write_npy(folder / "x.npy", array); }), "write_npy",
      "12 bytes of float32 values [4]"));
  CHECK(folder.files() == 0);
  CHECK(reference::says(message<autodiff::shape_error>([] {
                          nn::number_array::of<float>(autodiff::shape{2}, std::vector<float>(3));
                        }),
                        "3 values for [2]"));
}

TEST_CASE("what is no .npy of numbers is refused with the reason") {
  CHECK(reference::says(refusal(""), "read_npy", "a.npy", "is empty"));
  CHECK(reference::says(refusal("PK\3\4 and so on"), "is not a .npy file"));
  CHECK(reference::says(refusal("\x93NUM"), "is not a .npy file"));
  CHECK(reference::says(refusal("\x93NUMPY"), "ends inside its header"));
  CHECK(reference::says(refusal("\x93NUMPY\4\0\1\0\0\0"s), "version 4"));
  CHECK(reference::says(refusal("\x93NUMPY\2\0\xff\xff\xff\xff"s), "header of 4294967295 bytes"));
  CHECK(reference::says(refusal("\x93NUMPY\1\0\x50\0{'descr'"s), "ends inside its header"));
  CHECK(reference::says(refusal(npy(described("<c8", "(1,)"), "12345678")),
                        "holds elements of type '<c8'", "numpy.save"));
  for (const char* type : {"<U3", "|O", "<f2", "<f16", "", "<", "f", "<i3", "|b8"}) {
    CHECK(reference::says(refusal(npy(described(type, "(1,)"), "1")), "elements of type", type));
  }
  CHECK(reference::says(
      refusal(npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234")),
      "records"));
  for (const char* header :
       {"", "{", "{}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x"}) {
    CHECK(reference::says(refusal(npy(header, "1234")), "not of the .npy format"));
  }
}

TEST_CASE("text from a damaged header is shown short and harmless") {
  const std::string text =
      refusal(npy("{'descr': '\x1b[2J" + std::string(80, 'x') + "', ", "1234"));
  CHECK(reference::says(text, "elements of type '.[2Jxxx", "..."));
}

TEST_CASE("a file shorter or longer than its header says is refused with both sizes") {
  CHECK(reference::says(refusal(npy(described("<f4", "(3, 2)"), "12345678")), "is truncated",
                        "[3, 2] promises 24 bytes", "8 follow"));
  CHECK(reference::says(refusal(npy(described("<f4", "(1,)"), "123456")), "has 2 bytes after",
                        "[1]"));
}

TEST_CASE("a header that claims more than memory has is refused for what the file lacks") {
  CHECK(reference::says(refusal(npy(described("<f8", "(1000000, 1000000)"), "12345678")),
                        "is truncated", "8 follow"));
  CHECK(reference::says(refusal(npy(described("<f8", "(4294967296, 4294967296)"), "")),
                        "more than any memory holds"));
  CHECK(reference::says(refusal(npy(described("<f8", "(2305843009213693952,)"), "")),
                        "more than any memory holds"));
}

TEST_CASE("a missing .npy file and a folder are refused by name") {
  const temporary_folder folder;
  const auto text = [&](const char* name) {
    return message<autodiff::io_error>([&] { nn::read_npy(folder / name); });
  };
  CHECK(reference::says(text("lost.npy"), "read_npy", "lost.npy", "does not exist"));
  CHECK(reference::says(text(""), "is a directory", "name the .npy file inside it"));
  const auto array = nn::number_array::of(autodiff::tensor<float>{1, 2});
  CHECK(reference::says(
      message<autodiff::io_error>([&] { nn::write_npy(folder / "no/x.npy", array); }), "write_npy",
      "x.npy"));
}
