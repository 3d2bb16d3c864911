#include <autodiff/tensor/shares.hpp>

#include <limits>
#include <memory>
#include <type_traits>

namespace autodiff {
namespace {

/// The plain number in a number type.
template <class T>
struct plain_number {
  using type = T;
};
template <class T>
struct plain_number<dual<T>> : plain_number<T> {};

/// A tensor whose adjoint is set aside as long as this lives.
class adjoint_aside {
 public:
  virtual ~adjoint_aside() = default;
};

template <class T>
class adjoint_of_kind_aside final : public adjoint_aside {
 public:
  explicit adjoint_of_kind_aside(tensor_node<T>& node)
      : node_(node), aside_(array<T>::unallocated(node.shape())) {
    node_.exchange_adjoint(aside_);
  }
  ~adjoint_of_kind_aside() override { node_.exchange_adjoint(aside_); }

 private:
  tensor_node<T>& node_;
  array<T> aside_;
};

/// visit(node) with the tensor's own type; whether it is a tensor.
template <class T, class Operation, class Visitor>
bool visit_if(Operation& x, const Visitor& visit) {
  using node = std::conditional_t<std::is_const_v<Operation>, const tensor_node<T>, tensor_node<T>>;
  node* const found = dynamic_cast<node*>(&x);
  if (found) visit(*found);
  return found;
}
template <class Operation, class Visitor>
bool visit_tensor(Operation& x, const Visitor& visit) {
  return visit_if<float>(x, visit) || visit_if<double>(x, visit) ||
         visit_if<dual<float>>(x, visit) || visit_if<dual<double>>(x, visit);
}

}  // namespace

bool computes_tensor(const operation<double>& x) noexcept {
  return visit_tensor(x, [](const auto&) {});
}

tensor_numbers adjoint_numbers(const operation<double>& x) {
  tensor_numbers all;
  visit_tensor(x, [&]<class T>(const tensor_node<T>& node) {
    const shape& s = node.shape();
    all.epsilon = std::numeric_limits<typename plain_number<T>::type>::epsilon();
    for (std::size_t axis = 0; axis < s.rank(); ++axis) all.extents.push_back(s[axis]);
    all.numbers.assign(s.size(), 0);
    if (!node.adjoint().has_storage()) return;
    const auto values = node.adjoint().values();
    for (std::size_t i = 0; i < values.size(); ++i) all.numbers[i] = innermost(values[i]);
  });
  return all;
}

std::vector<tensor_numbers> shares_of(tape& t, operation<double>& result,
                                      std::span<operation<double>* const> inputs) {
  std::vector<std::unique_ptr<adjoint_aside>> aside;
  for (operation<double>* input : inputs) {
    visit_tensor(*input, [&]<class T>(tensor_node<T>& node) {
      aside.push_back(std::make_unique<adjoint_of_kind_aside<T>>(node));
    });
  }
  result.sweep(t, 0);
  std::vector<tensor_numbers> shares;
  for (const operation<double>* input : inputs) shares.push_back(adjoint_numbers(*input));
  return shares;
}

}  // namespace autodiff
