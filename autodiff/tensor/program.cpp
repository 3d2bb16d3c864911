#include <autodiff/tensor/program.hpp>

#include <algorithm>
#include <utility>

namespace autodiff {

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
  code_.writable()[size_] = next;
  return size_++;
}

template <class T>
std::uint32_t program<T>::constant(const T& number) {
  return append({.constant = number});
}
template <class T>
std::uint32_t program<T>::apply(const unary_loops<T>& f, index x) {
  return append({.unary = &f, .operands = {x}, .arity = 1});
}
template <class T>
std::uint32_t program<T>::apply(const binary_loops<T>& f, index a, index b) {
  return append({.binary = &f, .operands = {a, b}, .arity = 2});
}
template <class T>
std::uint32_t program<T>::apply(const ternary_loops<T>& f, index a, index b, index c) {
  return append({.ternary = &f, .operands = {a, b, c}, .arity = 3});
}

template <class T>
void program<T>::finish(index result) {
  const bool computed = (*this)[result].is_row();
  result_ = computed ? result : apply(loops<T>().multiply, result, constant(T(1)));
}

#define INSTANTIATE(T) template class program<T>;
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
