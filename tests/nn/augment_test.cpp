#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <nn/data/augment.hpp>
#include <nn/data/prefetch.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace {

using image = std::vector<float>;

image shifted(const image& from, std::size_t rows, std::size_t columns, nn::image_shift by) {
  image to(from.size(), -1.0F);
  nn::shift_image<float>(from, to, rows, columns, by);
  return to;
}

/// n images of 3 x 2, every pixel above 0 and no two the same.
nn::dataset<float> images(std::size_t n) {
  nn::dataset<float> data{autodiff::tensor<float>(autodiff::shape{n, 6}),
                          autodiff::tensor<float>(autodiff::shape{n, 1})};
  for (std::size_t i = 0; i < 6 * n; ++i) {
    data.inputs.mutable_values()[i] = static_cast<float>(i + 1);
  }
  return data;
}

std::vector<float> inputs_of(nn::batch_source<float>& source, std::size_t epoch,
                             std::size_t first_batch = 0) {
  std::vector<float> all;
  source.begin(epoch, first_batch);
  for (nn::batch<float> b; source.next(b);) {
    all.insert(all.end(), b.inputs.values().begin(), b.inputs.values().end());
  }
  return all;
}

}  // namespace

TEST_CASE("a shifted image has its pixels further down and right, and 0 where none came from") {
  const image x{1, 2, 3,  //
                4, 5, 6};
  CHECK(shifted(x, 2, 3, {0, 0}) == x);
  CHECK(shifted(x, 2, 3, {1, 0}) == image{0, 0, 0, 1, 2, 3});
  CHECK(shifted(x, 2, 3, {-1, 0}) == image{4, 5, 6, 0, 0, 0});
  CHECK(shifted(x, 2, 3, {0, 1}) == image{0, 1, 2, 0, 4, 5});
  CHECK(shifted(x, 2, 3, {0, -2}) == image{3, 0, 0, 6, 0, 0});
  CHECK(shifted(x, 2, 3, {-1, 1}) == image{0, 4, 5, 0, 0, 0});
  for (const std::ptrdiff_t far : {3, 100, -3, -100}) {
    CHECK(shifted(x, 2, 3, {far, 0}) == image(6, 0.0F));
    CHECK(shifted(x, 2, 3, {0, far}) == image(6, 0.0F));
  }
  CHECK(shifted({}, 0, 0, {1, 1}).empty());
}

TEST_CASE("a span that does not hold the image is refused") {
  image to(6);
  CHECK(reference::says(reference::message<autodiff::shape_error>(
                            [&] { nn::shift_image<float>(image(5), to, 2, 3, {}); }),
                        "shift_image: an image of 2 x 3 in 5 and 6 pixels"));
}

TEST_CASE("every shift up to the most is drawn equally often, anew in every epoch") {
  std::map<std::pair<std::ptrdiff_t, std::ptrdiff_t>, int> counts;
  const int draws = 25000;
  for (std::size_t epoch = 0; epoch < 5; ++epoch) {
    for (std::size_t sample = 0; sample < draws / 5; ++sample) {
      const auto by = nn::drawn_shift(nn::seed{1}, epoch, sample, 2);
      ++counts[{by.down, by.right}];
    }
  }
  REQUIRE(counts.size() == 25);
  // Binomial: 1000 expected with a spread of 31.
  for (const auto& [by, count] : counts) {
    CAPTURE(by.first, by.second);
    CHECK(std::abs(by.first) <= 2);
    CHECK(std::abs(by.second) <= 2);
    CHECK(std::abs(count - draws / 25) < 150);
  }
  const auto none = nn::drawn_shift(nn::seed{1}, 3, 4, 0);
  CHECK((none.down == 0 && none.right == 0));
}

TEST_CASE("shifted batches are a function of seed, epoch and sample") {
  nn::memory_source<float> plain(images(40), 7, nn::seed{3});
  nn::shifting_source<float> source(plain, {.rows = 3, .columns = 2, .most = 1}, nn::seed{3});
  nn::memory_source<float> behind(images(40), 7, nn::seed{3});
  nn::shifting_source<float> same(behind, {.rows = 3, .columns = 2, .most = 1}, nn::seed{3});
  nn::prefetching_source<float> ahead(same);
  CHECK(source.features() == 6);
  CHECK(source.batches() == plain.batches());
  const auto first = inputs_of(source, 0), second = inputs_of(source, 1);
  CHECK(first != second);
  CHECK(inputs_of(ahead, 1) == second);
  CHECK(inputs_of(source, 1, 2) == image(second.begin() + 2 * 7 * 6, second.end()));

  source.begin(1);
  for (nn::batch<float> b; source.next(b);) {
    for (std::size_t i = 0; i < b.size(); ++i) {
      image original(6);
      for (std::size_t p = 0; p < 6; ++p)
        original[p] = static_cast<float>(6 * b.samples[i] + p + 1);
      const auto row = b.inputs.values().subspan(6 * i, 6);
      CHECK(image(row.begin(), row.end()) ==
            shifted(original, 3, 2, nn::drawn_shift(nn::seed{3}, 1, b.samples[i], 1)));
    }
  }
}

TEST_CASE("an image of any form moves by any number of pixels, also out of sight") {
  for (const auto& [rows, columns] : {std::pair<std::size_t, std::size_t>{2, 5}, {5, 1}, {1, 1}}) {
    for (const std::ptrdiff_t down : {-7, -1, 0, 1, 7}) {
      for (const std::ptrdiff_t right : {-7, -1, 0, 1, 7}) {
        image from(rows * columns), expected(rows * columns, 0), to(rows * columns, -1);
        for (std::size_t p = 0; p < from.size(); ++p) from[p] = static_cast<float>(p + 1);
        for (std::size_t p = 0; p < from.size(); ++p) {
          const auto row = static_cast<std::ptrdiff_t>(p / columns) - down,
                     column = static_cast<std::ptrdiff_t>(p % columns) - right;
          if (row < 0 || column < 0 || row >= static_cast<std::ptrdiff_t>(rows) ||
              column >= static_cast<std::ptrdiff_t>(columns))
            continue;
          expected[p] =
              from[static_cast<std::size_t>(row) * columns + static_cast<std::size_t>(column)];
        }
        nn::shift_image<float>(from, to, rows, columns, {down, right});
        CAPTURE(rows, columns, down, right);
        CHECK(to == expected);
      }
    }
  }
  constexpr auto far = std::numeric_limits<std::ptrdiff_t>::min();
  image to(6, -1);
  nn::shift_image<float>(image(6, 1), to, 2, 3, {far, far});
  CHECK(to == image(6, 0));
}

TEST_CASE("a shift by more than any image has is refused before the first batch") {
  nn::memory_source<float> plain(images(4), 7, nn::seed{3});
  for (const std::size_t most : {(std::size_t{1} << 32) + 1, std::size_t{1} << 63,
                                 std::numeric_limits<std::size_t>::max()}) {
    CHECK(reference::says(
        reference::message<autodiff::domain_error>([&] {
          nn::shifting_source<float>(plain, {.rows = 3, .columns = 2, .most = most}, nn::seed{1});
        }),
        "drawn_shift: a shift of up to", "shift by less than the images are wide"));
  }
}

TEST_CASE("rows that are no images of this size are refused") {
  nn::memory_source<float> plain(images(4), 7, nn::seed{3});
  CHECK(reference::says(reference::message<autodiff::shape_error>([&] {
                          nn::shifting_source<float>(plain, {.rows = 28, .columns = 28},
                                                     nn::seed{1});
                        }),
                        "shifting_source: images of 28 x 28 in rows of 6"));
}
