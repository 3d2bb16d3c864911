// Compiled once per instruction set, as kernels.cpp is; everything but the table has internal
// linkage. Tiles of c stay in registers while a strip of rows of a and a panel of columns of b pass
// by; panels are packed so that they pass from the first-level cache.
// Source: Goto, van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34
// (2008).

#include <autodiff/tensor/gemm.hpp>

#include <autodiff/tensor/turning.hpp>

#include <cstring>
#include <utility>

#ifndef BACKSWEEP_ISA
#define BACKSWEEP_ISA baseline
#endif
#define AUTODIFF_JOIN(A, B) A##B
#define AUTODIFF_TABLE(ISA) AUTODIFF_JOIN(products_, ISA)

namespace autodiff {
namespace {

// A tile is two vectors wide and as many rows high as leaves registers for two vectors of b and an
// element of a.
#if defined(__AVX512F__)
constexpr std::size_t vector_bytes = 64, most_rows = 12;
#elif defined(__AVX2__)
constexpr std::size_t vector_bytes = 32, most_rows = 6;
#else
constexpr std::size_t vector_bytes = 16, most_rows = 4;
#endif
// A panel of this depth stays in the first-level cache, a block of panels in the second or third.
constexpr std::size_t most_depth = 384, most_columns = 1024, most_block_rows = 96;

template <class T>
struct vector_of;
template <>
struct vector_of<float> {
  using type [[gnu::vector_size(vector_bytes)]] = float;
};
template <>
struct vector_of<double> {
  using type [[gnu::vector_size(vector_bytes)]] = double;
};
template <class T>
constexpr std::size_t lanes = vector_bytes / sizeof(T);
template <class T>
constexpr std::size_t panel_width = 2 * lanes<T>;

std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }
std::size_t divided_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

/// A panel of b, `row` numbers from row to row, and the next one `next` numbers further.
template <class T>
struct panel_of_b {
  const T* data;
  std::size_t row, next;
};

/// c = or += a b for one strip of a and `columns` columns, panel by panel.
template <class T, std::size_t rows, std::size_t vectors>
void multiply_strip(std::size_t depth, strided_matrix<T> a, panel_of_b<T> b, bool add, T* c,
                    std::size_t c_row, std::size_t columns) {
  using vector = typename vector_of<T>::type;
  constexpr std::size_t full = vectors * lanes<T>;
  for (;; b.data += b.next, c += full, columns -= full) {
    vector sums[rows][vectors] = {};
    const T *left = a.data, *right = b.data;
#pragma GCC unroll 4
    for (std::size_t l = depth; l > 0; --l, left += a.column, right += b.row) {
      vector row[vectors];
#pragma GCC unroll 2
      for (std::size_t j = 0; j < vectors; ++j)
        std::memcpy(&row[j], right + j * lanes<T>, sizeof(vector));
#pragma GCC unroll 12
      for (std::size_t i = 0; i < rows; ++i) {
        const T factor = left[i * a.row];
#pragma GCC unroll 2
        for (std::size_t j = 0; j < vectors; ++j) sums[i][j] += factor * row[j];
      }
    }
    if (columns < full) {
      for (std::size_t i = 0; i < rows; ++i) {
        T row[full];
        std::memcpy(row, sums[i], sizeof(row));
        for (std::size_t j = 0; j < columns; ++j)
          c[i * c_row + j] = add ? c[i * c_row + j] + row[j] : row[j];
      }
      return;
    }
#pragma GCC unroll 12
    for (std::size_t i = 0; i < rows; ++i) {
#pragma GCC unroll 2
      for (std::size_t j = 0; j < vectors; ++j) {
        vector out = sums[i][j];
        T* const to = c + i * c_row + j * lanes<T>;
        if (add) {
          vector before;
          std::memcpy(&before, to, sizeof(vector));
          out += before;
        }
        std::memcpy(to, &out, sizeof(vector));
      }
    }
    if (columns == full) return;
  }
}

template <class T>
using strip_loop = void(std::size_t depth, strided_matrix<T> a, panel_of_b<T> b, bool add, T* c,
                        std::size_t c_row, std::size_t columns);

template <class T, std::size_t vectors, std::size_t... row>
strip_loop<T>* strip_of(std::size_t rows, std::index_sequence<row...>) {
  static constexpr strip_loop<T>* loops[] = {multiply_strip<T, row + 1, vectors>...};
  return loops[rows - 1];
}

/// Columns [0, width) of b, `depth` deep, as rows of a full panel, zeros at its end.
template <class T>
void pack_panel(std::size_t depth, std::size_t width, strided_matrix<T> b, T* panel) {
  constexpr std::size_t full = panel_width<T>;
  if (b.column == 1) {
    for (std::size_t l = 0; l < depth; ++l, panel += full) {
      if (width == full) {
        std::memcpy(panel, b.data + l * b.row, full * sizeof(T));
      } else {
        for (std::size_t j = 0; j < full; ++j) panel[j] = j < width ? b.data[l * b.row + j] : T(0);
      }
    }
    return;
  }
  const std::size_t blocks = width / 4 * 4;
  std::size_t l = 0;
  for (; l + 4 <= depth; l += 4) {
    for (std::size_t j = 0; j < blocks; j += 4)
      turn_four(b.data + j * b.column + l, b.column, panel + l * full + j, full);
  }
  for (std::size_t j = 0; j < width; ++j) {
    for (std::size_t i = j < blocks ? l : 0; i < depth; ++i)
      panel[i * full + j] = b.data[j * b.column + i];
  }
  for (std::size_t j = width; j < full; ++j) {
    for (std::size_t i = 0; i < depth; ++i) panel[i * full + j] = T(0);
  }
}

/// m rows in strips of nearly equal height: visit(strip, first row, rows).
template <class Visitor>
void for_each_strip(std::size_t m, Visitor&& visit) {
  std::size_t first = 0;
  for (std::size_t strips = divided_up(m, most_rows); strips > 0; --strips) {
    const std::size_t rows = divided_up(m - first, strips);
    visit(first, rows);
    first += rows;
  }
}

/// A strip of a, its columns one after the other.
template <class T, std::size_t rows>
void pack_strip(std::size_t depth, strided_matrix<T> a, T* to) {
  std::size_t l = 0;
  if (a.row != 1 && rows >= 4) {
    for (; l + 4 <= depth; l += 4) {
      for (std::size_t i = 0; i + 4 <= rows; i += 4)
        turn_four(a.data + i * a.row + l, a.row, to + l * rows + i, rows);
      for (std::size_t i = rows / 4 * 4; i < rows; ++i) {
#pragma GCC unroll 4
        for (std::size_t at = l; at < l + 4; ++at) to[at * rows + i] = a.data[i * a.row + at];
      }
    }
  }
  for (; l < depth; ++l) {
    if (a.row == 1) {
      std::memcpy(to + l * rows, a.data + l * a.column, rows * sizeof(T));
    } else {
      for (std::size_t i = 0; i < rows; ++i) to[l * rows + i] = a.data[i * a.row + l];
    }
  }
}

template <class T>
using pack_loop = void(std::size_t depth, strided_matrix<T> a, T* to);

template <class T, std::size_t... row>
pack_loop<T>* pack_of(std::size_t rows, std::index_sequence<row...>) {
  static constexpr pack_loop<T>* loops[] = {pack_strip<T, row + 1>...};
  return loops[rows - 1];
}

template <class T>
void pack_strips(std::size_t m, std::size_t depth, strided_matrix<T> a, T* packed) {
  for_each_strip(m, [&](std::size_t first, std::size_t rows) {
    pack_of<T>(rows, std::make_index_sequence<most_rows>{})(
        depth, {a.data + first * a.row, a.row, a.column}, packed + first * depth);
  });
}

/// One block: strips of a against panels of b, c_row apart in c.
template <class T>
struct block_product {
  std::size_t m, n, depth;
  strided_matrix<T> a, b;
  bool a_packed, b_packed, add;
  T* c;
  std::size_t c_row;
  const T* panels;  // of b, where they are packed

  /// Columns [j, end) of one strip: whole panels, or what follows them.
  void one_strip(std::size_t i, std::size_t rows, std::size_t j, std::size_t end) const {
    constexpr std::make_index_sequence<most_rows> heights;
    constexpr std::size_t full = panel_width<T>;
    const bool packed = b_packed || end - j < full;
    const panel_of_b<T> panel = packed ? panel_of_b<T>{panels + j * depth, full, full * depth}
                                       : panel_of_b<T>{b.data + j, b.row, full};
    const strided_matrix<T> strip = a_packed
                                        ? strided_matrix<T>{a.data + i * depth, 1, rows}
                                        : strided_matrix<T>{a.data + i * a.row, a.row, a.column};
    strip_loop<T>* loop =
        end - j <= lanes<T> ? strip_of<T, 1>(rows, heights) : strip_of<T, 2>(rows, heights);
    loop(depth, strip, panel, add, c + i * c_row + j, c_row, end - j);
  }
  void run() const {
    constexpr std::size_t first_level = 24 << 10;
    // While all of b stays close, c is written row by row.
    const std::size_t step = depth * n * sizeof(T) <= first_level ? n : panel_width<T>;
    const std::size_t whole = n / panel_width<T> * panel_width<T>;
    for (std::size_t j = 0; j < n; j = smaller(j + step, n)) {
      const std::size_t end = j < whole ? smaller(j + step, whole) : n;
      for_each_strip(m, [&](std::size_t i, std::size_t rows) {
        one_strip(i, rows, j, end);
        if (step == n && end < n) one_strip(i, rows, end, n);
      });
    }
  }
};

template <class T>
std::size_t scratch_of_panels(product_extents e) {
  const std::size_t panels = divided_up(smaller(e.n, most_columns), panel_width<T>);
  return panels * panel_width<T> * smaller(e.k, most_depth);
}

template <class T>
std::size_t scratch_numbers(product_extents e) {
  return scratch_of_panels<T>(e) + smaller(e.m, most_block_rows) * smaller(e.k, most_depth);
}

template <class T>
void multiply(product_extents e, strided_matrix<T> a, strided_matrix<T> b, bool add, T* c,
              std::size_t c_row, T* scratch) {
  constexpr std::size_t full = panel_width<T>;
  // What stays in the first-level cache as it is needs no packing.
  const bool a_packed =
      a.column != 1 ? e.k * a.column * sizeof(T) > (32 << 10) : e.n >= 512 && e.k >= 512;
  const bool b_packed = b.column != 1 || e.k * e.n * sizeof(T) > (16 << 10);
  T* const strips = scratch + scratch_of_panels<T>(e);
  for (std::size_t column = 0; column < e.n; column += most_columns) {
    const std::size_t columns = smaller(most_columns, e.n - column);
    std::size_t blocks = divided_up(e.k, most_depth);
    for (std::size_t l = 0, depth = 0; l < e.k; l += depth, --blocks) {
      depth = divided_up(e.k - l, blocks);
      const strided_matrix<T> right{b.data + l * b.row + column * b.column, b.row, b.column};
      for (std::size_t j = b_packed ? 0 : columns / full * full; j < columns; j += full) {
        pack_panel(depth, smaller(full, columns - j), {right.data + j * b.column, b.row, b.column},
                   scratch + j * depth);
      }
      for (std::size_t i = 0; i < e.m; i += most_block_rows) {
        const std::size_t rows = smaller(most_block_rows, e.m - i);
        strided_matrix<T> left{a.data + i * a.row + l * a.column, a.row, a.column};
        if (a_packed) {
          pack_strips(rows, depth, left, strips);
          left.data = strips;
        }
        block_product<T>{rows,     columns,      depth,
                         left,     right,        a_packed,
                         b_packed, add || l > 0, c + i * c_row + column,
                         c_row,    scratch}
            .run();
      }
    }
  }
}

}  // namespace

extern const product_table AUTODIFF_TABLE(BACKSWEEP_ISA);
constexpr product_table AUTODIFF_TABLE(BACKSWEEP_ISA) = {
    {&scratch_numbers<float>, &multiply<float>},
    {&scratch_numbers<double>, &multiply<double>},
};

}  // namespace autodiff
