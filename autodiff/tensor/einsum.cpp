#include <autodiff/tensor/einsum.hpp>

#include <autodiff/tensor/einsum_indices.hpp>
#include <autodiff/tensor/product_operand.hpp>
#include <autodiff/tensor/strides.hpp>
#include <autodiff/tensor/transfer.hpp>

#include <algorithm>
#include <array>
#include <utility>

// A product is brought to the form of a batched matrix product: each operand is packed (diagonals
// taken, letters of its own summed, axes put in order) as [batch, rows, inner] and [batch, inner,
// columns], multiplied, and unpacked into the order of the result. Packing and unpacking are linear
// and each other's pullback.

namespace autodiff {
namespace {

/// The pairing of elements of a tensor with those of its packed form, letter by letter: a letter
/// that stands twice advances both axes, one that is not packed stays in place there.
class packing {
 public:
  packing(const parsed_indices& p, const letters& from, const letters& to)
      : from_size_(p.shape_of(from).size()) {
    std::array<std::ptrdiff_t, 128> stride{};
    const stride_list strides = row_major_strides(p.shape_of(from));
    for (std::size_t i = 0; i < from.size(); ++i)
      stride[static_cast<unsigned char>(from[i])] += strides[i];
    const auto add = [&](char letter, std::ptrdiff_t packed_stride) {
      walk_.add(p.extent(letter), {stride[static_cast<unsigned char>(letter)], packed_stride});
      size_ *= p.extent(letter);
    };
    for (const char letter : to) to_size_ *= p.extent(letter);
    auto step = static_cast<std::ptrdiff_t>(to_size_);
    for (const char letter : to) {
      if (step != 0) step /= static_cast<std::ptrdiff_t>(p.extent(letter));
      add(letter, step);
    }
    letters seen;
    for (const char letter : from) {
      if (to.has(letter) || seen.has(letter)) continue;
      seen.push(letter);
      add(letter, 0);
    }
    same_ = from.size() == to.size() && std::equal(from.begin(), from.end(), to.begin());
  }

  /// Whether packed and unpacked are the same.
  bool is_same() const { return same_; }

  template <class T>
  array<T> pack(const array<T>& x) const {
    const shape packed{to_size_};
    if (same_) return x.reshaped(packed);
    const bool each_once = to_size_ == size_;
    array<T> y = each_once ? array<T>(packed) : array<T>(packed, T(0));
    transfer<0, 1>(walk_, x.data(), y.writable(), each_once ? store::write : store::add);
    return y;
  }
  /// Packed values in the order of the tensor, where the two hold the same elements.
  template <class T>
  void arrange(const T* packed, T* values) const {
    transfer<1, 0>(walk_, packed, values, store::write);
  }
  /// Adds packed values to an adjoint, each to all elements that were summed into it.
  template <class T>
  void unpack(const T* packed, input_adjoint<T> into) const {
    const auto place = into->open(size_ == from_size_);
    transfer<1, 0>(walk_, packed, place.data, place.how);
  }

 private:
  std::size_t from_size_, to_size_ = 1, size_ = 1;
  strided_walk<2, 2 * most_dimensions> walk_;  // the tensor, its packed form
  bool same_ = false;
};

/// The letters of a product by the part they play in it.
struct roles {
  letters batch, rows, columns, inner;

  explicit roles(const parsed_indices& p) {
    for (const char letter : p.result) {
      letters& list = !p.b.has(letter) ? rows : p.a.has(letter) ? batch : columns;
      list.push(letter);
    }
    for (const char letter : p.a) {
      if (p.b.has(letter) && !p.result.has(letter) && !inner.has(letter)) inner.push(letter);
    }
  }
  static letters join(letters list, const letters& second, const letters& third) {
    for (const char letter : second) list.push(letter);
    for (const char letter : third) list.push(letter);
    return list;
  }
};

/// y [batch, m, n] = a [batch, m, k] x b [batch, k, n], packed.
class contraction {
 public:
  explicit contraction(const parsed_indices& p) : contraction(p, roles(p)) {}

  packing a, b, result;

  template <class T>
  array<T> forward(const array<T>& a_packed, const array<T>& b_packed) const {
    array<T> y(shape{batch_ * m_ * n_});
    T* out = y.writable();
    for (std::size_t i = 0; i < batch_; ++i) {
      multiply_into(rows_of(a_packed.data() + i * m_ * k_, k_),
                    rows_of(b_packed.data() + i * k_ * n_, n_), m_, n_, k_, store::write,
                    out + i * m_ * n_);
    }
    return y;
  }
  template <class T>
  void pull_a(const storage<T>& b_packed, const T* dy, input_adjoint<T> da) const {
    pull(a, batch_ * m_ * k_, da, [&](store how, T* into) {
      for (std::size_t i = 0; i < batch_; ++i) {
        multiply_into(rows_of(dy + i * m_ * n_, n_),
                      rows_of(b_packed.data() + i * k_ * n_, n_).turned(), m_, k_, n_, how,
                      into + i * m_ * k_);
      }
    });
  }
  template <class T>
  void pull_b(const storage<T>& a_packed, const T* dy, input_adjoint<T> db) const {
    pull(b, batch_ * k_ * n_, db, [&](store how, T* into) {
      for (std::size_t i = 0; i < batch_; ++i) {
        multiply_into(rows_of(a_packed.data() + i * m_ * k_, k_).turned(),
                      rows_of(dy + i * m_ * n_, n_), k_, n_, m_, how, into + i * k_ * n_);
      }
    });
  }

 private:
  contraction(const parsed_indices& p, const roles& r)
      : a(p, p.a, roles::join(r.batch, r.rows, r.inner)),
        b(p, p.b, roles::join(r.batch, r.inner, r.columns)),
        // The other way round: from the result to the packed product.
        result(p, p.result, roles::join(r.batch, r.rows, r.columns)),
        batch_(p.shape_of(r.batch).size()),
        m_(p.shape_of(r.rows).size()),
        n_(p.shape_of(r.columns).size()),
        k_(p.shape_of(r.inner).size()) {}

  /// Straight into the adjoint where the packed form is the operand itself.
  template <class T, class Product>
  static void pull(const packing& operand, std::size_t size, input_adjoint<T> into,
                   Product&& product) {
    if (operand.is_same()) {
      const auto place = into->open();
      product(place.how, place.data);
    } else {
      array<T> packed(shape{size});
      T* values = packed.writable();
      product(store::write, values);
      operand.unpack(static_cast<const T*>(values), into);
    }
  }

  std::size_t batch_, m_, n_, k_;
};

/// The packed product in the order of the result.
template <class T>
array<T> unpacked(const packing& result, const shape& s, array<T> packed) {
  if (result.is_same()) return packed.reshaped(s);
  array<T> y(s);
  result.arrange(packed.data(), y.writable());
  return y;
}

}  // namespace

template <class T>
tensor<T> einsum(std::string_view indices, const tensor<T>& a, const tensor<T>& b) {
  const parsed_indices p = parse_indices(indices, a.shape(), &b.shape());
  const contraction c(p);
  array<T> a_packed = c.a.pack(a.stored()), b_packed = c.b.pack(b.stored());
  array<T> y = unpacked(c.result, p.shape_of(p.result), c.forward(a_packed, b_packed));
  if (!a.is_recorded() && !b.is_recorded()) return tensor<T>(std::move(y));
  const auto kept = [](bool needed, const array<T>& packed) {
    return needed ? packed.share() : storage<T>();
  };
  static constexpr operation_rule rule{
      "einsum", "y = Σ a b over the letters that y lacks",
      "ā = Σ ȳ b over those that a lacks, b̄ = Σ ȳ a over those that b lacks"};
  return record(
      rule, std::move(y),
      [c, a_kept = kept(b.is_recorded(), a_packed), b_kept = kept(a.is_recorded(), b_packed)](
          const array<T>& dy, input_adjoint<T> da, input_adjoint<T> db) {
        const array<T> dy_packed = c.result.pack(dy);
        if (da) c.pull_a(b_kept, dy_packed.data(), da);
        if (db) c.pull_b(a_kept, dy_packed.data(), db);
      },
      a, b);
}

template <class T>
tensor<T> einsum(std::string_view indices, const tensor<T>& x) {
  const parsed_indices p = parse_indices(indices, x.shape(), nullptr);
  const packing pack(p, p.a, p.result);
  static constexpr operation_rule rule{"einsum", "y = Σ x over the letters that y lacks",
                                       "x̄ = ȳ by the same letters, repeated along those"};
  return record(
      rule, pack.pack(x.stored()).reshaped(p.shape_of(p.result)),
      [pack](const array<T>& dy, input_adjoint<T> dx) {
        if (pack.is_same())
          dx->add(dy);
        else
          pack.unpack(dy.data(), dx);
      },
      x);
}

#define INSTANTIATE(T)                                                             \
  template tensor<T> einsum(std::string_view, const tensor<T>&, const tensor<T>&); \
  template tensor<T> einsum(std::string_view, const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
