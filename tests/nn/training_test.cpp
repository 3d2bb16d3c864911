// What the settings of a training do, each held to what follows from it by hand.

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/elementwise.hpp>
#include <autodiff/tensor/linear.hpp>
#include <autodiff/tensor/parallel.hpp>
#include <autodiff/tensor/reduce.hpp>
#include <nn/data/batch_source.hpp>
#include <nn/network/network.hpp>
#include <nn/training/predict.hpp>
#include <nn/training/train.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using autodiff::tensor;

/// y = w x + c with one weight, whose every number can be followed by hand.
struct line {
  tensor<double> w{{1.0}}, c{0.0};

  tensor<double> operator()(const tensor<double>& x) const { return matmul(x, w) + c; }
  template <class Visitor>
  void parameters(Visitor&& visit) {
    visit(w);
    visit(c);
  }
};

/// No row for each sample.
struct summing {
  tensor<double> operator()(const tensor<double>& x) const { return sum(x); }
  template <class Visitor>
  void parameters(Visitor&&) {}
};

/// Of slope infinite where it starts.
struct rooted {
  tensor<double> w{{0.0}};
  tensor<double> operator()(const tensor<double>& x) const { return x * sqrt(w); }
  template <class Visitor>
  void parameters(Visitor&& visit) {
    visit(w);
  }
};

/// Targets 3 x on x = 1: the gradient of half the squared error by w, and by c, is w + c - 3.
nn::dataset<double> one_sample() { return {tensor<double>({{1.0}}), tensor<double>({{3.0}})}; }

template <class T = double>
nn::dataset<T> noise(std::size_t n, std::size_t inputs, std::size_t outputs, std::uint64_t seed) {
  reference::random random(seed);
  return {tensor<T>(autodiff::shape{n, inputs},
                    std::span<const T>(random.uniform<T>(n * inputs, -1, 1))),
          tensor<T>(autodiff::shape{n, outputs},
                    std::span<const T>(random.uniform<T>(n * outputs, -1, 1)))};
}

template <class T>
std::vector<T> state_of(nn::network<T>& net) {
  std::vector<T> values;
  net.state([&](const std::string&, const tensor<T>& t) {
    values.insert(values.end(), t.values().begin(), t.values().end());
  });
  return values;
}

nn::training steps_of_sgd(std::size_t epochs, double rate = 0.25) {
  return {.loss = nn::half_squared_error, .optimizer = nn::sgd{.rate = rate}, .epochs = epochs};
}

}  // namespace

TEST_CASE("a struct with parameters and a call operator trains") {
  line model;
  const auto history = nn::train(model, one_sample(), steps_of_sgd(2));
  // Both parameters move by 0.25 * 2, then by 0.25 * 1.
  CHECK(history[0].loss == 2);
  CHECK(history[1].loss == 0.5);
  CHECK(model.w.item() == 1.75);
  CHECK(model.c.item() == 0.75);
}

TEST_CASE("a loss that is a sum is reported per sample, in training and validation alike") {
  line model;
  const nn::dataset<double> data{tensor<double>({{1.0}, {1.0}, {1.0}}),
                                 tensor<double>({{3.0}, {3.0}, {3.0}})};
  nn::training how = steps_of_sgd(1, 1e-300);
  how.batch = 2;
  const auto record = nn::train(model, data, data, how).back();
  CHECK(record.loss == 2);
  CHECK(record.validation_loss == 2.0);
}

TEST_CASE("the rate follows the schedule, and the history tells it") {
  nn::training how = steps_of_sgd(3);
  how.schedule = nn::exponential_decay{.factor = 0.5};
  line model;
  const auto history = nn::train(model, one_sample(), how);
  CHECK(nn::values_of(history, "rate") == std::vector<double>{0.25, 0.125, 0.0625});
  // The gradient is w + c - 3, which a step at rate r multiplies by 1 - 2 r.
  CHECK(model.w.item() + model.c.item() == 3 - 2 * 0.5 * 0.75 * 0.875);
}

TEST_CASE("a plateau of the validation loss lowers the rate") {
  nn::training how = steps_of_sgd(6);
  how.schedule = nn::reduce_on_plateau{.factor = 0.5, .patience = 1};
  // The model moves away from these targets: the first epoch stays the best.
  const nn::dataset<double> away{tensor<double>({{1.0}}), tensor<double>({{-5.0}})};
  line model;
  const auto rates = nn::values_of(nn::train(model, one_sample(), away, how), "rate");
  CHECK(rates == std::vector<double>{0.25, 0.25, 0.25, 0.125, 0.125, 0.0625});
}

TEST_CASE("gradients are clipped, by value before norm") {
  line model;
  nn::training how = steps_of_sgd(1);
  how.clip_value = 1;
  nn::train(model, one_sample(), how);
  CHECK(model.w.item() == 1.25);  // from a gradient of -2, which became -1
  CHECK(model.c.item() == 0.25);

  line other;
  how.clip_norm = 0.5;
  nn::train(other, one_sample(), how);
  // (-1, -1) of norm sqrt 2, scaled to 0.5 / (sqrt 2 + 1e-6) of it.
  CHECK(std::abs(other.c.item() - 0.25 * 0.5 / (std::sqrt(2.0) + 1e-6)) < 1e-15);
}

TEST_CASE("gradients of frozen parameters are no part of the norm that is clipped") {
  // On x = 2 the gradient by w is 2 (2 w + c - 3) = -2 and by c is -1: alone it is within 1.
  const nn::dataset<double> data{tensor<double>({{2.0}}), tensor<double>({{3.0}})};
  line m;
  const nn::training how{
      .loss = nn::half_squared_error,
      .optimizer = nn::sgd{.rate = 0.1},
      .groups = {{.holds = [](const auto& p) { return p.index == 0; }, .frozen = true}},
      .epochs = 1,
      .clip_norm = 1};
  nn::train(m, data, how);
  CHECK(m.w.values()[0] == 1);
  CHECK(reference::close(m.c.values()[0], 0.1, 1e-6L));
}

TEST_CASE("a penalty pulls at the weights, and is no part of the loss that is reported") {
  line model;
  nn::training how = steps_of_sgd(1);
  how.penalty = {.l2 = 4};
  const auto record = nn::train(model, one_sample(), how).back();
  CHECK(record.loss == 2);
  CHECK(model.w.item() == 1 - 0.25 * (-2 + 4 * 1));
  CHECK(model.c.item() == 0.5);  // a bias is no weight
}

TEST_CASE("groups of parameters may stand still") {
  line model;
  nn::training how = steps_of_sgd(3);
  how.groups = {
      {.holds = [](const nn::parameter_place& p) { return p.index == 0; }, .frozen = true}};
  nn::train(model, one_sample(), how);
  CHECK(model.w.item() == 1);
  CHECK(model.c.item() > 0.5);
}

TEST_CASE("the average of the weights is what is measured and left in the end") {
  line plain, model;
  nn::train(plain, one_sample(), steps_of_sgd(1));
  const double first = plain.w.item();
  nn::train(plain, one_sample(), steps_of_sgd(1));
  const double second = plain.w.item();

  nn::training how = steps_of_sgd(2);
  how.average = nn::averaging{.decay = 0.75};
  const auto history = nn::train(model, one_sample(), one_sample(), how);
  const double average = 0.75 * first + 0.25 * second;
  CHECK(model.w.item() == average);
  // Of w + c, c being w - 1.
  CHECK(history.back().validation_loss == 0.5 * (2 * average - 4) * (2 * average - 4));
}

TEST_CASE("training stops when what is monitored gets no better, with the best weights") {
  // Ever better on its own data, ever worse on the other: the first epoch is the best.
  const nn::dataset<double> away{tensor<double>({{1.0}}), tensor<double>({{-5.0}})};
  nn::training how = steps_of_sgd(50);
  how.early_stopping = nn::early_stopping{.patience = 3};
  line model, once;
  const auto history = nn::train(model, one_sample(), away, how);
  CHECK(history.size() == 4);
  nn::train(once, one_sample(), steps_of_sgd(1));
  CHECK(model.w.item() == once.w.item());

  how.early_stopping->restore_best = false;
  line last, four;
  nn::train(last, one_sample(), away, how);
  nn::train(four, one_sample(), steps_of_sgd(4));
  CHECK(last.w.item() == four.w.item());
}

TEST_CASE("early stopping can monitor a metric, and the loss where there is no validation data") {
  const nn::metric minus_w("negated mean", [](const auto& y, const auto&) {
    return -static_cast<double>(sum(y).item());
  });
  nn::training how = steps_of_sgd(20);
  how.metrics = {minus_w};
  how.early_stopping =
      nn::early_stopping{.monitor = "negated mean", .aim = nn::aim::higher, .patience = 2};
  line model;
  CHECK(nn::train(model, one_sample(), how).size() == 3);
  how.early_stopping = nn::early_stopping{.monitor = "loss", .patience = 2};
  line other;
  CHECK(nn::train(other, one_sample(), how).size() == 20);
}

TEST_CASE("running statistics belong to the best weights") {
  const auto data = noise(32, 3, 1, 1), other = noise(32, 3, 1, 2);
  const auto make = [] {
    return nn::network<double>(3, {nn::dense(4), nn::batch_norm(), nn::dense(1)}, nn::seed{1});
  };
  nn::training how{.optimizer = nn::sgd{.rate = 0.1}, .epochs = 30, .batch = 8};
  how.early_stopping = nn::early_stopping{.patience = 2};
  auto net = make();
  const auto history = nn::train(net, data, other, how);
  REQUIRE(history.size() < 30);
  const std::size_t best = history.size() - 2;
  auto same = make();
  nn::train(same, data, {.optimizer = nn::sgd{.rate = 0.1}, .epochs = best, .batch = 8});
  CHECK(state_of(net) == state_of(same));
}

TEST_CASE("callbacks see every step and every epoch, and may stop training") {
  const auto data = noise(10, 2, 1, 1);
  std::vector<std::size_t> steps, epochs;
  nn::training how{.epochs = 3, .batch = 4};
  how.on_step = [&](const nn::step_end& now) {
    CHECK(now.step == now.epoch * 3 + now.batch);
    CHECK(now.batches == 3);
    CHECK(std::isfinite(now.loss));
    CHECK(now.rate == 1e-3);
    steps.push_back(now.step);
  };
  how.on_epoch = [&](const nn::epoch_end& now) {
    CHECK(now.past.size() == now.epoch + 1);
    epochs.push_back(now.epoch);
  };
  nn::network<double> net(2, {nn::dense(1)}, nn::seed{1});
  nn::train(net, data, how);
  CHECK(steps == std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(epochs == std::vector<std::size_t>{0, 1, 2});

  how.on_epoch = [](const nn::epoch_end& now) {
    return now.epoch == 1 ? nn::verdict::stop : nn::verdict::go_on;
  };
  CHECK(nn::train(net, data, how).size() == 2);

  // Within an epoch there is no record of it; after its last step there is.
  for (const auto& [at, records] : {std::pair<std::size_t, std::size_t>{4, 1}, {5, 2}}) {
    steps.clear();
    how.on_step = [&steps, at = at](const nn::step_end& now) {
      steps.push_back(now.step);
      return now.step == at ? nn::verdict::stop : nn::verdict::go_on;
    };
    how.on_epoch = {};
    CHECK(nn::train(net, data, how).size() == records);
    CHECK(steps.size() == at + 1);
  }
}

TEST_CASE("what a callback throws passes through, and leaves a model of constants") {
  line model;
  nn::training how = steps_of_sgd(3);
  how.on_epoch = [](const nn::epoch_end&) { throw std::runtime_error("enough"); };
  CHECK_THROWS_WITH(nn::train(model, one_sample(), how), "enough");
  CHECK(!model.w.is_recorded());
}

TEST_CASE("a log of the history is written as training goes") {
  const temporary_folder folder;
  nn::training how = steps_of_sgd(2);
  how.csv_log = folder / "log.csv";
  std::size_t rows = 0;
  how.on_epoch = [&](const nn::epoch_end&) {
    std::ifstream in(folder / "log.csv");
    std::string row;
    for (rows = 0; std::getline(in, row); ++rows) {
    }
  };
  line model;
  nn::train(model, one_sample(), how);
  CHECK(rows == 3);
}

TEST_CASE("what dropout draws is a function of the seed and the step") {
  const auto data = noise(40, 4, 2, 1);
  const auto trained = [&](std::uint64_t seed) {
    nn::network<double> net(4, {nn::dense(16, nn::relu), nn::dropout(0.5), nn::dense(2)},
                            nn::seed{1});
    nn::train(net, data, {.epochs = 3, .batch = 16, .seed = nn::seed{seed}});
    return state_of(net);
  };
  const auto once = trained(1);
  CHECK(trained(1) == once);
  CHECK(trained(2) != once);
}

TEMPLATE_TEST_CASE("training gives the same bits on one thread and on several", "", float, double) {
  using T = TestType;
  const auto data = noise<T>(256, 300, 4, 1);
  const std::size_t before = autodiff::threads();
  const auto trained = [&](std::size_t threads) {
    autodiff::set_threads(threads);
    nn::network<T> net(300,
                       {nn::dense(200, nn::tanh), nn::batch_norm(), nn::dropout(0.3),
                        nn::dense(120, nn::relu), nn::dense(4)},
                       nn::seed{1});
    const auto history = nn::train(net, data, data,
                                   {.epochs = 2,
                                    .batch = 100,
                                    .clip_norm = 0.5,
                                    .average = nn::averaging{},
                                    .metrics = {nn::r_squared}});
    auto all = state_of(net);
    for (const auto& epoch : history) {
      for (const char* name : {"loss", "validation_loss", "r_squared", "validation_r_squared"})
        all.push_back(static_cast<T>(epoch.value(name)));
    }
    return all;
  };
  const auto once = trained(1);
  for (const std::size_t threads : {2, 3, 4}) CHECK(trained(threads) == once);
  autodiff::set_threads(before);
}

TEST_CASE("a source of batches trains as the data in memory does") {
  const auto data = noise(30, 3, 2, 1);
  const auto make = [] { return nn::network<double>(3, {nn::dense(2)}, nn::seed{1}); };
  auto net = make(), same = make();
  nn::memory_source<double> source(data, 8, nn::seed{5});
  nn::train(net, source, {.epochs = 3, .batch = 1});
  nn::train(same, data, {.epochs = 3, .batch = 8, .seed = nn::seed{5}});
  CHECK(state_of(net) == state_of(same));
}

TEST_CASE("a source without samples is refused") {
  nn::network<double> net(3, {nn::dense(2)}, nn::seed{1});
  nn::memory_source<double> source(noise(0, 3, 2, 1), 8, nn::seed{5});
  CHECK(reference::says(
      reference::message<autodiff::shape_error>([&] { nn::train(net, source, {.epochs = 1}); }),
      "train: epoch 1 has no batches", "at least one sample"));
}

TEST_CASE("class indices are targets, and samples may have any shape") {
  const nn::dataset<double> data{tensor<double>(autodiff::shape{4, 2, 3}, 1.0),
                                 tensor<double>({0.0, 1.0, 2.0, 1.0})};
  nn::network<double> net(autodiff::shape{2, 3}, {nn::flatten(), nn::dense(3)}, nn::seed{1});
  const auto history = nn::train(
      net, data, {.loss = nn::softmax_cross_entropy, .epochs = 2, .metrics = {nn::accuracy}});
  CHECK(history.back().loss < history.front().loss);
}

TEST_CASE("prediction is the same, however many samples go at a time") {
  const auto data = noise(10, 3, 1, 1);
  const nn::network<double> net(3, {nn::dense(5, nn::tanh), nn::dense(2)}, nn::seed{1});
  nn::network<double> model = net;
  const auto whole = net(data.inputs);
  for (const std::size_t at_a_time : {1, 3, 5, 9, 10, 11, 1000}) {
    const auto y = nn::predict<double>(model, data.inputs, at_a_time);
    CHECK(y.shape() == whole.shape());
    for (std::size_t i = 0; i < y.size(); ++i)
      CHECK(reference::close(y.values()[i], whole.values()[i], 1e-14L));
  }
  const tensor<double> none(autodiff::shape{0, 3});
  CHECK(nn::predict<double>(model, none).shape() == autodiff::shape{0, 2});
}

TEST_CASE("inputs that cannot be predicted sample by sample are refused") {
  nn::network<double> net(3, {nn::dense(2)}, nn::seed{1});
  CHECK(reference::says(reference::message<autodiff::shape_error>(
                            [&] { nn::predict<double>(net, tensor<double>(1.0)); }),
                        "predict: inputs of shape []"));
  CHECK(reference::says(reference::message<autodiff::domain_error>([&] {
                          nn::predict<double>(net, tensor<double>(autodiff::shape{4, 3}), 0);
                        }),
                        "predict: 0 samples at a time"));
  summing model;
  CHECK(reference::says(reference::message<autodiff::shape_error>([&] {
                          nn::predict<double>(model, tensor<double>(autodiff::shape{4, 3}));
                        }),
                        "predict: the model gives [] for 4 samples"));
}

TEST_CASE("settings of training out of range are refused by name, before a weight moved") {
  line model;
  const auto refusal = [&](auto&& change) {
    nn::training how = steps_of_sgd(2);
    change(how);
    std::string text =
        reference::message<autodiff::domain_error>([&] { nn::train(model, one_sample(), how); });
    CHECK(model.w.item() == 1);
    return text;
  };
  CHECK(
      reference::says(refusal([](auto& how) { how.loss = how.loss.reduced(nn::reduction::none); }),
                      "train: the loss half_squared_error (none) gives no number"));
  CHECK(reference::says(refusal([](auto& how) { how.clip_value = 0; }), "train: clip_value is 0"));
  CHECK(reference::says(refusal([](auto& how) { how.clip_norm = -1; }), "train: clip_norm is -1"));
  CHECK(reference::says(refusal([](auto& how) { how.penalty.l1 = -1; }), "strength"));
  CHECK(reference::says(refusal([](auto& how) { how.schedule = nn::step_decay{.factor = 2}; }),
                        "step_decay"));
  CHECK(reference::says(refusal([](auto& how) { how.average = nn::averaging{.decay = 1}; }),
                        "moving_average"));
  CHECK(reference::says(
      refusal([](auto& how) { how.early_stopping = nn::early_stopping{.patience = 0}; }),
      "early_stopping"));
  CHECK(reference::says(refusal([](auto& how) { how.early_stopping = nn::early_stopping{}; }),
                        "\"validation_loss\" was measured", "there are loss, rate"));
  CHECK(reference::says(refusal([](auto& how) {
                          how.metrics = {nn::accuracy, nn::accuracy_above(0.5)};
                        }),
                        "train: two measures have the name accuracy", "a name of its own"));
  CHECK(reference::says(refusal([](auto& how) {
                          how.metrics = {nn::metric("rate", [](auto&, auto&) { return 1.0; })};
                        }),
                        "train: two measures have the name rate"));
  CHECK(reference::says(refusal([](auto& how) {
                          how.checkpoint = nn::checkpointing{"never", 0};
                        }),
                        "train: a checkpoint after every 0 epochs"));
}

TEST_CASE("gradients that are not finite stop training where their norm is looked at") {
  rooted model;
  const nn::dataset<double> data{tensor<double>({{1.0}}), tensor<double>({{1.0}})};
  nn::training how = steps_of_sgd(1);
  how.clip_norm = 1;
  CHECK(reference::says(
      reference::message<autodiff::domain_error>([&] { nn::train(model, data, how); }),
      "train: the norm of the gradients is inf in epoch 1, batch 1", "lower the rate"));
  CHECK(model.w.item() == 0);
}

TEST_CASE("weights that a step made infinite are told by parameter, not only by their loss") {
  // Of a finite loss and an infinite gradient.
  const nn::dataset<double> data{tensor<double>({{1.0}, {1.0}}), tensor<double>({{1.0}, {1.0}})};
  nn::training how = steps_of_sgd(1);
  how.batch = 1;
  rooted model;
  CHECK(reference::says(
      reference::message<autodiff::domain_error>([&] { nn::train(model, data, how); }),
      "train: parameter 0 holds inf before epoch 1, batch 2", "lower the rate, or clip"));
  rooted clipped;
  how.clip_value = 1;
  nn::train(clipped, data, how);
  CHECK(std::isfinite(clipped.w.item()));
  line spoilt;
  spoilt.c = tensor<double>(std::numeric_limits<double>::quiet_NaN());
  CHECK(reference::says(
      reference::message<autodiff::domain_error>([&] { nn::train(spoilt, one_sample(), how); }),
      "train: parameter 1 holds nan before epoch 1, batch 1"));
}

TEST_CASE("weights that leave the finite numbers by the last step of an epoch stop training") {
  const temporary_folder folder;
  line model;
  nn::training how = steps_of_sgd(1, 1e308);  // along a gradient of -2, of a finite loss
  how.checkpoint = nn::checkpointing{folder / "c"};
  CHECK(reference::says(
      reference::message<autodiff::domain_error>([&] { nn::train(model, one_sample(), how); }),
      "train: parameter 0 holds inf after epoch 1, batch 1", "lower the rate"));
  // Its checkpoint is the one before.
  line again;
  how.optimizer = nn::sgd{.rate = 1e308};
  how.epochs = 0;
  CHECK(nn::train(again, one_sample(), how).empty());
  CHECK(again.w.item() == 1);
}
