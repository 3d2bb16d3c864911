// A checkpoint goes on only in the training that it is of.

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <nn/data/batch_source.hpp>
#include <nn/files/safetensors.hpp>
#include <nn/network/network.hpp>
#include <nn/training/settings_text.hpp>
#include <nn/training/train.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace {

using autodiff::tensor;

constexpr std::size_t samples = 12;

nn::dataset<double> drawn(std::size_t n = samples) {
  reference::random random(3);
  return {tensor<double>(autodiff::shape{n, 2},
                         std::span<const double>(random.uniform<double>(n * 2, -1, 1))),
          tensor<double>(autodiff::shape{n, 1},
                         std::span<const double>(random.uniform<double>(n, -1, 1)))};
}

nn::network<double> network(const nn::activation& h = nn::tanh) {
  return nn::network<double>(2, {nn::dense(3, h), nn::dense(1)}, nn::seed{1});
}

nn::parameter_group of_rank_one(double rate_factor) {
  return {.holds = [](const nn::parameter_place& p) { return p.shape.rank() == 1; },
          .rate_factor = rate_factor};
}

nn::training settings() {
  return {.optimizer = nn::adam{.rate = 0.1 + 0.2},
          .groups = {of_rank_one(0.5)},
          .schedule = nn::warm_up{.length = 3, .then = nn::reduce_on_plateau{.patience = 2}},
          .epochs = 2,
          .batch = 4,
          .seed = nn::seed{7},
          .penalty = {.l2 = 1e-3},
          .clip_norm = 1.5,
          .average = nn::averaging{.decay = 0.9},
          .early_stopping = nn::early_stopping{.monitor = "loss", .patience = 5}};
}

using change = std::function<void(nn::training&)>;

/// What resuming says after a training with settings(), with these changed.
std::string refusal(const change& differ, const nn::dataset<double>& data = drawn(),
                    nn::network<double> net = network()) {
  const temporary_folder folder;
  nn::training how = settings();
  how.checkpoint = nn::checkpointing{folder / "c"};
  auto first = network();
  nn::train(first, drawn(), how);
  differ(how);
  std::string text = reference::message<autodiff::io_error>([&] { nn::train(net, data, how); });
  UNSCOPED_INFO(text);
  return text;
}
const change nothing = [](nn::training&) {};

}  // namespace

TEST_CASE("another optimizer is refused by name, and its settings are not worth a word") {
  // adam and adamw remember the same of each weight: nothing but the settings tells them apart.
  const std::string text = refusal([](auto& how) { how.optimizer = nn::adamw{}; });
  CHECK(reference::says(
      text, "is the checkpoint of another training:", "its optimizer is \"adam\", not \"adamw\";"));
  CHECK(text.find("optimizer.") == text.npos);
}

TEST_CASE("a setting that changes the weights is refused with both values") {
  using reference::says;
  CHECK(says(refusal([](auto& how) { how.optimizer = nn::adam{.rate = 0.3}; }),
             "its optimizer.rate is \"0.30000000000000004\", not \"0.3\";"));
  CHECK(says(refusal([](auto& how) { how.schedule = nn::constant_rate{}; }),
             "its schedule is \"warm_up\", not \"constant_rate\";"));
  CHECK(says(refusal([](auto& how) {
               how.schedule = nn::warm_up{.length = 3, .then = nn::reduce_on_plateau{}};
             }),
             "its schedule.then.patience is \"2\", not \"10\";"));
  CHECK(says(refusal([](auto& how) { how.groups[0].rate_factor = 2; }),
             "its groups.0.rate_factor is \"0.5\", not \"2\";"));
  CHECK(says(refusal([](auto& how) { how.groups = {}; }), "its groups is \"1\", not \"0\";"));
  CHECK(says(refusal([](auto& how) {
               how.groups[0].holds = [](const nn::parameter_place& p) { return p.index == 3; };
             }),
             "its groups.0.parameters is \"1, 3\", not \"3\";"));
  CHECK(says(refusal([](auto& how) { how.penalty.l1 = 1; }), "its penalty.l1 is \"0\", not \"1\""));
  CHECK(says(refusal([](auto& how) { how.clip_norm = {}; }),
             "its clip_norm is \"1.5\", not \"none\""));
  CHECK(says(refusal([](auto& how) { how.clip_value = 2; }),
             "its clip_value is \"none\", not \"2\""));
  CHECK(says(refusal([](auto& how) { how.average->decay = 0.8; }),
             "its average.decay is \"0.9\", not \"0.8\""));
  CHECK(says(refusal([](auto& how) { how.early_stopping->min_delta = 1; }),
             "its early_stopping.min_delta is \"0\", not \"1\""));
  CHECK(says(refusal([](auto& how) { how.seed = nn::seed{8}; }), "its seed is \"7\", not \"8\""));
  CHECK(says(refusal([](auto& how) { how.loss = nn::huber(0.5); }),
             "its loss is \"mean_squared_error\", not \"huber(0.5)\""));
  // Three batches of twelve samples both ways.
  CHECK(says(refusal([](auto& how) { how.batch = 5; }), "its batch is \"4\", not \"5\";"));
  CHECK(says(refusal([](auto& how) { how.drop_last = nn::drop_last::yes; }),
             "its drop_last is \"false\", not \"true\";"));
}

TEST_CASE("another model of the same shapes is refused, and other data as far as it can be told") {
  using reference::says;
  CHECK(says(refusal(nothing, drawn(), network(nn::relu)),
             "its model is \"2 -> 3 tanh -> 1 identity\", not \"2 -> 3 relu -> 1 identity\""));
  CHECK(says(refusal(nothing, drawn(11)), "its samples of an epoch is \"12\", not \"11\";"));
}

TEST_CASE("epochs, patience, callbacks and files may be others") {
  const temporary_folder folder;
  CHECK(refusal([&](nn::training& how) {
          how.epochs = 4;
          how.early_stopping->patience = 1;
          how.on_epoch = [](const nn::epoch_end&) {};
          how.on_step = [](const nn::step_end&) {};
          how.csv_log = folder / "log.csv";
          how.checkpoint->every_steps = 1;
          how.progress = nn::progress::off;
        }) == "nothing was thrown");
}

TEST_CASE("a source of batches in the place of another is refused by what it lacks") {
  const temporary_folder folder;
  nn::training how = settings();
  how.checkpoint = nn::checkpointing{folder / "c"};
  auto net = network(), same = network();
  nn::memory_source<double> source(drawn(), 4, how.seed);
  nn::train(net, source, how);
  // What a source does not tell cannot be compared.
  struct silent : nn::memory_source<double> {
    using memory_source::memory_source;
    std::map<std::string, std::string> settings() const override { return {{"kind", "own"}}; }
  } other(drawn(), 4, how.seed);
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::train(same, other, how); }),
      "its \"batch\" is \"4\", here is none", "it has no kind, here it is \"own\""));
  nn::train(same, drawn(), how);  // the same batches, from memory
}

TEST_CASE("a checkpoint of an earlier version is refused") {
  const temporary_folder folder;
  nn::training how = settings();
  how.checkpoint = nn::checkpointing{folder / "c"};
  auto net = network();
  const double before = net.layers()[0].dense().weights.values()[0];
  const std::vector<nn::named_tensor> none;
  nn::write_safetensors(folder / "c", none, {{"kind", "backsweep checkpoint 1"}, {"type", "F64"}});
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::train(net, drawn(), how); }),
      "/c\" is a backsweep checkpoint 1, not a backsweep checkpoint 2", "the version"));
  CHECK(net.layers()[0].dense().weights.values()[0] == before);
}

TEST_CASE("every optimizer and schedule tells its own name, and all of its settings") {
  std::set<std::string> kinds;
  nn::training how;
  const auto told = [&](const char* name) { return nn::settings_of(how).at(name); };
  for (const nn::optimizer& optimizer : std::vector<nn::optimizer>{
           nn::sgd{}, nn::adam{}, nn::adamw{}, nn::nadam{}, nn::adamax{}, nn::adagrad{},
           nn::adadelta{}, nn::rmsprop{}, nn::lion{}, nn::rprop{}}) {
    how.optimizer = optimizer;
    kinds.insert(told("optimizer"));
    CHECK(told("optimizer.rate") == fmt::format("{}", nn::rate_of(optimizer)));
  }
  CHECK(kinds.size() == std::variant_size_v<nn::optimizer>);
  kinds.clear();
  for (const nn::schedule& schedule : std::vector<nn::schedule>{
           nn::constant_rate{}, nn::step_decay{}, nn::multi_step_decay{}, nn::exponential_decay{},
           nn::polynomial_decay{}, nn::cosine_annealing{}, nn::cosine_restarts{}, nn::one_cycle{},
           nn::reduce_on_plateau{}, nn::warm_up{}}) {
    how.schedule = schedule;
    kinds.insert(told("schedule"));
  }
  CHECK(kinds.size() == std::variant_size_v<nn::schedule>);
  how.schedule = nn::multi_step_decay{.at = {2, 5}, .unit = nn::time_unit::step};
  CHECK(told("schedule.at") == "2, 5");
  CHECK(told("schedule.unit") == "step");
  CHECK(told("average") == "none");
  how.optimizer = nn::adamw{.amsgrad = true};
  CHECK(told("optimizer.amsgrad") == "true");
  CHECK(told("optimizer.weight_decay") == "0.01");
}
