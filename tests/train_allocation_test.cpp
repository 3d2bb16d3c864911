// Steps of training in the steady state ask the system for no memory. The allocator of the C
// library is replaced, which operator new and the pools of the engine go through.

#include <tests/catch.hpp>
#include <tests/reference.hpp>

#include <autodiff/tensor/parallel.hpp>
#include <nn/loss.hpp>
#include <nn/network.hpp>
#include <nn/optimizer.hpp>
#include <nn/step.hpp>
#include <nn/train.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

// A sanitizer brings its own allocator, and tensors are not pooled under it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ALLOCATIONS_ARE_COUNTED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ALLOCATIONS_ARE_COUNTED 0
#endif
#endif
#if !defined(ALLOCATIONS_ARE_COUNTED)
#if defined(__GLIBC__)
#define ALLOCATIONS_ARE_COUNTED 1
#else
#define ALLOCATIONS_ARE_COUNTED 0
#endif
#endif

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

#if ALLOCATIONS_ARE_COUNTED
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  ++allocations;
  *out = __libc_memalign(alignment, size);
  return *out ? 0 : ENOMEM;
}
}
#endif

namespace {

bool skipped() {
  if (ALLOCATIONS_ARE_COUNTED) return false;
  WARN("skipped: allocations cannot be counted in this build");
  return true;
}

template <class T>
autodiff::tensor<T> drawn(const autodiff::shape& s, std::uint64_t seed) {
  return autodiff::tensor<T>(
      s, std::span<const T>(reference::random(seed).uniform<T>(s.size(), 0, 1)));
}

/// Allocations of so many steps of training after 3 to warm up.
template <class T>
std::size_t allocations_of_steps(nn::network<T>& net, const nn::optimizer& optimizer,
                                 const nn::loss& loss, const autodiff::tensor<T>& x,
                                 const autodiff::tensor<T>& t, int count = 1000) {
  autodiff::tape tape;
  std::vector<autodiff::tensor<T>> gradients;
  nn::optimizer_state<T> steps(optimizer);
  const auto step = [&] {
    nn::gradient_step(
        tape, net, [&] { return loss(net(x), t); }, gradients);
    steps.update(net, gradients);
  };
  for (int i = 0; i < 3; ++i) step();
  const std::size_t before = allocations;
  for (int i = 0; i < count; ++i) step();
  return allocations - before;
}

template <class T>
std::size_t allocations_of_training(const nn::dataset<T>& data, nn::training how) {
  nn::network<T> net(data.inputs.shape()[1],
                     {nn::dense(16, nn::relu), nn::dense(data.targets.shape()[1])}, nn::seed{1});
  const std::size_t before = allocations;
  nn::train(net, data, how);
  return allocations - before;
}

}  // namespace

TEST_CASE("the count sees every way to allocate") {
  if (skipped()) return;
  const auto seen = [](auto&& allocate) {
    const std::size_t before = allocations;
    allocate();
    return allocations - before;
  };
  // A compiler may leave out an allocation whose pointer goes nowhere.
  static void* volatile escape = nullptr;
  const auto release = [] { std::free(escape); };
  CHECK(seen([&] { escape = std::malloc(10); }) == 1);
  release();
  CHECK(seen([&] { escape = std::calloc(10, 10); }) == 1);
  CHECK(seen([&] { escape = std::realloc(escape, 1000); }) == 1);
  release();
  CHECK(seen([&] { escape = std::aligned_alloc(64, 128); }) == 1);
  release();
  CHECK(seen([&] { escape = ::operator new(10); }) == 1);
  ::operator delete(escape);
  autodiff::tensor<float>(autodiff::shape{3});  // makes this thread's pool
  // A fresh size for it.
  CHECK(seen([&] { autodiff::tensor<float>(autodiff::shape{12345, 7}); }) == 1);
}

TEST_CASE("steps of the 2-3-2 network in double allocate nothing once warm") {
  if (skipped()) return;
  for (const nn::optimizer& optimizer : {nn::optimizer(nn::sgd{}), nn::optimizer(nn::adam{})}) {
    nn::network<double> net(2, {nn::dense(3, nn::tanh), nn::dense(2)}, nn::seed{1});
    const autodiff::tensor<double> x({1.0, 2.0}), t({1.0, 1.15});
    CHECK(allocations_of_steps<double>(net, optimizer, nn::half_squared_error, x, t) == 0);
  }
}

TEST_CASE("steps of a 64-32-10 network in float on batches of 32 allocate nothing once warm") {
  if (skipped()) return;
  const auto x = drawn<float>({32, 64}, 1), t = drawn<float>({32, 10}, 2);
  for (const nn::optimizer& optimizer : {nn::optimizer(nn::sgd{}), nn::optimizer(nn::adam{})}) {
    for (const nn::loss& loss : {nn::half_squared_error, nn::mean_squared_error,
                                 nn::binary_cross_entropy, nn::softmax_cross_entropy}) {
      for (const nn::activation& h : {nn::relu, nn::tanh, nn::sigmoid, nn::softmax}) {
        CAPTURE(std::string(loss.name), std::string(h.name));
        nn::network<float> net(64, {nn::dense(32, h), nn::dense(10)}, nn::seed{1});
        CHECK(allocations_of_steps<float>(net, optimizer, loss, x, t) == 0);
      }
    }
  }
}

TEST_CASE("steps on two threads allocate nothing once warm") {
  if (skipped()) return;
  const std::size_t before = autodiff::threads();
  autodiff::set_threads(2);
  const auto x = drawn<float>({64, 784}, 1), t = drawn<float>({64, 10}, 2);
  for (const nn::optimizer& optimizer : {nn::optimizer(nn::sgd{}), nn::optimizer(nn::adam{})}) {
    nn::network<float> net(784, {nn::dense(128, nn::relu), nn::dense(10)}, nn::seed{1});
    CHECK(allocations_of_steps<float>(net, optimizer, nn::softmax_cross_entropy, x, t, 100) == 0);
  }
  autodiff::set_threads(before);
}

TEST_CASE("training allocates nothing for a further batch or a further epoch") {
  if (skipped()) return;
  const nn::dataset<float> few{drawn<float>({100, 8}, 1), drawn<float>({100, 4}, 2)};
  const nn::training how{
      .loss = nn::softmax_cross_entropy, .epochs = 2, .batch = 32, .progress = nn::progress::off};
  // One run for what lives on in pools.
  allocations_of_training(few, how);
  const std::size_t once = allocations_of_training(few, how);
  CHECK(once > 0);

  nn::training long_run = how;
  long_run.epochs = 50;
  CHECK(allocations_of_training(few, long_run) == once);

  const nn::dataset<float> many{drawn<float>({4004, 8}, 1), drawn<float>({4004, 4}, 2)};
  CHECK(allocations_of_training(many, how) == once);
}
