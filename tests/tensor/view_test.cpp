#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/array.hpp>
#include <autodiff/tensor/comparison.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/slice.hpp>
#include <autodiff/tensor/ternary.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensor/view_lines.hpp>
#include <tests/tensors.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <thread>
#include <vector>

namespace {

using namespace tensors;
using autodiff::array;
using autodiff::range;

/// 0, 1, 2, ...: each element is its own row-major index.
tensor<double> counted(const shape& s) {
  doubles values(s.size());
  std::iota(values.begin(), values.end(), 0.0);
  return tensor<double>(s, values);
}

/// Reads a strided array by its definition.
doubles read_as_laid(const array<double>& x) {
  doubles values;
  const auto strides = x.strides();
  view_lines::for_each_index(x.shape(), [&](const view_lines::indices& index) {
    const double* at = x.first();
    for (std::size_t axis = 0; axis < index.size(); ++axis)
      at += static_cast<std::ptrdiff_t>(index[axis]) * strides[axis];
    values.push_back(*at);
  });
  return values;
}

}  // namespace

TEST_CASE("views hold the elements that plain loops pick") {
  for (const view_lines::view_line& line : view_lines::table()) {
    INFO(line.name);
    const tensor<double> y = line.of_doubles(counted(line.input));
    CHECK(y.shape() == line.result);
    const std::vector<std::size_t> picked = line.picked();
    CHECK(read_as_laid(y.stored()) == doubles(picked.begin(), picked.end()));
    CHECK(numbers(y) == doubles(picked.begin(), picked.end()));
  }
}

TEST_CASE("views share the storage of what they view") {
  const tensor<double> x = counted({4, 3});
  const double* first = x.values().data();
  CHECK(transpose(x).stored().first() == first);
  CHECK(select(x, 0, 2).values().data() == first + 6);
  CHECK(slice(x, 0, {1, 3}).values().data() == first + 3);
  CHECK(select(x, 0, 1).is_contiguous());
  CHECK(slice(x, 0, {1, 3}).is_contiguous());
  CHECK_FALSE(select(x, 1, 1).is_contiguous());
  CHECK(select(x, 1, 1).stored().first() == first + 1);
  CHECK(flip(x, 0).stored().first() == first + 9);
  CHECK(expand(x, {5, 4, 3}).stored().first() == first);
  CHECK(flatten(x).values().data() == first);
  // Twice is back, also for is_contiguous().
  CHECK(transpose(transpose(x)).values().data() == first);
  CHECK(transpose(transpose(x)).is_contiguous());
}

TEST_CASE("axes of extent 1 and empty views are contiguous whatever their strides") {
  CHECK(transpose(counted({1, 5})).is_contiguous());
  CHECK(transpose(counted({5, 1})).is_contiguous());
  CHECK(slice(counted({4, 4}), {range{1, 2}, range{}}).is_contiguous());
  const tensor<double> empty = transpose(counted({0, 4}));
  CHECK(empty.is_contiguous());
  CHECK(empty.shape() == shape{4, 0});
  CHECK(numbers(empty).empty());
  CHECK(slice(counted({4}), 0, {9, 2}).shape() == shape{0});
  CHECK(expand(counted({1, 0}), {3, 0}).size() == 0);
  CHECK(diagonal(counted({2, 3}), 7).shape() == shape{0});
  CHECK(diagonal(counted({2, 3}), std::numeric_limits<std::ptrdiff_t>::min()).shape() == shape{0});
  CHECK(transpose(tensor<double>(shape{0, 0})).shape() == shape{0, 0});
}

TEST_CASE("rank 0 has views") {
  const tensor<double> x(7.0);
  CHECK(expand(x, {2, 2}).value(1, 1) == 7);
  CHECK(unsqueeze(x, 0).shape() == shape{1});
  CHECK(unsqueeze(x, -1).shape() == shape{1});
  CHECK(squeeze(tensor<double>(shape{1, 1}, 3.0)).item() == 3);
  CHECK(flatten(x).shape() == shape{1});
  CHECK(reshape(x, {-1}).shape() == shape{1});
  CHECK(permute(x, {}).item() == 7);
  CHECK(select(counted({3}), 0, -1).item() == 2);
}

TEST_CASE("ranges cut what lies beyond the ends, as in Python") {
  const tensor<double> x = counted({5});
  constexpr std::ptrdiff_t most = std::numeric_limits<std::ptrdiff_t>::max(),
                           least = std::numeric_limits<std::ptrdiff_t>::min();
  CHECK(numbers(slice(x, 0, {})) == doubles{0, 1, 2, 3, 4});
  CHECK(numbers(slice(x, 0, {.start = 3})) == doubles{3, 4});
  CHECK(numbers(slice(x, 0, {.stop = -3})) == doubles{0, 1});
  CHECK(numbers(slice(x, 0, {-2, most})) == doubles{3, 4});
  CHECK(numbers(slice(x, 0, {-100, 2})) == doubles{0, 1});
  CHECK(numbers(slice(x, 0, {.step = -1})) == doubles{4, 3, 2, 1, 0});
  CHECK(numbers(slice(x, 0, {.start = 3, .step = -2})) == doubles{3, 1});
  CHECK(numbers(slice(x, 0, {most, least, -2})) == doubles{4, 2, 0});
  CHECK(numbers(slice(x, 0, {1, -1, 2})) == doubles{1, 3});
  CHECK(numbers(slice(x, 0, {.step = most})) == doubles{0});
  CHECK(numbers(slice(x, 0, {.step = least})) == doubles{4});
  CHECK(numbers(slice(x, 0, {3, 1})).empty());
  CHECK(numbers(slice(x, 0, {1, 3, -1})).empty());
  CHECK(numbers(slice(counted({0}), 0, {.step = -1})).empty());
}

TEST_CASE("writing to a view or to its source changes neither the other nor copies") {
  tensor<double> x = counted({2, 3});
  tensor<double> turned = transpose(x), row = select(x, 0, 0);
  const tensor<double> copy = turned;
  turned.mutable_values()[1] = 99;
  CHECK(numbers(turned) == doubles{0, 99, 1, 4, 2, 5});
  CHECK(numbers(copy) == doubles{0, 3, 1, 4, 2, 5});
  CHECK(numbers(x) == doubles{0, 1, 2, 3, 4, 5});
  row.mutable_values()[0] = -1;
  CHECK(numbers(x) == doubles{0, 1, 2, 3, 4, 5});
  x.mutable_values()[0] = 50;
  CHECK(numbers(copy) == doubles{0, 3, 1, 4, 2, 5});
  CHECK(numbers(row) == doubles{-1, 1, 2});
}

TEST_CASE("writing to what was made of a packed view changes no other") {
  const tensor<double> turned = transpose(counted({2, 3}));
  tensor<double> flat = flatten(turned), again = flatten(turned);
  flat.mutable_values()[0] = 9;
  CHECK(numbers(flat) == doubles{9, 3, 1, 4, 2, 5});
  CHECK(numbers(again) == doubles{0, 3, 1, 4, 2, 5});
  CHECK(numbers(turned) == doubles{0, 3, 1, 4, 2, 5});
  tensor<double> repeated = expand(tensor<double>(1.0), {3});
  repeated.mutable_values()[1] = 2;
  CHECK(numbers(repeated) == doubles{1, 2, 1});
}

TEST_CASE(
    "a view that is its storage's last owner is writable in place only where it is contiguous") {
  tensor<double> row = select(counted({2, 3}), 0, 1);
  const double* before = row.values().data();
  row.mutable_values()[0] = 8;
  CHECK(row.values().data() == before);
  CHECK(numbers(row) == doubles{8, 4, 5});
  tensor<double> column = select(counted({2, 3}), 1, 1);
  column.mutable_values()[1] = 8;
  CHECK(numbers(column) == doubles{1, 8});
}

TEST_CASE("views outlive their source") {
  tensor<double> view;
  {
    const tensor<double> x = counted({3, 4});
    view = flip(transpose(slice(x, 1, {1, 4, 2})), 0);
  }
  CHECK(numbers(view) == doubles{3, 7, 11, 1, 5, 9});
}

TEST_CASE("a strided view packs once for all its copies") {
  const tensor<double> view = transpose(counted({3, 4}));
  const tensor<double> copy = view;
  const double* packed = copy.values().data();
  CHECK(view.values().data() == packed);
  CHECK(packed != view.stored().first());
  CHECK(flatten(view).values().data() == packed);
  CHECK(view.stored().share().data() == packed);
  // And what was shared outlives the view.
  array<double> of_packed;
  { of_packed = transpose(counted({3, 4})).stored().contiguous(); }
  CHECK(of_packed.values()[1] == 4);
}

TEST_CASE("threads that pack one view together see one copy") {
  for (int round = 0; round < 20; ++round) {
    const tensor<double> view = transpose(counted({30, 20}));
    constexpr std::size_t count = 4;
    std::vector<const double*> seen(count);
    std::vector<double> sums(count);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        const tensor<double> mine = view;
        seen[i] = mine.values().data();
        sums[i] = std::accumulate(mine.values().begin(), mine.values().end(), 0.0);
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(seen == std::vector<const double*>(count, view.values().data()));
    CHECK(sums == std::vector<double>(count, 600 * 599 / 2));
  }
}

TEST_CASE("large views are packed right, with and without whole strips") {
  for (const std::size_t rows : {1u, 2u, 7u, 8u, 9u, 33u}) {
    for (const std::size_t columns : {1u, 8u, 16u, 37u}) {
      const tensor<double> x = counted({2, rows, columns});
      const tensor<double> y = permute(x, {2, 0, 1});
      bool right = true;
      for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < rows; ++j)
          for (std::size_t k = 0; k < columns; ++k)
            right = right && y.value(k, i, j) == x.value(i, j, k);
      CHECK(right);
    }
  }
}

TEST_CASE("numbers of every size are packed") {
  const auto turned = [](auto number) {
    using number_type = decltype(number);
    array<number_type> a(shape{2, 2});
    for (int i = 0; i < 4; ++i) a.writable()[i] = static_cast<number_type>(i);
    const auto view = a.viewed({2, 2}, 0, {1, 2});
    return std::vector<number_type>(view.values().begin(), view.values().end()) ==
           std::vector<number_type>{number_type(0), number_type(2), number_type(1), number_type(3)};
  };
  CHECK(turned(std::uint8_t{}));
  CHECK(turned(short{}));
  CHECK(turned(float{}));
  CHECK(turned(std::int64_t{}));
  CHECK(turned(autodiff::dual<double>{}));
  CHECK(turned(autodiff::dual<double, 2>{}));
}

TEST_CASE("reshape keeps a view where strides allow it and packs it otherwise") {
  const tensor<double> x = counted({4, 6});
  const tensor<double> left = slice(x, 1, {0, 4});
  const tensor<double> halves = reshape(left, {2, 2, 2, 2});
  CHECK(halves.stored().first() == x.values().data());
  CHECK(numbers(halves) == numbers(left));
  CHECK(reshape(select(x, 1, 2), {2, 2}).stored().first() == x.values().data() + 2);
  CHECK(reshape(transpose(x), {3, 2, 4}).stored().first() == x.values().data());
  const tensor<double> flat = flatten(left);
  CHECK(flat.is_contiguous());
  CHECK(numbers(flat) == numbers(left));
  CHECK(reshape(expand(x, {3, 4, 6}), {3, 24, 1}).stored().first() == x.values().data());
  CHECK(numbers(reshape(flip(x, 0), {24})) == numbers(flip(x, 0)));
}

TEST_CASE("matmul reads transposed and sliced factors where they are") {
  const tensor<double> x = counted({4, 6});
  const auto packs_no_factor = [](const tensor<double>& a, const tensor<double>& b) {
    matmul(a, b);
    return !a.stored().is_packed() && !b.stored().is_packed();
  };
  CHECK(packs_no_factor(transpose(x), x));
  CHECK(packs_no_factor(x, transpose(x)));
  CHECK(packs_no_factor(slice(x, 1, {0, 4}), slice(x, 1, {1, 5})));
  CHECK(packs_no_factor(transpose(slice(x, 1, {1, 3})), slice(x, {range{.step = 1}, range{2, 5}})));
  CHECK(packs_no_factor(slice(x, 0, {.step = 2}), transpose(slice(x, 0, {.step = 3}))));
  CHECK_FALSE(packs_no_factor(flip(x, 1), transpose(x)));
}

TEST_CASE("elementwise operations read views in rows where they are") {
  const tensor<double> x = counted({4, 6}), row = counted({4});
  const tensor<double> left = slice(x, 1, {0, 4}), rows = expand(row, {3, 4}),
                       columns = expand(unsqueeze(row, 1), {4, 3});
  CHECK(numbers(left + left)[5] == 14);
  CHECK(numbers(rows * slice(x, {range{1, 4}, range{1, 5}}))[7] == 3 * 16);
  CHECK(numbers(columns - slice(x, 1, {3, 6}))[11] == 3 - 23);
  CHECK_FALSE(left.stored().is_packed());
  CHECK_FALSE(rows.stored().is_packed());
  CHECK_FALSE(columns.stored().is_packed());
  const tensor<double> turned = transpose(x);
  CHECK(numbers(turned + 0.0 * turned)[1] == 6);
  CHECK(turned.stored().is_packed());
}

TEST_CASE("rows, numbers, comparisons and choices read views where they are") {
  const tensor<double> x = counted({3, 40});
  const tensor<double> left = slice(x, 1, {0, 32}), row = expand(counted({32}), {3, 32});
  CHECK(numbers(square(left))[33] == 41 * 41);
  CHECK(numbers(left * 2.0)[64] == 160);
  CHECK(numbers(2.0 - left)[95] == 2 - 111);
  CHECK(numbers(fma(left, 2.0, row))[34] == 2 * 42 + 2);
  CHECK(numbers(where(left > row, left, 0.0))[32] == 40);
  CHECK_FALSE(left.stored().is_packed());
  CHECK_FALSE(row.stored().is_packed());
}

TEST_CASE("sums read views whose axes stand in another order where they are") {
  const tensor<double> x = counted({2, 3, 4});
  const tensor<double> turned = permute(x, {2, 0, 1});
  CHECK(numbers(sum(turned, {0})) == doubles{6, 22, 38, 54, 70, 86});
  CHECK(numbers(sum(turned, {1, 2})) == numbers(sum(x, {0, 1})));
  CHECK(numbers(sum(turned, {2}, true)) == doubles{12, 48, 15, 51, 18, 54, 21, 57});
  CHECK(sum(turned, {2}, true).shape() == shape{4, 2, 1});
  CHECK(numbers(mean(turned, {0, 1})) == doubles{7.5, 11.5, 15.5});
  CHECK(sum(turned).item() == 276);
  CHECK_FALSE(turned.stored().is_packed());
  const tensor<double> part = slice(flip(x, 1), {1, range{}, range{.step = 2}});
  CHECK(numbers(sum(part, {0})) == doubles{48, 54});
  CHECK(numbers(sum(part, {1})) == doubles{42, 34, 26});
  CHECK(numbers(sum(expand(counted({3}), {2, 3}), {0})) == doubles{0, 2, 4});
  CHECK(numbers(sum(transpose(counted({0, 2})), {1})) == doubles{0, 0});
}

TEST_CASE("what a pullback needs cannot be changed in place") {
  autodiff::tape t;
  tensor<double> w = counted({2, 2});
  const tensor<double> x = t.variable(w);
  const tensor<double> y = x * transpose(x);
  // The leaf, its views and w share one storage. Recorded tensors refuse, others copy first.
  tensor<double> recorded = transpose(x);
  CHECK_THROWS_AS(recorded.mutable_values(), autodiff::tape_error);
  w.mutable_values()[1] = 1000;
  tensor<double> detached = transpose(x).detached();
  detached.mutable_values()[2] = 1000;
  t.backward(sum(y));
  CHECK(numbers(t.adjoint(x)) == doubles{0, 4, 2, 6});
}

TEST_CASE("a cotangent may be a view") {
  autodiff::tape t;
  const tensor<double> x = t.variable(counted({2, 3}));
  const tensor<double> w = transpose(counted({3, 2}));
  t.backward(x * 2.0, w);
  CHECK(numbers(t.adjoint(x)) == doubles{0, 4, 8, 2, 6, 10});
  t.backward(x, w);
  CHECK(numbers(t.adjoint(x)) == doubles{0, 2, 4, 1, 3, 5});
}

TEST_CASE("a view variable has an adjoint of its own shape") {
  autodiff::tape t;
  const tensor<double> x = t.variable(transpose(counted({2, 3})));
  t.backward(sum(x * x));
  CHECK(t.adjoint(x).shape() == shape{3, 2});
  CHECK(numbers(t.adjoint(x)) == doubles{0, 6, 2, 8, 4, 10});
}

TEST_CASE("the pullback of an expanded scalar sums without losing small shares") {
  autodiff::tape t;
  const tensor<float> x = t.variable(tensor<float>(0.1f));
  t.backward(sum(expand(x, {4096, 4096})));
  CHECK(t.adjoint(x).item() == 4096.0f * 4096.0f);
}

TEST_CASE("misused views are named, with shape and remedy") {
  const tensor<double> x = counted({2, 3});
  const auto text = [](auto&& call) { return message<shape_error>(call); };
  CHECK(says(text([&] { slice(x, {1, 1, 1}); }), "slice: ", "3 parts", "[2, 3]", "per axis"));
  CHECK(says(text([&] { slice(x, {range{}, 3}); }), "slice: ", "index 3", "axis 1", "-3 to 2"));
  CHECK(says(text([&] { slice(x, 2, {0, 1}); }), "slice: ", "no axis 2", "[2, 3]"));
  CHECK(says(text([&] { slice(x, 0, {.step = 0}); }), "slice: ", "step 0"));
  CHECK(says(text([&] { select(x, 0, -3); }), "select: ", "index -3", "[2, 3]", "-2 to 1"));
  CHECK(says(text([&] { select(counted({0}), 0, 0); }), "select: ", "[0]", "empty"));
  CHECK(says(text([&] { split(x, 2, 1); }), "split: ", "extent 3", "[2, 3]", "2 equal parts"));
  CHECK(says(text([&] { split(x, 0); }), "split: ", "0 equal parts"));
  CHECK(says(text([&] { split(x, {1, 1}, 1); }), "split: ", "1 + 1", "3", "[2, 3]"));
  CHECK(says(text([&] { unstack(x, 5); }), "unstack: ", "no axis 5"));
  CHECK(says(text([&] { transpose(counted({3})); }), "transpose: ", "[3]", "reshape"));
  CHECK(says(text([&] { swap_axes(x, 0, 2); }), "swap_axes: ", "no axis 2", "[2, 3]"));
  CHECK(says(text([&] { permute(x, {0}); }), "permute: ", "(0)", "[2, 3]", "each axis once"));
  CHECK(says(text([&] { permute(x, {1, 1}); }), "permute: ", "axis 1", "twice", "each axis once"));
  CHECK(says(text([&] { permute(x, {1, 2}); }), "permute: ", "no axis 2"));
  CHECK(says(text([&] { flip(x, {1, -1}); }), "flip: ", "twice"));
  CHECK(says(text([&] { diagonal(x, 0, 1, -1); }), "diagonal: ", "axis 1", "[2, 3]"));
  CHECK(says(text([&] { diagonal(counted({3})); }), "diagonal: ", "no axis 1", "[3]"));
  CHECK(says(text([&] { expand(x, {2, 4}); }), "expand: ", "[2, 3]", "[2, 4]", "unsqueeze"));
  CHECK(says(text([&] { expand(x, {3}); }), "expand: ", "[2, 3]", "[3]"));
  CHECK(says(text([&] { unsqueeze(x, 3); }), "unsqueeze: ", "place 3", "-3 to 2"));
  CHECK(says(text([&] {
               unsqueeze(tensor<double>(shape{1, 1, 1, 1, 1, 1, 1, 1}), 0);
             }),
             "unsqueeze: ", "more than 8 axes"));
  CHECK(says(text([&] { squeeze(x, 1); }), "squeeze: ", "axis 1", "[2, 3]", "extent 3"));
  CHECK(says(text([&] { reshape(x, {4, -1}); }), "reshape: ", "[2, 3]", "[4, -1]"));
  CHECK(says(text([&] { reshape(x, {-1, -1}); }), "reshape: ", "[-1, -1]"));
  CHECK(says(text([&] { reshape(x, {-2, 3}); }), "reshape: ", "[-2, 3]"));
  CHECK(says(text([&] { reshape(counted({0}), {0, -1}); }), "reshape: ", "[0, -1]"));
  CHECK(says(text([&] { reshape(x, {2, 2}); }), "reshape: ", "[2, 3]", "[2, 2]"));
  CHECK(says(text([&] { flatten(x, 1, 0); }), "flatten: ", "axis 1", "[2, 3]"));
}
