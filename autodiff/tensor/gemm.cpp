// Compiled once per instruction set, as kernels.cpp is; everything but the table has internal
// linkage. The loops around a tile are those of the sources, from the outside: columns of c, depth,
// rows of c; then, other than there, strips of a around panels of b: c is written row by row, and
// measured no slower at any shape. Packing is left to where it pays: a is read as it lies unless
// that means a line of memory for a few numbers, and b is packed on the way by the first strip.
// Few columns of c times a transposed a are computed as rows of c^T, which fill vectors.
// Sources: Goto, van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34
// (2008); Van Zee, van de Geijn, BLIS: A Framework for Rapidly Instantiating BLAS Functionality,
// ACM TOMS 41 (2015).

#include <autodiff/tensor/gemm.hpp>
#include <autodiff/tensor/panels.hpp>
#include <autodiff/tensor/register_tile.hpp>
#include <autodiff/tensor/strided_matrix.hpp>
#include <autodiff/tensor/turning.hpp>

#include <cstddef>
#include <utility>

#ifndef BACKSWEEP_ISA
#define BACKSWEEP_ISA baseline
#endif
#define AUTODIFF_JOIN(A, B) A##B
#define AUTODIFF_TABLE(ISA) AUTODIFF_JOIN(products_, ISA)

namespace autodiff {
namespace {

/// Vectors, and as many rows of a tile as leave registers for two vectors of b and an element of a.
template <class T>
struct unit {
#if defined(__AVX512F__)
  static constexpr std::size_t bytes = 64, rows = 12;
#elif defined(__AVX2__)
  static constexpr std::size_t bytes = 32, rows = 6;
#else
  static constexpr std::size_t bytes = 16, rows = 4;
#endif
  static constexpr std::size_t lanes = bytes / sizeof(T);
  using vector [[gnu::vector_size(bytes)]] = T;
  using loose [[gnu::vector_size(bytes), gnu::aligned(alignof(T)), gnu::may_alias]] = T;
};

// A panel of this depth stays in the first-level cache, so many rows of a in the second, and a
// block of panels in the third.
constexpr std::size_t most_depth = 384, most_columns = 512;
template <class T>
constexpr std::size_t most_rows = 576 / sizeof(T);

constexpr std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }
constexpr std::size_t divided_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

/// Strips of nearly equal height: `tall` of the greater height, the others one row lower.
struct strips_of {
  std::size_t count, height, tall;

  strips_of(std::size_t m, std::size_t most)
      : count(divided_up(m, most)), height(divided_up(m, count)), tall(m - count * (height - 1)) {}
};

template <class T>
struct loops_for_height {
  void (*one_vector)(const tile_walk& outer, const tile_walk& inner, std::size_t depth,
                     tile_place<T> at, const tile_strides& by, std::size_t last, bool add);
  decltype(one_vector) two_vectors, two_vectors_packing;
  void (*pack)(std::size_t depth, strided_matrix<T> a, std::size_t count, T* to);
};

template <class T, std::size_t... row>
const loops_for_height<T>& loops_for(std::size_t height, std::index_sequence<row...>) {
  using u = unit<T>;
  static constexpr loops_for_height<T> all[] = {
      {tiles_in_order<u, row + 1, 1, false, T>, tiles_in_order<u, row + 1, 2, false, T>,
       tiles_in_order<u, row + 1, 2, true, T>, pack_strips<u, row + 1, T>}...};
  return all[height - 1];
}
template <class T>
const loops_for_height<T>& loops_for(std::size_t height) {
  return loops_for<T>(height, std::make_index_sequence<unit<T>::rows>{});
}

/// How a factor is read: as it lies, packed by whoever reads it first, or from where it is packed.
enum class packing { none, on_the_way, done };

/// One block: m rows of a times n columns of b, `depth` deep.
template <class T>
struct block_product {
  static constexpr std::size_t full = panel_width<unit<T>>, lanes = unit<T>::lanes;

  std::size_t m, n, depth;
  strided_matrix<T> a, b;
  const T* strips;  // of a, null where they are not packed
  T* panels;        // of b, the last one packed if it is not full
  packing of_b;
  bool add;
  T* c;
  std::size_t c_row;

  /// Which tiles: rows from `row` on in strips of one height, columns from `column` on in panels of
  /// `width` columns.
  struct range {
    std::size_t row, height, strips, column, width, panels;
  };

  void multiply(const range& r, packing how) const {
    if (r.strips == 0 || r.panels == 0) return;
    const bool b_packed = how == packing::done;
    T* const panel = panels + r.column * depth;
    const tile_place<T> at{strips ? strips + r.row * depth : a.data + r.row * a.row,
                           b_packed ? panel : b.data + r.column, c + r.row * c_row + r.column,
                           panel};
    const tile_strides by{strips ? 1 : a.row, strips ? r.height : a.column, b_packed ? full : b.row,
                          c_row};
    const tile_walk down{r.strips, r.height * (strips ? depth : a.row), 0, r.height * c_row, 0};
    const tile_walk right{r.panels, 0, b_packed ? full * depth : full, full, full * depth};
    const loops_for_height<T>& loops = loops_for<T>(r.height);
    const auto loop = r.width <= lanes             ? loops.one_vector
                      : how == packing::on_the_way ? loops.two_vectors_packing
                                                   : loops.two_vectors;
    loop(down, right, depth, at, by, r.width <= lanes ? r.width : r.width - lanes, add);
  }
  /// All strips against `count` panels.
  void columns(std::size_t column, std::size_t width, std::size_t count, packing how) const {
    const strips_of s(m, unit<T>::rows);
    std::size_t tall = s.tall, row = 0;
    if (how == packing::on_the_way) {
      multiply({0, s.height, 1, column, width, count}, how);
      how = packing::done;
      row = s.height;
      --tall;
    }
    multiply({row, s.height, tall, column, width, count}, how);
    multiply({s.tall * s.height, s.height - 1, s.count - s.tall, column, width, count}, how);
  }
  void run() const {
    const std::size_t whole = n / full;
    if (whole > 0) columns(0, full, whole, of_b);
    if (whole * full < n) columns(whole * full, n - whole * full, 1, packing::done);
  }
};

template <class T>
std::size_t scratch_of_panels(product_extents e) {
  constexpr std::size_t full = panel_width<unit<T>>;
  return divided_up(smaller(e.n, most_columns), full) * full * smaller(e.k, most_depth);
}

template <class T>
std::size_t scratch_of_blocks(product_extents e) {
  return scratch_of_panels<T>(e) + smaller(e.m, most_rows<T>) * smaller(e.k, most_depth);
}

/// Whether there are whole panels to turn, and depth enough to pay for turning c.
template <class T>
bool may_turn(product_extents e) {
  return e.m >= panel_width<unit<T>> && e.k >= 32;
}
/// Whether so few columns leave so much of a panel unused that c^T, in two strips, is less work.
template <class T>
bool is_narrow(product_extents e) {
  constexpr std::size_t full = panel_width<unit<T>>;
  return e.n <= 2 * unit<T>::rows && e.n % full != 0 && e.n % full <= full / 4 * 3;
}

/// As many rows of c as are turned at a time: of a, what the second-level cache holds.
template <class T>
constexpr std::size_t turned_rows = 512 / sizeof(T);

/// Never less for a larger product: its parts make do with as much, narrow or not.
template <class T>
std::size_t scratch_numbers(product_extents e) {
  const std::size_t blocks = scratch_of_blocks<T>(e);
  if (!may_turn<T>(e)) return blocks;
  const std::size_t columns = smaller(e.n, 2 * unit<T>::rows);
  const std::size_t turned =
      columns * turned_rows<T> + scratch_of_blocks<T>({columns, turned_rows<T>, e.k});
  return turned > blocks ? turned : blocks;
}

template <class T>
void pack(std::size_t m, std::size_t depth, strided_matrix<T> a, T* to) {
  const strips_of s(m, unit<T>::rows);
  loops_for<T>(s.height).pack(depth, a, s.tall, to);
  if (s.tall == s.count) return;
  const std::size_t row = s.tall * s.height;
  loops_for<T>(s.height - 1)
      .pack(depth, {a.data + row, 1, a.column}, s.count - s.tall, to + row * depth);
}

template <class T>
void multiply_blocks(product_extents e, strided_matrix<T> a, strided_matrix<T> b, bool add, T* c,
                     std::size_t c_row, T* scratch) {
  constexpr std::size_t full = panel_width<unit<T>>, rows = unit<T>::rows;
  // A column of a transposed factor lies on as many lines, later pages, as the product is deep.
  const bool a_packed = a.column != 1 && e.k > 64 && e.n > full && a.column * sizeof(T) >= 1024;
  // What stays in the first-level cache, or is read but once or twice, needs no packing, unless
  // each of its rows lies on another page. A block that stays in the second-level cache is then
  // packed in the order of memory, so that no line is asked for twice.
  const bool b_far = b.row * sizeof(T) >= 4096;
  const bool b_first = b.column == 1 && b_far && e.n <= turned_rows<T>;
  const bool b_stays = e.k * e.n * sizeof(T) <= (16 << 10) || e.m <= (b_far ? 1 : 2) * rows;
  T* const strips = scratch + scratch_of_panels<T>(e);
  for (std::size_t column = 0; column < e.n; column += most_columns) {
    const std::size_t columns = smaller(most_columns, e.n - column);
    std::size_t blocks = divided_up(e.k, most_depth);
    for (std::size_t l = 0, depth = 0; l < e.k; l += depth, --blocks) {
      depth = divided_up(e.k - l, blocks);
      const strided_matrix<T> right{b.data + l * b.row + column * b.column, b.row, b.column};
      if (b_first)
        pack_strips<unit<T>, full>(depth, {right.data, right.column, right.row}, columns / full,
                                   scratch);
      for (std::size_t j = b.column == 1 ? columns / full * full : 0; j < columns; j += full) {
        const std::size_t width = smaller(full, columns - j);
        const std::size_t readable = (e.k - l - 1) * b.row + e.n - column - j;
        pack_panel<unit<T>>(depth, width, {right.data + j * b.column, b.row, b.column}, readable,
                            scratch + j * depth);
      }
      std::size_t height = 0, parts = divided_up(e.m, most_rows<T>);
      for (std::size_t i = 0; i < e.m; i += height, --parts) {
        height = smaller(divided_up(divided_up(e.m - i, parts), rows) * rows, e.m - i);
        const strided_matrix<T> left{a.data + i * a.row + l * a.column, a.row, a.column};
        if (a_packed) pack(height, depth, left, strips);
        const packing of_b = b.column != 1 || b_first ? packing::done
                             : b_stays                ? packing::none
                             : i == 0                 ? packing::on_the_way
                                                      : packing::done;
        block_product<T>{height,       columns,
                         depth,        left,
                         right,        a_packed ? strips : nullptr,
                         scratch,      of_b,
                         add || l > 0, c + i * c_row + column,
                         c_row}
            .run();
      }
    }
  }
}

/// As c^T = b^T a^T, whose vectors run along the rows of a transposed a as they lie in memory.
template <class T>
void multiply_turned(product_extents e, strided_matrix<T> a, strided_matrix<T> b, bool add, T* c,
                     std::size_t c_row, T* scratch) {
  const strided_matrix<T> left{b.data, b.column, b.row};
  T* const turned = scratch;
  for (std::size_t i = 0; i < e.m; i += turned_rows<T>, c += turned_rows<T> * c_row) {
    const std::size_t rows = smaller(turned_rows<T>, e.m - i);
    const strided_matrix<T> right{a.data + i * a.row, a.column, a.row};
    if (add) turn_rows(rows, e.n, c, c_row, turned, rows);
    multiply_blocks({e.n, rows, e.k}, left, right, add, turned, rows,
                    scratch + e.n * turned_rows<T>);
    turn_rows(e.n, rows, turned, rows, c, c_row);
  }
}

template <class T>
void multiply(product_extents e, strided_matrix<T> a, strided_matrix<T> b, bool add, T* c,
              std::size_t c_row, T* scratch) {
  if (a.column != 1 && may_turn<T>(e) && is_narrow<T>(e)) {
    const std::size_t whole = e.m / panel_width<unit<T>> * panel_width<unit<T>>;
    multiply_turned({whole, e.n, e.k}, a, b, add, c, c_row, scratch);
    a.data += whole * a.row;
    c += whole * c_row;
    e.m -= whole;
  }
  if (e.m > 0) multiply_blocks(e, a, b, add, c, c_row, scratch);
}

}  // namespace

extern const product_table AUTODIFF_TABLE(BACKSWEEP_ISA);
constexpr product_table AUTODIFF_TABLE(BACKSWEEP_ISA) = {
    {&scratch_numbers<float>, &multiply<float>},
    {&scratch_numbers<double>, &multiply<double>},
};

}  // namespace autodiff
