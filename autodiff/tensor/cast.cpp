#include <autodiff/tensor/cast.hpp>

#include <type_traits>

namespace autodiff {
namespace {

template <class To, class From>
To converted(const From& x) {
  if constexpr (std::floating_point<From>)
    return static_cast<To>(x);
  else
    return To(static_cast<typename To::value_type>(x.value()),
              static_cast<typename To::value_type>(x.tangent()));
}

template <class To, class From>
void convert(std::size_t n, const From* x, To* y, store how) {
  if (how == store::write) {
    for (std::size_t i = 0; i < n; ++i) y[i] = converted<To>(x[i]);
  } else {
    for (std::size_t i = 0; i < n; ++i) y[i] += converted<To>(x[i]);
  }
}

}  // namespace

template <class To, class From>
tensor<To> cast(const tensor<From>& x) {
  if constexpr (std::same_as<To, From>) {
    return x;
  } else {
    array<To> y(x.shape());
    convert(x.size(), x.values().data(), y.writable(), store::write);
    static constexpr operation_rule rule{"cast", "y = x in another precision",
                                         "x̄ = ȳ in the precision of x"};
    return record(
        rule, std::move(y),
        [](const array<To>& dy, input_adjoint<From> dx) {
          const auto into = dx->open();
          convert(dy.size(), dy.data(), into.data, into.how);
        },
        x);
  }
}

#define INSTANTIATE(A, B)                    \
  template tensor<A> cast(const tensor<A>&); \
  template tensor<A> cast(const tensor<B>&); \
  template tensor<B> cast(const tensor<A>&); \
  template tensor<B> cast(const tensor<B>&);
INSTANTIATE(float, double)
INSTANTIATE(dual<float>, dual<double>)

}  // namespace autodiff
