#include <autodiff/tensor/einsum.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/blas.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

// A product is brought to the form of a batched matrix product: each operand is packed (diagonals
// taken, letters of its own summed, axes put in order) as [batch, rows, inner] and [batch, inner,
// columns], multiplied, and unpacked into the order of the result. Packing and unpacking are linear
// and each other's pullback.

namespace autodiff {
namespace {

/// The letters of one operand or of the result, one per axis.
class letters {
 public:
  void push(char letter) { text_[count_++] = letter; }
  bool is_full() const { return count_ == text_.size(); }
  std::size_t size() const { return count_; }
  char operator[](std::size_t i) const { return text_[i]; }
  const char* begin() const { return text_.data(); }
  const char* end() const { return text_.data() + count_; }
  std::size_t count(char letter) const {
    return static_cast<std::size_t>(std::count(begin(), end(), letter));
  }
  bool has(char letter) const { return count(letter) != 0; }

 private:
  std::array<char, 2 * most_dimensions> text_{};
  std::size_t count_ = 0;
};

/// What an exception says about the call.
struct einsum_call {
  std::string_view indices;
  const shape* a;
  const shape* b;  // null for one operand

  std::string text() const {
    return b ? fmt::format("\"{}\" of {} and {}", indices, to_string(*a), to_string(*b))
             : fmt::format("\"{}\" of {}", indices, to_string(*a));
  }
  [[noreturn]] void refuse(const std::string& what, std::string_view remedy) const {
    throw shape_error("einsum", fmt::format("{} in {}", what, text()), remedy);
  }
};

/// Indices taken apart, and the extent of each letter.
struct parsed_indices {
  letters a, b, result;
  std::array<std::size_t, 128> extents{};

  std::size_t extent(char letter) const { return extents[static_cast<std::size_t>(letter)]; }
  shape shape_of(const letters& list) const {
    std::array<std::size_t, most_dimensions> sizes{};
    std::transform(list.begin(), list.end(), sizes.begin(), [&](char l) { return extent(l); });
    return shape(std::span<const std::size_t>(sizes.data(), list.size()));
  }
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

letters letters_of(std::string_view text, const einsum_call& call) {
  letters found;
  for (const char c : text) {
    if (c == ' ') continue;
    if (!is_letter(c)) {
      call.refuse(fmt::format("there is '{}'", c),
                  "write one letter per axis, a comma between operands and -> before the result");
    }
    if (found.is_full()) call.refuse("there are too many letters", "a tensor has at most 8 axes");
    found.push(c);
  }
  return found;
}

/// Gives each letter of an operand the extent of its axis.
void bind(parsed_indices& p, const letters& list, const shape& s, std::array<bool, 128>& bound,
          const einsum_call& call) {
  if (list.size() != s.rank()) {
    call.refuse(fmt::format("there are {} letters for shape {}", list.size(), to_string(s)),
                "write one letter for each axis");
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto at = static_cast<std::size_t>(list[i]);
    if (bound[at] && p.extents[at] != s[i]) {
      call.refuse(fmt::format("letter '{}' is both {} and {}", list[i], p.extents[at], s[i]),
                  "axes with one letter must have one extent");
    }
    bound[at] = true;
    p.extents[at] = s[i];
  }
}

void require_result(const parsed_indices& p, const einsum_call& call) {
  if (p.result.size() > most_dimensions)
    call.refuse("the result has too many letters", "a tensor has at most 8 axes");
  for (const char letter : p.result) {
    if (!p.a.has(letter) && !p.b.has(letter)) {
      call.refuse(fmt::format("letter '{}' of the result stands in no operand", letter),
                  "take it from an operand");
    }
    if (p.result.count(letter) != 1) {
      call.refuse(fmt::format("letter '{}' stands twice in the result", letter),
                  "name each axis of the result once");
    }
  }
}

parsed_indices parse(const einsum_call& call) {
  parsed_indices p;
  const std::size_t arrow = call.indices.find("->");
  const std::string_view operands = call.indices.substr(0, arrow);
  const std::size_t comma = operands.find(',');
  if ((comma != std::string_view::npos) != (call.b != nullptr)) {
    call.refuse(call.b ? "there is no comma" : "there is a comma",
                "write letters for each operand, a comma between two");
  }
  std::array<bool, 128> bound{};
  p.a = letters_of(operands.substr(0, comma), call);
  bind(p, p.a, *call.a, bound, call);
  if (call.b) {
    p.b = letters_of(operands.substr(comma + 1), call);
    bind(p, p.b, *call.b, bound, call);
  }
  if (arrow != std::string_view::npos) {
    p.result = letters_of(call.indices.substr(arrow + 2), call);
  } else {
    for (int c = 'A'; c <= 'z'; ++c) {
      const char letter = static_cast<char>(c);
      if (p.a.count(letter) + p.b.count(letter) == 1) p.result.push(letter);
    }
  }
  require_result(p, call);
  return p;
}

/// The pairing of elements of a tensor with those of its packed form, letter by letter: a letter
/// that stands twice advances both axes, one that is not packed stays in place there.
class packing {
 public:
  packing(const parsed_indices& p, const letters& from, const letters& to)
      : from_size_(p.shape_of(from).size()) {
    std::array<std::size_t, 128> stride{};
    std::size_t step = 1;
    for (std::size_t i = from.size(); i-- > 0; step *= p.extent(from[i]))
      stride[static_cast<std::size_t>(from[i])] += step;
    for (const char letter : to) add(p.extent(letter), stride[static_cast<std::size_t>(letter)]);
    step = 1;
    for (std::size_t i = count_; i-- > 0; step *= extents_[i]) to_strides_[i] = step;
    to_size_ = step;
    letters seen;
    for (const char letter : from) {
      if (to.has(letter) || seen.has(letter)) continue;
      seen.push(letter);
      add(p.extent(letter), stride[static_cast<std::size_t>(letter)]);
    }
    size_ = 1;
    for (std::size_t i = 0; i < count_; ++i) size_ *= extents_[i];
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
    walk(x.data(), from_strides_, y.writable(), to_strides_, each_once ? store::write : store::add);
    return y;
  }
  /// Packed values in the order of the tensor, where the two hold the same elements.
  template <class T>
  void arrange(const T* packed, T* values) const {
    walk(packed, to_strides_, values, from_strides_, store::write);
  }
  /// Adds packed values to an adjoint, each to all elements that were summed into it.
  template <class T>
  void unpack(const T* packed, input_adjoint<T> into) const {
    if (size_ == from_size_) {
      const auto place = into->open();
      walk(packed, to_strides_, place.data, from_strides_, place.how);
    } else {
      walk(packed, to_strides_, into->open_zeroed(), from_strides_, store::add);
    }
  }

 private:
  using strides = std::array<std::size_t, 2 * most_dimensions>;

  void add(std::size_t extent, std::size_t stride) {
    extents_[count_] = extent;
    from_strides_[count_++] = stride;
  }

  template <class T>
  void walk(const T* x, const strides& x_strides, T* y, const strides& y_strides, store how) const {
    if (size_ == 0) return;
    std::array<std::size_t, 2 * most_dimensions> at{};
    const std::size_t outer = count_ == 0 ? 0 : count_ - 1;
    const std::size_t row = count_ == 0 ? 1 : extents_[outer];
    for (std::size_t rows = size_ / row; rows > 0; --rows) {
      for (std::size_t i = 0; i < row; ++i) {
        T& out = y[i * y_strides[outer]];
        out = how == store::write ? x[i * x_strides[outer]] : T(out + x[i * x_strides[outer]]);
      }
      for (std::size_t d = outer; d-- > 0;) {
        x += x_strides[d];
        y += y_strides[d];
        if (++at[d] < extents_[d]) break;
        x -= x_strides[d] * extents_[d];
        y -= y_strides[d] * extents_[d];
        at[d] = 0;
      }
    }
  }

  std::size_t from_size_, to_size_ = 1, size_ = 1, count_ = 0;
  strides extents_{}, from_strides_{}, to_strides_{};
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
      matrix_product(transposed::no, transposed::no, m_, n_, k_, a_packed.data() + i * m_ * k_,
                     b_packed.data() + i * k_ * n_, T(0), out + i * m_ * n_);
    }
    return y;
  }
  template <class T>
  void pull_a(const storage<T>& b_packed, const T* dy, input_adjoint<T> da) const {
    pull(a, batch_ * m_ * k_, da, [&](T beta, T* into) {
      for (std::size_t i = 0; i < batch_; ++i) {
        matrix_product(transposed::no, transposed::yes, m_, k_, n_, dy + i * m_ * n_,
                       b_packed.data() + i * k_ * n_, beta, into + i * m_ * k_);
      }
    });
  }
  template <class T>
  void pull_b(const storage<T>& a_packed, const T* dy, input_adjoint<T> db) const {
    pull(b, batch_ * k_ * n_, db, [&](T beta, T* into) {
      for (std::size_t i = 0; i < batch_; ++i) {
        matrix_product(transposed::yes, transposed::no, k_, n_, m_, a_packed.data() + i * m_ * k_,
                       dy + i * m_ * n_, beta, into + i * k_ * n_);
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
      product(place.how == store::write ? T(0) : T(1), place.data);
    } else {
      array<T> packed(shape{size});
      T* values = packed.writable();
      product(T(0), values);
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
  const parsed_indices p = parse({indices, &a.shape(), &b.shape()});
  const contraction c(p);
  array<T> a_packed = c.a.pack(a.stored()), b_packed = c.b.pack(b.stored());
  array<T> y = unpacked(c.result, p.shape_of(p.result), c.forward(a_packed, b_packed));
  if (!a.is_recorded() && !b.is_recorded()) return tensor<T>(std::move(y));
  const auto kept = [](bool needed, const array<T>& packed) {
    return needed ? packed.share() : storage<T>();
  };
  return record(
      "einsum", std::move(y),
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
  const parsed_indices p = parse({indices, &x.shape(), nullptr});
  const packing pack(p, p.a, p.result);
  return record(
      "einsum", pack.pack(x.stored()).reshaped(p.shape_of(p.result)),
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
