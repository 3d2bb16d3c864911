#include <autodiff/tensor/program.hpp>

#include <autodiff/tensor/multiply_add.hpp>
#include <autodiff/tensor/scratch.hpp>

#include <algorithm>
#include <concepts>
#include <new>
#include <utility>

namespace autodiff {
namespace {

using index = std::uint32_t;

template <class T>
instruction<T> unary_instruction(const unary_loops<T>& f, index x) {
  instruction<T> row;
  row.unary = &f;
  row.operands[0] = x;
  row.arity = 1;
  row.reads[0] = {{f.needs_x}, f.needs_y, false};
  return row;
}

template <class T>
instruction<T> binary_instruction(const binary_loops<T>& f, index a, index b) {
  instruction<T> row;
  row.binary = &f;
  row.operands = {a, b};
  row.arity = 2;
  row.reads[0] = {{f.for_a.a, f.for_a.b}, f.for_a.y, f.for_a.is_unit};
  row.reads[1] = {{f.for_b.a, f.for_b.b}, f.for_b.y, f.for_b.is_unit};
  return row;
}

template <class T>
instruction<T> ternary_instruction(const ternary_loops<T>& f, index a, index b, index c) {
  instruction<T> row;
  row.ternary = &f;
  row.operands = {a, b, c};
  row.arity = 3;
  for (std::size_t k = 0; k < 3; ++k) row.reads[k] = {f.reads[k].operands, f.reads[k].y, false};
  return row;
}

/// a b + c, or the larger of that and 0.
template <class T>
instruction<T> multiply_add(const ternary_loops<T>& f, index a, index b, index c) {
  instruction<T> joined = ternary_instruction(f, a, b, c);
  joined.reads[2].is_unit = !joined.reads[2].y;
  return joined;
}

template <class T>
instruction<T> constant_of(const T& number) {
  instruction<T> value;
  value.constant = number;
  return value;
}

/// Puts one row in the place of a product, a sum with it and a relu of that, where nobody else
/// uses what lies between. Values stay the same to the last bit; shares but for the sign of a zero,
/// though those of a value that is used more than once may be added up in another order.
template <std::floating_point T>
class joining {
 public:
  joining(std::span<instruction<T>> code, index inputs) : code_(code), inputs_(inputs) {}

  void run() {
    for (instruction<T>& f : code_) {
      if (f.uses == 0) continue;
      if (f.binary == &rows_.subtract) make_sum(f);
      if (f.binary == &rows_.add) join_sum(f);
      if (f.unary == &rows_.relu && is_used_once(f.operands[0])) join_relu(f, code_[f.operands[0]]);
    }
  }

 private:
  bool is_used_once(index value) const { return code_[value].uses == 1; }
  bool is_product(index value) const {
    return code_[value].binary == &rows_.multiply && is_used_once(value);
  }

  /// Makes x - k, with a number k, to x + -k.
  void make_sum(instruction<T>& f) {
    instruction<T>& k = code_[f.operands[1]];
    if (k.is_row() || f.operands[1] < inputs_ || k.uses > 1) return;
    k.constant = -k.constant;
    put(binary_instruction(rows_.add, f.operands[0], f.operands[1]), f);
  }

  void join_sum(instruction<T>& f) {
    const auto [a, b] = std::pair(f.operands[0], f.operands[1]);
    if (!is_product(a) && !is_product(b)) return;
    instruction<T>& product = code_[is_product(a) ? a : b];
    put(multiply_add(joined_.plain, product.operands[0], product.operands[1],
                     is_product(a) ? b : a),
        f);
    product.uses = 0;
  }

  /// What is missing of a product and a sum is made up for by a number in the place of the row.
  void join_relu(instruction<T>& f, instruction<T>& x) {
    const index at = f.operands[0];
    const auto [a, b] = std::pair(x.operands[0], x.operands[1]);
    if (x.ternary == &joined_.plain) {
      put(multiply_add(joined_.clipped, a, b, x.operands[2]), f);
      x.uses = 0;
    } else if (x.binary == &rows_.add) {
      put(constant_of(T(1)), x);
      put(multiply_add(joined_.clipped, a, at, b), f);
    } else if (x.binary == &rows_.multiply) {
      put(constant_of(T(0)), x);
      put(multiply_add(joined_.clipped, a, b, at), f);
    }
  }

  static void put(instruction<T> next, instruction<T>& place) {
    next.uses = place.uses;
    place = next;
  }

  std::span<instruction<T>> code_;
  index inputs_;
  const loop_table<T>& rows_ = loops<T>();
  const multiply_add_loops<T>& joined_ = multiply_adds<T>();
};

}  // namespace

template <class T>
program<T>::program(std::size_t inputs)
    : code_(shape{inputs + 16}), inputs_(index(inputs)), size_(index(inputs)) {
  std::fill_n(code_.writable(), inputs, instruction<T>{});
}

template <class T>
std::uint32_t program<T>::append(const instruction<T>& next) {
  if (size_ == code_.size()) {
    array<instruction<T>> larger(shape{2 * code_.size()});
    std::copy_n(code_.data(), size_, larger.writable());
    code_ = std::move(larger);
  }
  new (code_.writable() + size_) instruction<T>(next);
  return size_++;
}

template <class T>
std::uint32_t program<T>::constant(const T& number) {
  return append(constant_of(number));
}
template <class T>
std::uint32_t program<T>::apply(const unary_loops<T>& f, index x) {
  return append(unary_instruction(f, x));
}
template <class T>
std::uint32_t program<T>::apply(const binary_loops<T>& f, index a, index b) {
  return append(binary_instruction(f, a, b));
}
template <class T>
std::uint32_t program<T>::apply(const ternary_loops<T>& f, index a, index b, index c) {
  return append(ternary_instruction(f, a, b, c));
}

template <class T>
void program<T>::count_uses(index result) {
  instruction<T>* const code = code_.writable();
  code[result].uses = 1;
  for (index i = result + 1; i-- > inputs_;) {
    if (code[i].uses == 0) continue;
    for (index o = 0; o < code[i].arity; ++o) ++code[code[i].operands[o]].uses;
  }
}

/// Values move up to the places of those before them that are dropped.
template <class T>
void program<T>::drop_unused(index result) {
  instruction<T>* const code = code_.writable();
  scratch<index, 32> places(result + 1);
  index* const place = places.data();
  for (index i = 0; i < inputs_; ++i) place[i] = i;
  size_ = inputs_;
  for (index i = inputs_; i <= result; ++i) {
    if (code[i].uses == 0) continue;
    instruction<T>& kept = code[size_];
    if (size_ != i) kept = code[i];
    for (index o = 0; o < kept.arity; ++o) kept.operands[o] = place[kept.operands[o]];
    place[i] = size_++;
  }
}

template <class T>
void program<T>::finish(index result) {
  const bool computed = (*this)[result].is_row();
  if (!computed) result = apply(loops<T>().multiply, result, constant(T(1)));
  count_uses(result);
  if constexpr (std::floating_point<T>) joining<T>({code_.writable(), result + 1}, inputs_).run();
  drop_unused(result);
}

#define INSTANTIATE(T) template class program<T>;
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
