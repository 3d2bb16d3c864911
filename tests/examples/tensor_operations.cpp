// What tensors can do beside arithmetic: views, choices, reductions, sums by letters, linear
// algebra, fusion.

#include <autodiff/autodiff.hpp>

#include <fmt/format.h>

#include <vector>

namespace ad = autodiff;

namespace {

void look_without_copies() {
  ad::tape tape;
  auto x = tape.variable(ad::tensor<double>({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}, {7.0, 8.0, 9.0}}));

  auto middle = select(x, 0, 1);  // [3]: {4, 5, 6}
  auto corners =
      slice(x, {ad::range{0, 3, 2}, ad::range{-2}});  // rows 0 and 2, the last two columns
  auto backwards = flip(transpose(x), 0);             // views of views
  auto columns = reshape(x, {-1, 1});                 // one extent follows from the size
  tape.backward(sum(middle) + sum(corners * corners) + backwards(0, 0) + columns(0, 0));
  fmt::print("{}\n", tape.adjoint(x));
}

void choose_and_reduce() {
  ad::tape tape;
  auto x = tape.variable(ad::tensor<double>({{-1.0, 0.0, 4.0}, {1.0, 2.0, 9.0}}));

  auto roots = where(x > 0.0, sqrt(x), 0.0);  // the side not chosen cannot leak a NaN
  auto spread = stddev(roots, 0);             // over axis 0: [3]
  auto row = max(x, {1});                     // [2]; ties share their slope
  auto weights = softmax(x);                  // along the last axis
  auto picked = gather(weights, 1, {{2}, {0}});
  tape.backward(sum(spread) + sum(row) + sum(log(picked)));
  fmt::print("{}\n", tape.adjoint(x));
}

void solve_and_factor() {
  ad::tape tape;
  auto a = tape.variable(ad::tensor<double>({{4.0, 1.0}, {1.0, 3.0}}));
  auto y = tape.variable(ad::tensor<double>({1.0, -2.0}));

  auto lower = cholesky(a);
  auto fit = dot(y, cholesky_solve(lower, y));
  auto size = 2.0 * sum(log(diagonal(lower)));  // the logarithm of the determinant
  tape.backward(0.5 * (fit + size));            // minus the logarithm of a normal density
  fmt::print("by the covariance\n{}\nby the sample {}\n", tape.adjoint(a), tape.adjoint(y));
}

void sum_by_letters() {
  ad::tape tape;
  auto batch = tape.variable(ad::ones<double>({8, 4, 5}));
  auto w = tape.variable(ad::ones<double>({5, 6}));

  auto products = matmul(batch, w);                        // [8, 4, 6]
  auto same = ad::einsum("bij,jk->bik", batch, w);         // by letters
  auto scores = ad::einsum("bij,bkj->bik", batch, batch);  // each matrix by its own transpose
  tape.backward(sum(products) + sum(same) + sum(scores));
  fmt::print("{}\n", tape.adjoint(w));
}

void fuse_a_chain() {
  const ad::tensor<float> x({{0.1f, 0.2f}, {0.3f, 0.4f}}), b({1.0f, 2.0f});

  auto gate = [](auto v, auto w) { return v * tanh(v + w) / (1.0f + square(v)); };
  auto y = ad::fuse(gate, x, b);  // one operation, one pass over memory, b broadcast
  fmt::print("{}\n", y);
}

}  // namespace

int main() {
  look_without_copies();
  choose_and_reduce();
  solve_and_factor();
  sum_by_letters();
  fuse_a_chain();
}
