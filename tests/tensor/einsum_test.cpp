#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/einsum.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <autodiff/tensor/view.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/tensors.hpp>

#include <string_view>
#include <vector>

namespace {

using namespace tensors;

const tensor<double> a({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}), b({{1.0, 0.0}, {2.0, 1.0}, {0.0, 3.0}}),
    square({{1.0, 2.0}, {3.0, 4.0}});

}  // namespace

TEST_CASE("einsum over a shared letter is the matrix product") {
  CHECK(numbers(einsum("ij,jk->ik", a, b)) == numbers(matmul(a, b)));
  CHECK(numbers(einsum("ij,jk->ki", a, b)) == numbers(transpose(matmul(a, b))));
  CHECK(einsum("ij,jk->ki", a, b).shape() == shape{2, 2});
  CHECK(numbers(einsum("ji,kj->ik", b, a)) == numbers(transpose(matmul(a, b))));
}

TEST_CASE("einsum without an arrow keeps the letters that stand once, in alphabetical order") {
  CHECK(numbers(einsum("ij,jk", a, b)) == numbers(matmul(a, b)));
  CHECK(numbers(einsum("zj,ja", a, b)) == numbers(transpose(matmul(a, b))));
  CHECK(numbers(einsum("Zj,ja", a, b)) == numbers(matmul(a, b)));
  CHECK(numbers(einsum("ba", a)) == numbers(transpose(a)));
  CHECK(einsum("ii", square).item() == 5);
  CHECK(einsum("ij,ij", a, a).item() == 91);
}

TEST_CASE("einsum of one operand sums, transposes and takes diagonals") {
  CHECK(numbers(einsum("ij->j", a)) == doubles{5, 7, 9});
  CHECK(numbers(einsum("ij->i", a)) == doubles{6, 15});
  CHECK(einsum("ij->", a).item() == 21);
  CHECK(einsum("ij->", a).shape() == shape{});
  CHECK(numbers(einsum("ij->ij", a)) == numbers(a));
  CHECK(numbers(einsum("ii->i", square)) == doubles{1, 4});
  CHECK(einsum("->", tensor<double>(3.0)).item() == 3);
}

TEST_CASE("einsum does not read spaces, and letters are upper or lower case") {
  CHECK(numbers(einsum(" i j , j k -> i k ", a, b)) == numbers(matmul(a, b)));
  CHECK(numbers(einsum("iJ,Jj->ij", a, b)) == numbers(matmul(a, b)));
}

TEST_CASE("einsum of extents 0 is empty, or a sum of nothing") {
  const tensor<double> none(shape{2, 0}), rows(shape{0, 3});
  CHECK(numbers(einsum("ij,jk->ik", none, rows)) == doubles(6));
  CHECK(numbers(einsum("ij->i", none)) == doubles(2));
  CHECK(einsum("ij->ji", rows).shape() == shape{3, 0});
  CHECK(einsum("ii->", tensor<double>(shape{0, 0})).item() == 0);
  tape t;
  const tensor<double> x = t.variable(rows), y = t.variable(tensor<double>(shape{3, 2}, 1.0));
  t.backward(sum(einsum("ij,jk->ki", x, y)));
  CHECK(t.adjoint(x).shape() == shape{0, 3});
  CHECK(numbers(t.adjoint(y)) == doubles(6));
}

TEST_CASE("the adjoint of a trace is the identity") {
  tape t;
  const tensor<double> x = t.variable(square);
  t.backward(einsum("ii->", x));
  CHECK(numbers(t.adjoint(x)) == doubles{1, 0, 0, 1});
  t.backward(einsum("ij,ji->", x, x));  // trace of x x: 2 x^T
  CHECK(numbers(t.adjoint(x)) == doubles{2, 6, 4, 8});
}

TEST_CASE("einsum says which letter does not fit, with indices and shapes") {
  const auto refused = [](std::string_view indices) {
    return message<shape_error>([&] { einsum(indices, a, b); });
  };
  CHECK(says(refused("ij,ik->jk"), "einsum: ", "letter 'i' is both 2 and 3", "\"ij,ik->jk\"",
             "[2, 3] and [3, 2]"));
  CHECK(says(refused("ii,jk->ik"), "letter 'i' is both 2 and 3"));
  CHECK(says(refused("ijk,jk->i"), "3 letters for shape [2, 3]"));
  CHECK(says(refused("ij,j->i"), "1 letters for shape [3, 2]"));
  CHECK(says(refused("ij,jk->il"), "letter 'l' of the result stands in no operand"));
  CHECK(says(refused("ij,jk->ii"), "letter 'i' stands twice in the result"));
  CHECK(says(refused("ijjk->ik"), "there is no comma"));
  CHECK(says(refused("ij,jk,kl->il"), "there is ','"));
  CHECK(says(refused("...j,jk->...k"), "there is '.'"));
  CHECK(says(refused("ij,jk>ik"), "there is '>'"));
  CHECK(says(refused("ij,jk->i->k"), "there is '-'"));
  CHECK(says(refused("abcdefghijklmnopq,jk->i"), "too many letters"));
  const auto refused_one = [](std::string_view indices) {
    return message<shape_error>([&] { einsum(indices, a); });
  };
  CHECK(says(refused_one("ij,jk->ik"), "there is a comma", "[2, 3]"));
  CHECK(says(refused_one("i->i"), "1 letters for shape [2, 3]"));
  const tensor<double> wide(shape{1, 1, 1, 1, 1});
  CHECK(says(message<shape_error>([&] { einsum("abcde,fghij", wide, wide); }),
             "the result has too many letters"));
}
