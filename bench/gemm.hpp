#pragma once
// Matrix products of dense layers: the engine's against Eigen, raw CBLAS, and oneDNN and BLIS where
// they are installed. For a layer x [n, in], w [in, out]: y = x w (nn), dw = x^T dy (tn) and
// dx = dy w^T (nt).

#include <autodiff/tensor/blas.hpp>

#include <bench/bench.hpp>
#include <bench/peak.hpp>
#include <bench/problems/training.hpp>

#include <cblas.h>
#include <dlfcn.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#if __has_include(<Eigen/Core>)
#include <Eigen/Core>
#define BACKSWEEP_BENCH_EIGEN 1
#endif

namespace bench {

/// c [m, n] = a' b', where a' is a [m, k] or, transposed, stored as [k, m]; b' likewise.
struct gemm_case {
  bool a_turned, b_turned;
  std::size_t m, n, k;

  std::string name(const char* type) const {
    return fmt::format("gemm_{}_{}x{}x{}_{}{}", type, m, k, n, a_turned ? 't' : 'n',
                       b_turned ? 't' : 'n');
  }
  std::size_t a_lead() const { return a_turned ? m : k; }
  std::size_t b_lead() const { return b_turned ? k : n; }
};

/// The functions of libraries that cannot be linked beside a BLAS, since they have its symbols too.
/// Null where they are not installed.
struct gemm_peers {
  using onednn_sgemm = int(char, char, std::int64_t, std::int64_t, std::int64_t, float,
                           const float*, std::int64_t, const float*, std::int64_t, float, float*,
                           std::int64_t);
  template <class T>
  using blis_gemm = void(int, int, std::int64_t, std::int64_t, std::int64_t, T*, T*, std::int64_t,
                         std::int64_t, T*, std::int64_t, std::int64_t, T*, T*, std::int64_t,
                         std::int64_t);

  onednn_sgemm* onednn = load<onednn_sgemm>({"libdnnl.so.2", "libdnnl.so.3"}, "dnnl_sgemm");
  blis_gemm<float>* blis_float = load<blis_gemm<float>>({"libblis.so.4"}, "bli_sgemm");
  blis_gemm<double>* blis_double = load<blis_gemm<double>>({"libblis.so.4"}, "bli_dgemm");

  template <class Function>
  static Function* load(std::initializer_list<const char*> libraries, const char* symbol) {
    for (const char* name : libraries) {
      if (void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL))
        return reinterpret_cast<Function*>(dlsym(library, symbol));
    }
    return nullptr;
  }
};

#ifdef BACKSWEEP_BENCH_EIGEN
template <class T>
void eigen_product(const gemm_case& s, const T* a, const T* b, T* c) {
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto view = [](const T* data, std::size_t rows, std::size_t columns) {
    return Eigen::Map<const matrix>(data, static_cast<Eigen::Index>(rows),
                                    static_cast<Eigen::Index>(columns));
  };
  const auto a_map = s.a_turned ? view(a, s.k, s.m) : view(a, s.m, s.k);
  const auto b_map = s.b_turned ? view(b, s.n, s.k) : view(b, s.k, s.n);
  Eigen::Map<matrix> c_map(c, static_cast<Eigen::Index>(s.m), static_cast<Eigen::Index>(s.n));
  if (s.a_turned)
    c_map.noalias() = a_map.transpose() * b_map;
  else if (s.b_turned)
    c_map.noalias() = a_map * b_map.transpose();
  else
    c_map.noalias() = a_map * b_map;
}
#endif

template <class T>
void cblas_product(const gemm_case& s, const T* a, const T* b, T* c) {
  const auto op = [](bool turned) { return turned ? CblasTrans : CblasNoTrans; };
  const auto as_int = [](std::size_t size) { return static_cast<int>(size); };
  const int m = as_int(s.m), n = as_int(s.n), k = as_int(s.k);
  if constexpr (std::same_as<T, float>) {
    cblas_sgemm(CblasRowMajor, op(s.a_turned), op(s.b_turned), m, n, k, 1.0f, a, as_int(s.a_lead()),
                b, as_int(s.b_lead()), 0.0f, c, n);
  } else {
    cblas_dgemm(CblasRowMajor, op(s.a_turned), op(s.b_turned), m, n, k, 1.0, a, as_int(s.a_lead()),
                b, as_int(s.b_lead()), 0.0, c, n);
  }
}

template <class T>
void blis_product(gemm_peers::blis_gemm<T>* gemm, const gemm_case& s, T* a, T* b, T* c) {
  const auto as_size = [](std::size_t size) { return static_cast<std::int64_t>(size); };
  const std::int64_t a_lead = as_size(s.a_lead()), b_lead = as_size(s.b_lead());
  T one(1), zero(0);
  // Transposition as strides: BLIS looks at nothing else.
  gemm(0, 0, as_size(s.m), as_size(s.n), as_size(s.k), &one, a, s.a_turned ? 1 : a_lead,
       s.a_turned ? a_lead : 1, b, s.b_turned ? 1 : b_lead, s.b_turned ? b_lead : 1, &zero, c,
       as_size(s.n), 1);
}

template <class T>
void measure_product(suite& suite, const gemm_peers& peers, const gemm_case& s) {
  const std::string name = s.name(std::same_as<T, float> ? "f32" : "f64");
  if (!suite.wants(name)) return;
  std::vector<T> a(s.m * s.k), b(s.k * s.n), c(s.m * s.n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<T>(problems::scattered(i));
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<T>(problems::scattered(i + 7));
  std::vector<contestant> contestants;
  contestants.emplace_back("backsweep", [&] {
    autodiff::matrix_product(autodiff::transposed{s.a_turned}, autodiff::transposed{s.b_turned},
                             s.m, s.n, s.k, a.data(), b.data(), T(0), c.data());
  });
  contestants.emplace_back("cblas", [&] { cblas_product(s, a.data(), b.data(), c.data()); });
#ifdef BACKSWEEP_BENCH_EIGEN
  contestants.emplace_back("eigen", [&] { eigen_product(s, a.data(), b.data(), c.data()); });
#endif
  gemm_peers::blis_gemm<T>* blis;
  if constexpr (std::same_as<T, float>) {
    blis = peers.blis_float;
    if (peers.onednn) {
      contestants.emplace_back("onednn", [&] {
        peers.onednn(s.a_turned ? 'T' : 'N', s.b_turned ? 'T' : 'N', static_cast<std::int64_t>(s.m),
                     static_cast<std::int64_t>(s.n), static_cast<std::int64_t>(s.k), 1.0f, a.data(),
                     static_cast<std::int64_t>(s.a_lead()), b.data(),
                     static_cast<std::int64_t>(s.b_lead()), 0.0f, c.data(),
                     static_cast<std::int64_t>(s.n));
      });
    }
  } else {
    blis = peers.blis_double;
  }
  if (blis) {
    contestants.emplace_back("blis", [&] { blis_product(blis, s, a.data(), b.data(), c.data()); });
  }
  std::vector<std::string> tools;
  for (const contestant& one : contestants) tools.push_back(one.tool);
  const auto peak = peak_loop<T>::of_this_cpu();
  if (peak) contestants.push_back(peak.as_contestant());
  const std::vector<timing> timings = suite.race(std::move(contestants), 0.3);
  double best = timings[1].fastest();
  for (std::size_t i = 2; i < tools.size(); ++i) best = std::min(best, timings[i].fastest());
  const double work =
      2e-9 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const double fastest = timings[i].fastest();
    suite.row({name, tools[i], time_text(fastest), time_text(timings[i].median()),
               fmt::format("{:.0f} %", 100 * timings[i].spread()),
               fmt::format("{:.1f}", work / fastest),
               peak ? fmt::format("{:.2f}", work / fastest / peak.gflops(timings.back())) : "-",
               fmt::format("{:.2f}", best / fastest)});
    suite.figure(name, tools[i], "gflops", work / fastest);
  }
  suite.figure(name, "backsweep", "gemm_over_best", best / timings[0].fastest());
}

/// The three products of every layer of the networks (b) to (e), and a tiny one.
inline void measure_products(suite& suite) {
  suite.columns(
      {"product", "tool", "fastest", "median", "spread", "GFLOP/s", "/ peak", "best peer / tool"});
  struct layer {
    std::size_t batch, in, out;
  };
  const gemm_peers peers;
  for (const layer& l : {layer{4, 4, 4},
                         {32, 64, 32},
                         {32, 32, 10},
                         {32, 64, 128},
                         {64, 784, 128},
                         {64, 128, 10},
                         {128, 784, 512},
                         {128, 512, 512},
                         {128, 512, 10},
                         {1024, 1024, 1024},
                         {1024, 1024, 10}}) {
    for (const gemm_case& s : {gemm_case{false, false, l.batch, l.out, l.in},
                               gemm_case{true, false, l.in, l.out, l.batch},
                               gemm_case{false, true, l.batch, l.in, l.out}}) {
      measure_product<float>(suite, peers, s);
      if (!suite.quick() || !suite.whole()) measure_product<double>(suite, peers, s);
    }
  }
}

}  // namespace bench
