#include <autodiff/tensor/parallel.hpp>

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tape.hpp>
#include <autodiff/tensor/blas.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/fused.hpp>
#include <autodiff/tensor/kernels.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/network.hpp>
#include <nn/network/step.hpp>
#include <nn/optimizer/optimizer.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using autodiff::parallel;
using autodiff::set_threads;

/// So many threads for one test.
class with_threads {
 public:
  explicit with_threads(std::size_t count) { set_threads(count); }
  ~with_threads() { set_threads(before_); }
  with_threads(const with_threads&) = delete;
  with_threads& operator=(const with_threads&) = delete;

 private:
  std::size_t before_ = autodiff::threads();
};

/// Waits for all to come, which one thread alone would do in vain; whether they came.
class meeting {
 public:
  explicit meeting(std::size_t all) : all_(all) {}
  bool come() {
    ++there_;
    for (int i = 0; i < 60'000 && there_ < all_; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return there_ >= all_;
  }

 private:
  std::size_t all_;
  std::atomic<std::size_t> there_{0};
};

/// What f() gives with one thread, as bytes, and whether it is the same with others.
template <class F>
bool same_bits_on_any_number(const F& f) {
  const auto bytes = [&](std::size_t count) {
    const with_threads threads(count);
    const auto values = f();
    std::vector<std::byte> copy(values.size() * sizeof(values[0]));
    std::memcpy(copy.data(), values.data(), copy.size());
    return copy;
  };
  const auto alone = bytes(1);
  bool same = true;
  for (const std::size_t count : {2, 3, 4, 7}) same &= bytes(count) == alone;
  return same && !alone.empty();
}

/// Whether each was counted once. One check for all: Catch's own account of every element would be
/// most of the work under a sanitizer.
bool once_each(const std::vector<std::atomic<int>>& counts) {
  return std::all_of(counts.begin(), counts.end(), [](int count) { return count == 1; });
}

}  // namespace

TEST_CASE("every part runs once, whatever the numbers of parts and threads") {
  for (const std::size_t threads : {1, 2, 3, 8}) {
    const with_threads set(threads);
    for (const std::size_t parts : {0, 1, 2, 3, 7, 8, 9, 1000}) {
      CAPTURE(threads, parts);
      std::vector<std::atomic<int>> runs(parts);
      parallel(parts, [&](std::size_t part) { ++runs.at(part); });
      CHECK(once_each(runs));
    }
  }
}

TEST_CASE("parts run at the same time on as many threads as were set") {
  for (const std::size_t threads : {2, 3, 5}) {
    const with_threads set(threads);
    meeting all(threads);
    std::atomic<std::size_t> met{0};
    parallel(threads, [&](std::size_t) { met += all.come(); });
    CHECK(met == threads);
  }
}

TEST_CASE("what a body wrote is there when the call returns") {
  const with_threads set(4);
  std::vector<std::size_t> values(64);
  for (std::size_t round = 0; round < 2000; ++round) {
    parallel(values.size(), [&](std::size_t part) { values[part] = round + part; });
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i) wrong += values[i] != round + i;
    REQUIRE(wrong == 0);
  }
}

TEST_CASE("one thread runs the parts in their order and on the calling thread") {
  const with_threads set(1);
  std::vector<std::size_t> order;
  parallel(4, [&](std::size_t part) { order.push_back(part); });
  CHECK(order == std::vector<std::size_t>{0, 1, 2, 3});
}

TEST_CASE("an exception passes to the caller, and the workers go on to serve") {
  for (const std::size_t threads : {1, 2, 4}) {
    const with_threads set(threads);
    for (int round = 0; round < 50; ++round) {
      std::vector<std::atomic<int>> runs(100);
      CHECK_THROWS_WITH(parallel(runs.size(),
                                 [&](std::size_t part) {
                                   ++runs[part];
                                   if (part == 41) throw std::runtime_error("part 41");
                                 }),
                        "part 41");
      CHECK(std::all_of(runs.begin(), runs.end(), [](int count) { return count <= 1; }));
      CHECK(runs[41] == 1);
      std::atomic<int> after{0};
      parallel(10, [&](std::size_t) { ++after; });
      CHECK(after == 10);
    }
  }
}

TEST_CASE("of several exceptions one passes") {
  const with_threads set(3);
  CHECK_THROWS_AS(parallel(100, [](std::size_t) { throw std::out_of_range("each"); }),
                  std::out_of_range);
}

TEST_CASE("a call inside a body runs on the body's thread") {
  const with_threads set(3);
  std::atomic<int> inner{0}, elsewhere{0};
  parallel(8, [&](std::size_t) {
    const auto here = std::this_thread::get_id();
    parallel(10, [&](std::size_t) {
      ++inner;
      elsewhere += std::this_thread::get_id() != here;
    });
  });
  CHECK(inner == 80);
  CHECK(elsewhere == 0);
}

TEST_CASE("many threads may call at once") {
  const with_threads set(3);
  std::atomic<std::size_t> total{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 500; ++round)
        parallel(9, [&](std::size_t part) { total += part; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(total == 4u * 500 * 36);
}

TEST_CASE("the number of threads may change between calls and while others call") {
  const with_threads set(2);
  std::atomic<bool> stop{false};
  std::thread other([&] {
    for (std::size_t count = 1; !stop; count = count % 5 + 1) set_threads(count);
  });
  std::atomic<std::size_t> total{0};
  for (int round = 0; round < 1000; ++round) parallel(6, [&](std::size_t) { ++total; });
  stop = true;
  other.join();
  CHECK(total == 6000);
}

TEST_CASE("threads are counted from 1") {
  const with_threads set(3);
  CHECK(autodiff::threads() == 3);
  CHECK_THROWS_AS(set_threads(0), autodiff::domain_error);
  CHECK_THROWS_WITH(set_threads(0), "set_threads: 0 threads; 1 is the calling thread alone");
  CHECK(autodiff::threads() == 3);
}

TEST_CASE("the environment says 3", "[.environment]") { CHECK(autodiff::threads() == 3); }

TEST_CASE("the variable BACKSWEEP_THREADS says how many threads there are at first") {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    WARN("skipped: the system does not tell where this program is");
    return;
  }
  const auto says = [&](const std::string& variable) {
    const std::string command =
        "BACKSWEEP_THREADS=" + variable + " '" + self.string() + "' '[.environment]' >/dev/null";
    return std::system(command.c_str()) == 0;
  };
  CHECK(says("3"));
  CHECK(!says("2"));
}

TEST_CASE("workers round as the caller does") {
  const with_threads set(2);
  meeting all(2);
  std::atomic<int> upward{0};
  std::fesetround(FE_UPWARD);
  parallel(2, [&](std::size_t) {
    all.come();
    upward += std::fegetround() == FE_UPWARD;
  });
  std::fesetround(FE_TONEAREST);
  CHECK(upward == 2);
  meeting again(2);
  std::atomic<int> nearest{0};
  parallel(2, [&](std::size_t) {
    again.come();
    nearest += std::fegetround() == FE_TONEAREST;
  });
  CHECK(nearest == 2);
}

TEST_CASE("the child of a fork works alone") {
  const with_threads set(3);
  std::atomic<int> before{0};
  parallel(6, [&](std::size_t) { ++before; });
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int runs = 0;
    parallel(6, [&](std::size_t) { ++runs; });
    _exit(runs == 6 ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("ranges make up the whole, begin at multiples of the grain and are not too short") {
  for (const std::size_t threads : {1, 2, 3, 7}) {
    const with_threads set(threads);
    for (const std::size_t n : {0, 1, 63, 64, 99, 100, 199, 200, 201, 1000, 4097}) {
      for (const std::size_t grain : {1, 16, 64, 5000}) {
        CAPTURE(threads, n, grain);
        std::vector<std::atomic<int>> seen(n);
        std::atomic<std::size_t> ranges{0}, off_grain{0};
        autodiff::parallel_ranges(n, 100, grain, [&](std::size_t first, std::size_t count) {
          ++ranges;
          off_grain += first % grain != 0;
          for (std::size_t i = 0; i < count; ++i) ++seen[first + i];
        });
        CHECK(once_each(seen));
        CHECK(off_grain == 0);
        CHECK(ranges >= 1);
        CHECK(ranges <= threads);
        CHECK(ranges <= n / 100 + 1);
      }
    }
  }
}

TEMPLATE_TEST_CASE("a matrix product has the same bits on any number of threads", "", float,
                   double) {
  using autodiff::transposed;
  struct extents {
    std::size_t m, n, k;
  };
  reference::random random(11);
  const TestType betas[] = {0, 1, 0.5};
  std::size_t turn = 0;
  // All worth several threads, and two of them eight; with and without remainders, and results that
  // have no parts to give or fewer than there are threads.
  for (const extents& e : {extents{64, 128, 784},
                           {784, 128, 64},
                           {191, 203, 157},
                           {1, 4001, 1031},
                           {3001, 3, 1009},
                           {160, 168, 512},
                           {181, 203, 347},
                           {1, 1, 3'000'017},
                           {8, 32, 12'007},
                           {16, 40, 9'011},
                           {70, 42, 2'003},
                           {32, 32, 4'099}}) {
    const auto a = random.uniform<TestType>(e.m * e.k, -1, 1),
               b = random.uniform<TestType>(e.k * e.n, -1, 1),
               c = random.uniform<TestType>(e.m * e.n, -1, 1);
    for (const transposed a_is : {transposed::no, transposed::yes}) {
      for (const transposed b_is : {transposed::no, transposed::yes}) {
        // In turn: each beta meets all extents and all four ways of lying in memory.
        const TestType beta = betas[turn++ % 3];
        CAPTURE(e.m, e.n, e.k, a_is == transposed::yes, b_is == transposed::yes, beta);
        CHECK(same_bits_on_any_number([&] {
          std::vector<TestType> sum = c;
          autodiff::matrix_product(a_is, b_is, e.m, e.n, e.k, a.data(), b.data(), beta, sum.data());
          return sum;
        }));
      }
    }
  }
}

TEST_CASE("elementwise operations and softmax have the same bits on any number of threads") {
  using autodiff::tensor;
  constexpr std::size_t n = 200'003;
  const auto numbers = reference::random(5).uniform<float>(n, -3, 3);
  const tensor<float> x(autodiff::shape{n}, numbers), ones(autodiff::shape{n}, 1.0f);
  const auto gradient_of = [&](const auto& f, const tensor<float>& at) {
    return [&f, at, &ones] {
      autodiff::tape tape;
      const tensor<float> leaf = tape.variable(at);
      const tensor<float> y = f(leaf);
      tape.backward(y, tensor<float>(ones.stored().reshaped(y.shape())));
      const auto values = y.values(), slopes = tape.adjoint(leaf).values();
      std::vector<float> both(values.begin(), values.end());
      both.insert(both.end(), slopes.begin(), slopes.end());
      return both;
    };
  };
  const auto unary = [](const tensor<float>& a) { return tanh(a); };
  const auto binary = [](const tensor<float>& a) { return a * sigmoid(a) - 0.3f / (a + 4.0f); };
  CHECK(same_bits_on_any_number(gradient_of(unary, x)));
  CHECK(same_bits_on_any_number(gradient_of(binary, x)));
  for (const std::size_t columns : {7, 100}) {
    const std::size_t rows = n / columns;
    const tensor<float> matrix(autodiff::shape{rows, columns},
                               std::span<const float>(numbers).first(rows * columns));
    CHECK(same_bits_on_any_number([&] {
      const auto weights = softmax(matrix);
      const auto values = weights.values();
      return std::vector<float>(values.begin(), values.end());
    }));
  }
}

TEMPLATE_TEST_CASE("a sum has the bits of the blocked sum on any number of threads", "", float,
                   double) {
  for (const std::size_t n : {70'000, 131'072, 1'000'003, 1'048'576}) {
    CAPTURE(n);
    const auto numbers = reference::random(6).uniform<TestType>(n, -1, 1);
    const autodiff::tensor<TestType> x(autodiff::shape{n}, numbers);
    CHECK(same_bits_on_any_number([&] {
      autodiff::tape tape;
      const auto leaf = tape.variable(x);
      const auto total = mean(leaf);
      tape.backward(total);
      const auto slopes = tape.adjoint(leaf).values();
      std::vector<TestType> both(slopes.begin(), slopes.end());
      both.push_back(total.item());
      return both;
    }));
    CHECK(sum(x).item() == autodiff::plain<TestType>().sum(n, numbers.data()));
  }
}

TEST_CASE("steps of training have the same bits on any number of threads") {
  struct example {
    std::size_t inputs, width, batch;
    nn::activation activation;
  };
  // Widths with and without remainders. The long batch divides its activations among threads, the
  // others the update of their weights.
  for (const example& e :
       {example{784, 128, 64, nn::relu}, {301, 203, 331, nn::tanh}, {256, 256, 96, nn::sigmoid}}) {
    for (const nn::optimizer& optimizer : {nn::optimizer(nn::sgd{}), nn::optimizer(nn::adam{})}) {
      CAPTURE(e.inputs, e.width, std::string(e.activation.name), optimizer.index());
      const auto drawn = [](const autodiff::shape& s, std::uint64_t seed) {
        return autodiff::tensor<float>(
            s, std::span<const float>(reference::random(seed).uniform<float>(s.size(), 0, 1)));
      };
      const auto x = drawn({e.batch, e.inputs}, 1), t = drawn({e.batch, 10}, 2);
      CHECK(same_bits_on_any_number([&] {
        nn::network<float> net(
            e.inputs,
            {nn::dense(e.width, e.activation), nn::dense(e.width, e.activation), nn::dense(10)},
            nn::seed{3});
        autodiff::tape tape;
        std::vector<autodiff::tensor<float>> gradients;
        nn::optimizer_state<float> steps(optimizer);
        std::vector<float> all;
        for (int step = 0; step < 2; ++step) {
          all.push_back(nn::gradient_step(
              tape, net, [&] { return nn::softmax_cross_entropy(net(x), t); }, gradients));
          steps.update(net, gradients);
        }
        net.parameters([&](const autodiff::tensor<float>& p) {
          all.insert(all.end(), p.values().begin(), p.values().end());
        });
        return all;
      }));
    }
  }
}
