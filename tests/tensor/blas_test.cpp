#include <autodiff/dual.hpp>
#include <autodiff/tensor/blas.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensor/products.hpp>

#include <array>
#include <cstddef>
#include <limits>
#include <vector>

namespace {

using autodiff::dual;
using namespace products;

}  // namespace

TEMPLATE_TEST_CASE("a matrix product is the sum by definition, transposed or not", "", float,
                   double) {
  reference::random random(2);
  // On both sides of the size below which there are no tiles.
  constexpr std::size_t extents[] = {1, 2, 3, 5, 17, 70};
  for (const transposed a_is : both) {
    for (const transposed b_is : both) {
      for (const std::size_t m : extents) {
        for (const std::size_t n : extents) {
          for (const std::size_t k : extents) {
            for (const TestType beta : {0.0, 1.0}) {
              require_product<TestType>(a_is, b_is, m, n, k, beta, random);
            }
          }
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("a matrix product scales what was there by beta", "", float, double) {
  reference::random random(3);
  for (const std::size_t size : {2, 40}) {
    require_product<TestType>(transposed::no, transposed::no, size, size, size, TestType(-0.5),
                              random);
    require_product<TestType>(transposed::yes, transposed::yes, size, size, size, TestType(2),
                              random);
  }
}

TEMPLATE_TEST_CASE("a matrix product with an extent of 0 is empty, or beta times what was there",
                   "", float, double) {
  reference::random random(4);
  constexpr std::size_t extents[] = {0, 1, 3, 100};
  for (const transposed a_is : both) {
    for (const transposed b_is : both) {
      for (const std::size_t m : extents) {
        for (const std::size_t n : extents) {
          for (const std::size_t k : extents) {
            if (m * n * k != 0) continue;
            require_product<TestType>(a_is, b_is, m, n, k, TestType(0), random);
            require_product<TestType>(a_is, b_is, m, n, k, TestType(1), random);
          }
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("a large matrix product is the sum by definition", "", float, double) {
  reference::random random(5);
  for (const transposed a_is : both) {
    for (const transposed b_is : both)
      require_product<TestType>(a_is, b_is, 130, 90, 210, 1, random);
  }
}

TEMPLATE_TEST_CASE(
    "a matrix product of extents beyond every block of the loops is the sum by definition", "",
    float, double) {
  reference::random random(7);
  for (const transposed a_is : both) {
    for (const transposed b_is : both) {
      for (const TestType beta : {0.0, 1.0}) {
        require_product<TestType>(a_is, b_is, 5, 1100, 9, beta, random);
        require_product<TestType>(a_is, b_is, 110, 18, 900, beta, random);
      }
    }
  }
}

TEMPLATE_TEST_CASE("a matrix product is right around every size of tile, strip and panel", "",
                   float, double) {
  reference::random random(8);
  // Tiles are up to 12 rows high and 4 to 32 columns wide, strips packed from depth 65 on.
  constexpr std::size_t heights[] = {1, 5, 6, 7, 11, 12, 13, 25}, depths[] = {1, 10, 64, 66};
  constexpr std::size_t widths[] = {3, 4, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 49};
  for (const transposed a_is : both) {
    for (const transposed b_is : both) {
      for (const std::size_t m : heights) {
        for (const std::size_t n : widths) {
          for (const std::size_t k : depths) {
            require_product<TestType>(a_is, b_is, m, n, k, (m + n + k) % 2, random);
          }
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("a transposed factor whose rows lie far apart is packed without a difference",
                   "", float, double) {
  reference::random random(9);
  // Rows of 1 KiB and more, depths of several blocks, more rows than one block of strips.
  for (const std::size_t m : {256, 259, 301}) {
    for (const std::size_t k : {65, 385, 771}) {
      for (const std::size_t n : {10, 35})
        require_product<TestType>(transposed::yes, transposed::no, m, n, k, 1, random);
    }
  }
}

TEMPLATE_TEST_CASE("a product of few columns has the bits of the same columns of a wider one", "",
                   float, double) {
  reference::random random(11);
  // Columns that fill panels and that do not, rows that are whole panels and that are not, more
  // rows than are turned at a time.
  constexpr std::size_t all = 70;
  for (const transposed b_is : both) {
    for (const std::size_t m : {7, 16, 37, 64, 300}) {
      for (const std::size_t k : {31, 32, 400}) {
        const auto a = random.uniform<TestType>(m * k, -1, 1),
                   b = random.uniform<TestType>(k * all, -1, 1),
                   before = random.uniform<TestType>(m * all, -1, 1);
        const std::size_t b_lead = b_is == transposed::no ? all : k;
        const auto columns = [&](std::size_t n, std::vector<TestType> c) {
          autodiff::matrix_product({a.data(), transposed::yes, m}, {b.data(), b_is, b_lead}, m, n,
                                   k, TestType(1), c.data());
          return c;
        };
        const auto first = [&](std::size_t n, const std::vector<TestType>& wide) {
          std::vector<TestType> narrow;
          for (std::size_t i = 0; i < m * n; ++i) narrow.push_back(wide[i / n * all + i % n]);
          return narrow;
        };
        const std::vector<TestType> wide = columns(all, before);
        for (const std::size_t n : {1, 2, 5, 6, 8, 9, 10, 12, 17, 24}) {
          INFO("[" << m << ", " << k << "] x [" << k << ", " << n << "]");
          CHECK(columns(n, first(n, before)) == first(n, wide));
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("a matrix product reads factors with gaps between rows and nothing beyond them",
                   "", float, double) {
  reference::random random(10);
  const std::size_t m = 29, n = 37, k = 71, gap = 5;
  for (const transposed a_is : both) {
    for (const transposed b_is : both) {
      const auto rows = [](transposed is, std::size_t first, std::size_t second) {
        return is == transposed::no ? std::array{first, second} : std::array{second, first};
      };
      const auto [a_rows, a_columns] = rows(a_is, m, k);
      const auto [b_rows, b_columns] = rows(b_is, k, n);
      const auto a = random.uniform<TestType>(m * k, -1, 1),
                 b = random.uniform<TestType>(k * n, -1, 1);
      // The gaps are not numbers, and the last row has none.
      const auto spread = [](const auto& x, std::size_t count, std::size_t columns) {
        std::vector<TestType> wide((count - 1) * (columns + gap) + columns,
                                   std::numeric_limits<TestType>::quiet_NaN());
        for (std::size_t i = 0; i < x.size(); ++i)
          wide[i / columns * (columns + gap) + i % columns] = x[i];
        return wide;
      };
      const auto a_wide = spread(a, a_rows, a_columns), b_wide = spread(b, b_rows, b_columns);
      std::vector<TestType> c(m * n), c_wide(m * n);
      autodiff::matrix_product(a_is, b_is, m, n, k, a.data(), b.data(), TestType(0), c.data());
      autodiff::matrix_product({a_wide.data(), a_is, a_columns + gap},
                               {b_wide.data(), b_is, b_columns + gap}, m, n, k, TestType(0),
                               c_wide.data());
      CHECK(c == c_wide);
    }
  }
}

TEST_CASE("a matrix product of duals carries the tangents of both factors") {
  reference::random random(6);
  for (const transposed a_is : both) {
    for (const transposed b_is : both) {
      for (const double beta : {0.0, 1.0}) {
        constexpr std::size_t m = 3, n = 4, k = 5;
        const auto a = random.uniform(m * k, -1, 1), da = random.uniform(m * k, -1, 1);
        const auto b = random.uniform(k * n, -1, 1), db = random.uniform(k * n, -1, 1);
        const auto c = random.uniform(m * n, -1, 1), dc = random.uniform(m * n, -1, 1);
        std::vector<dual<double>> a_dual, b_dual, c_dual;
        for (std::size_t i = 0; i < m * k; ++i) a_dual.emplace_back(a[i], da[i]);
        for (std::size_t i = 0; i < k * n; ++i) b_dual.emplace_back(b[i], db[i]);
        for (std::size_t i = 0; i < m * n; ++i) c_dual.emplace_back(c[i], dc[i]);
        autodiff::matrix_product(a_is, b_is, m, n, k, a_dual.data(), b_dual.data(),
                                 dual<double>(beta), c_dual.data());
        const product value = by_definition(a_is, b_is, m, n, k, a, b, beta, c);
        const product from_a = by_definition(a_is, b_is, m, n, k, da, b, beta, dc);
        const product from_b = by_definition(a_is, b_is, m, n, k, a, db, 0, c);
        for (std::size_t i = 0; i < m * n; ++i) {
          CHECK(reference::close(c_dual[i].value(), value.values[i], 1e-14L));
          CHECK(reference::close(c_dual[i].tangent(), from_a.values[i] + from_b.values[i], 1e-14L));
        }
      }
    }
  }
}
