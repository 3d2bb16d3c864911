#include <autodiff/tensor/program.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace autodiff {

template <class T>
program<T>::program(std::size_t inputs)
    : code_(shape{inputs + 16}), inputs_(index(inputs)), size_(index(inputs)) {
  std::fill_n(code_.writable(), inputs, instruction<T>{});
}

/// Room for one more.
template <class T>
instruction<T>& program<T>::append() {
  if (size_ == code_.size()) {
    array<instruction<T>> larger(shape{2 * code_.size()});
    std::copy_n(code_.data(), size_, larger.writable());
    code_ = std::move(larger);
  }
  return *new (code_.writable() + size_++) instruction<T>;
}

template <class T>
std::uint32_t program<T>::constant(const T& number) {
  append().constant = number;
  return size_ - 1;
}
template <class T>
std::uint32_t program<T>::apply(const unary_loops<T>& f, index x) {
  instruction<T>& next = append();
  next.unary = &f;
  next.operands[0] = x;
  next.arity = 1;
  return size_ - 1;
}
template <class T>
std::uint32_t program<T>::apply(const binary_loops<T>& f, index a, index b) {
  instruction<T>& next = append();
  next.binary = &f;
  next.operands = {a, b};
  next.arity = 2;
  return size_ - 1;
}
template <class T>
std::uint32_t program<T>::apply(const ternary_loops<T>& f, index a, index b, index c) {
  instruction<T>& next = append();
  next.ternary = &f;
  next.operands = {a, b, c};
  next.arity = 3;
  return size_ - 1;
}

template <class T>
void program<T>::finish(index result) {
  const bool computed = (*this)[result].is_row();
  result_ = computed ? result : apply(loops<T>().multiply, result, constant(T(1)));
}

#define INSTANTIATE(T) template class program<T>;
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
