#include <autodiff/tape.hpp>
#include <autodiff/tensor/cast.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensor/gradient_table.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace {

using autodiff::cast;
using autodiff::dual;
using autodiff::shape;
using autodiff::tape;
using autodiff::tensor;
using gradient_table::line;
using gradient_table::operands;
using gradient_table::reals;
using reference::real;

/// The number type as wide as T that holds no more than T, and back: from double there is none that
/// keeps the digits which the table asks for, so double goes to itself.
template <class T>
using wider = std::conditional_t<std::same_as<T, float>, double, T>;

}  // namespace

TEST_CASE("casts in a formula have the values and adjoints of plain loops") {
  gradient_table::check_table({
      line(
          "cast there and back", {{2, 3}},
          [](auto x) {
            using T = typename std::decay_t<decltype(x[0])>::value_type;
            return cast<T>(square(cast<wider<T>>(x[0])) + sin(cast<wider<T>>(x[0])));
          },
          [](const operands& x) {
            reals y = x[0];
            for (real& v : y) v = v * v + std::sin(v);
            return y;
          }),
  });
}

TEST_CASE("a cast rounds values, and adjoints on their way back") {
  tape t;
  const double value = 1.0 + 1e-10, weight = 1.0 + 1e-10;
  const tensor<double> x = t.variable(tensor<double>({value, 2.0}));
  const tensor<float> y = cast<float>(x);
  CHECK(y.value(0) == static_cast<float>(value));
  const tensor<double> z = cast<double>(y);
  CHECK(z.value(0) == static_cast<double>(static_cast<float>(value)));
  t.backward(z, tensor<double>({weight, 3.0}));
  CHECK(t.adjoint(x).value(0) == static_cast<double>(static_cast<float>(weight)));
  CHECK(t.adjoint(x).value(1) == 3);
}

TEST_CASE("the adjoint of a cast adds to what others left") {
  tape t;
  const tensor<float> x = t.variable(tensor<float>({1.0f, 2.0f}));
  t.backward(sum(cast<double>(x) * cast<double>(x)) + sum(cast<double>(x + x)));
  CHECK(t.adjoint(x).value(0) == 4);
  CHECK(t.adjoint(x).value(1) == 6);
}

TEST_CASE("a cast keeps tangents") {
  const tensor<dual<float>> x(shape{1}, dual<float>(1.5f, 0.25f));
  const tensor<dual<double>> y = cast<dual<double>>(x);
  CHECK(y.value(0).value() == 1.5);
  CHECK(y.value(0).tangent() == 0.25);
  tape t;
  const auto v = t.variable(x);
  t.backward(sum(square(cast<dual<double>>(v))));
  CHECK(t.adjoint(v).value(0).value() == 3);
  CHECK(t.adjoint(v).value(0).tangent() == 0.5f);
}

TEST_CASE("a cast to the same type is the tensor itself") {
  tape t;
  const tensor<double> x = t.variable(tensor<double>({1.0}));
  CHECK(cast<double>(x).tag() == x.tag());
}

TEST_CASE("views and empty tensors are cast") {
  const tensor<float> x({{1.0f, 2.0f}, {3.0f, 4.0f}});
  CHECK(cast<double>(transpose(x)).value(0, 1) == 3);
  CHECK(cast<double>(tensor<float>(shape{0, 2})).shape() == shape{0, 2});
  CHECK(cast<double>(tensor<float>(2.0f)).item() == 2);
}
