#pragma once

#include <autodiff/tensor/blas.hpp>

#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>

namespace bench::problems {

/// A product of one shape by whoever is faster at it here, the BLAS or the library's own loops:
/// what somebody would write who has tried both. c [m, n] = a b, either factor stored transposed.
class chosen_product {
 public:
  chosen_product(autodiff::transposed a_is, autodiff::transposed b_is, std::size_t m, std::size_t n,
                 std::size_t k)
      : a_is_(a_is), b_is_(b_is), m_(m), n_(n), k_(k) {}

  /// Tries both on these operands; c is overwritten.
  void choose(const float* a, const float* b, float* c) {
    double best[2];
    for (const bool by_blas : {false, true}) {
      best[by_blas] = std::numeric_limits<double>::infinity();
      for (int turn = 0; turn < 7; ++turn) {
        best[by_blas] = std::min(best[by_blas], seconds(by_blas, a, b, c));
      }
    }
    by_blas_ = best[true] < best[false];
  }
  void operator()(const float* a, const float* b, float* c) const { multiply(by_blas_, a, b, c); }

 private:
  void multiply(bool by_blas, const float* a, const float* b, float* c) const {
    using autodiff::transposed;
    if (!by_blas) return autodiff::matrix_product(a_is_, b_is_, m_, n_, k_, a, b, 0.0f, c);
    const auto as_int = [](std::size_t size) { return static_cast<int>(size); };
    const auto order = [](transposed is) {
      return is == transposed::yes ? CblasTrans : CblasNoTrans;
    };
    const int m = as_int(m_), n = as_int(n_), k = as_int(k_);
    cblas_sgemm(CblasRowMajor, order(a_is_), order(b_is_), m, n, k, 1, a,
                a_is_ == transposed::yes ? m : k, b, b_is_ == transposed::yes ? k : n, 0, c, n);
  }
  double seconds(bool by_blas, const float* a, const float* b, float* c) const {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    multiply(by_blas, a, b, c);
    return std::chrono::duration<double>(clock::now() - start).count();
  }

  autodiff::transposed a_is_, b_is_;
  std::size_t m_, n_, k_;
  bool by_blas_ = true;
};

}  // namespace bench::problems
