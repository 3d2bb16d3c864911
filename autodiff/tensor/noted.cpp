#include <autodiff/tensor/noted.hpp>

#include <algorithm>

namespace autodiff {
namespace {

template <class T>
class shared_values final : public noted_values {
 public:
  explicit shared_values(const array<T>& values) : values_(values) {}
  std::vector<std::size_t> extents() const override {
    const autodiff::shape& s = values_.shape();
    std::vector<std::size_t> all(s.rank());
    for (std::size_t axis = 0; axis < s.rank(); ++axis) all[axis] = s[axis];
    return all;
  }
  std::vector<double> numbers() const override {
    const auto values = values_.values();
    std::vector<double> all(values.size());
    std::ranges::transform(values, all.begin(), [](const T& x) { return innermost(x); });
    return all;
  }

 private:
  array<T> values_;
};

}  // namespace

template <class T>
std::shared_ptr<const noted_values> noted(const array<T>& values) {
  if (!values.has_storage()) return nullptr;
  return std::make_shared<shared_values<T>>(values);
}

template <class T>
void note_result(tape& t, const operation_rule& operation, const array<T>& y) {
  t.notes().write().operations.push_back({t.end().operations - 1, operation, noted(y), {}});
}

template <class T>
void note_operand(tape& t, const tensor<T>& x) {
  t.notes().write().operations.back().operands.push_back(noted_input(t, x));
}

#define INSTANTIATE(T)                                                      \
  template std::shared_ptr<const noted_values> noted(const array<T>&);      \
  template void note_result(tape&, const operation_rule&, const array<T>&); \
  template void note_operand(tape&, const tensor<T>&);
AUTODIFF_FOR_EACH_TENSOR_NUMBER(INSTANTIATE)

}  // namespace autodiff
