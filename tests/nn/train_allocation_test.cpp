// Steps of training in the steady state ask the system for no memory.

#include <tests/catch.hpp>
#include <tests/counted_allocations.hpp>
#include <tests/reference.hpp>

#include <autodiff/tensor/parallel.hpp>
#include <nn/loss/loss.hpp>
#include <nn/network/network.hpp>
#include <nn/network/step.hpp>
#include <nn/optimizer/optimizer.hpp>
#include <nn/training/train.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace {

bool skipped() {
  if (malloc_is_counted) return false;
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
  const std::size_t before = requests;
  for (int i = 0; i < count; ++i) step();
  return requests - before;
}

template <class T>
std::size_t allocations_of_training(const nn::dataset<T>& data, nn::training how) {
  nn::network<T> net(data.inputs.shape()[1],
                     {nn::dense(16, nn::relu), nn::dense(data.targets.shape()[1])}, nn::seed{1});
  const std::size_t before = requests;
  nn::train(net, data, how);
  return requests - before;
}

}  // namespace

TEST_CASE("the count sees every way to allocate") {
  if (skipped()) return;
  const auto seen = [](auto&& allocate) {
    const std::size_t before = requests;
    allocate();
    return requests - before;
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

TEST_CASE("steps of any loss allocate nothing once warm") {
  if (skipped()) return;
  const auto x = drawn<float>({32, 64}, 1), t = drawn<float>({32, 10}, 2);
  autodiff::tensor<float> classes(autodiff::shape{32}), rows(autodiff::shape{32, 10});
  for (std::size_t i = 0; i < 32; ++i) {
    classes.mutable_values()[i] = static_cast<float>(i % 10);
    rows.mutable_values()[10 * i + i % 10] = 1;
  }
  const auto count = [&](const nn::loss& e, const autodiff::tensor<float>& targets,
                         const nn::dense& last = nn::dense(10)) {
    CAPTURE(std::string(e.name), autodiff::to_string(targets.shape()));
    nn::network<float> net(64, {nn::dense(32, nn::relu), last}, nn::seed{1});
    CHECK(allocations_of_steps<float>(net, nn::sgd{}, e, x, targets) == 0);
  };
  const std::vector<double> weights(10, 2.0);
  for (const nn::loss& e : {nn::mean_absolute_error, nn::huber(0.5), nn::poisson_nll,
                            nn::mean_squared_error.reduced(nn::reduction::sum), nn::kl_divergence,
                            nn::binary_cross_entropy_with({.positive_weights = weights})})
    count(e, t);
  count(nn::binary_cross_entropy_of_probabilities, t, nn::dense(10, nn::sigmoid));
  count(nn::hinge, rows);
  count(nn::gaussian_nll, t, nn::dense(20, nn::softplus));
  for (const nn::loss& e :
       {nn::softmax_cross_entropy, nn::multiclass_hinge,
        nn::softmax_cross_entropy_with({.label_smoothing = 0.1, .class_weights = weights})}) {
    count(e, classes);
    count(e, rows);
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
