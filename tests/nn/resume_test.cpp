// A training that was stopped, by whatever, goes on as if it never had.

#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <autodiff/tensor/parallel.hpp>
#include <nn/files/save.hpp>
#include <nn/network/network.hpp>
#include <nn/training/checkpoint.hpp>
#include <nn/training/train.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill() is of POSIX
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace {

using autodiff::tensor;

/// Its state() gives two tensors one name.
struct twins {
  tensor<float> a{1.0f}, b{2.0f};

  tensor<float> operator()(const tensor<float>& x) const { return x * a + b; }
  template <class Visitor>
  void parameters(Visitor&& visit) {
    visit(a);
    visit(b);
  }
  template <class Visitor>
  void state(Visitor&& visit) {
    visit(std::string("same"), a);
    visit(std::string("same"), b);
  }
};

constexpr std::size_t epochs = 4;
constexpr const char* folder_variable = "BACKSWEEP_RESUME_FOLDER";

nn::dataset<float> sample(std::uint64_t seed) {
  reference::random random(seed);
  constexpr std::size_t n = 60;
  return {tensor<float>(autodiff::shape{n, 5},
                        std::span<const float>(random.uniform<float>(n * 5, -1, 1))),
          tensor<float>(autodiff::shape{n, 2},
                        std::span<const float>(random.uniform<float>(n * 2, -1, 1)))};
}

nn::network<float> network() {
  return nn::network<float>(
      5, {nn::dense(8, nn::relu), nn::batch_norm(), nn::dropout(0.3), nn::dense(2)}, nn::seed{3});
}

/// Everything that a checkpoint has to keep is at work.
nn::training settings(const std::filesystem::path& folder) {
  return {.optimizer = nn::adam{.rate = 0.05},
          .schedule = nn::warm_up{.length = 7, .then = nn::cosine_annealing{}},
          .epochs = epochs,
          .batch = 16,
          .seed = nn::seed{11},
          .penalty = {.l2 = 1e-3},
          .clip_norm = 1.0,
          .average = nn::averaging{.decay = 0.9},
          .metrics = {nn::r_squared},
          .early_stopping = nn::early_stopping{.patience = epochs},
          .checkpoint = nn::checkpointing{folder / "checkpoint", 1, 3}};
}

/// Leaves the network in a file, and what was measured but for the seconds in another.
void train_into(const std::filesystem::path& folder, const nn::training& how) {
  auto net = network();
  const nn::history past = nn::train(net, sample(1), sample(2), how);
  std::ofstream measures(folder / "measures");
  for (const nn::epoch_record& epoch : past) {
    for (const std::string& name : epoch.names())
      if (name != "seconds") measures << fmt::format("{} {:a}\n", name, epoch.value(name));
  }
  nn::save(net, folder / "net.safetensors");
}

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}
void check_same(const std::filesystem::path& a, const std::filesystem::path& b) {
  CHECK(content(a / "measures") == content(b / "measures"));
  CHECK(content(a / "net.safetensors") == content(b / "net.safetensors"));
}

/// This program again, to run the hidden test below into this folder.
pid_t start_child(const std::filesystem::path& folder) {
  ::setenv(folder_variable, folder.c_str(), 1);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  std::string name = "a child trains into its folder";
  char* const arguments[] = {const_cast<char*>(self.c_str()), name.data(), nullptr};
  posix_spawn_file_actions_t silent;
  posix_spawn_file_actions_init(&silent);
  posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = -1;
  REQUIRE(posix_spawn(&child, self.c_str(), &silent, nullptr, arguments, environ) == 0);
  posix_spawn_file_actions_destroy(&silent);
  return child;
}
/// Whether it ended by itself, and well.
bool has_finished(pid_t child) {
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) {
    CHECK(WTERMSIG(status) == SIGKILL);
    return false;
  }
  REQUIRE(WEXITSTATUS(status) == 0);
  return true;
}

}  // namespace

TEST_CASE("a child trains into its folder", "[.]") {
  const char* const folder = std::getenv(folder_variable);
  if (folder == nullptr) return;
  nn::training how = settings(folder);
  // Long enough for a signal to find it at work.
  how.on_step = [](const nn::step_end&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  };
  train_into(folder, how);
}

TEST_CASE("a training that is killed at random times ends with the bits of one that never was") {
  const temporary_folder whole, killed;
  train_into(whole.path(), settings(whole.path()));

  reference::random random(static_cast<std::uint64_t>(getpid()));
  std::size_t kills = 0;
  constexpr std::size_t most_kills = 60;
  while (true) {
    const pid_t child = start_child(killed.path());
    if (kills < most_kills) {
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(70'000)));
      ::kill(child, SIGKILL);
    }
    if (has_finished(child)) break;
    ++kills;
  }
  CAPTURE(kills);
  CHECK(kills > 0);
  CHECK(killed.files() == 3);  // nothing half written is left
  check_same(whole.path(), killed.path());
}

TEST_CASE("a training that is stopped after any step ends with the bits of one that never was") {
  const temporary_folder whole;
  train_into(whole.path(), settings(whole.path()));
  std::size_t stop = 0;
  for (bool stopped = true; stopped; ++stop) {
    const temporary_folder folder;
    nn::training how = settings(folder.path());
    stopped = false;
    how.on_step = [&](const nn::step_end& now) {
      stopped = now.step == stop;
      return stopped ? nn::verdict::stop : nn::verdict::go_on;
    };
    {
      auto net = network();
      nn::train(net, sample(1), sample(2), how);
    }
    CAPTURE(stop);
    train_into(folder.path(), settings(folder.path()));
    check_same(whole.path(), folder.path());
  }
  CHECK(stop == epochs * 4 + 1);
}

TEST_CASE("a training goes on with other threads and with more epochs") {
  const temporary_folder whole, parts;
  nn::training how = settings(whole.path());
  how.schedule = nn::constant_rate{};
  train_into(whole.path(), how);

  const std::size_t before = autodiff::threads();
  autodiff::set_threads(2);
  how.checkpoint->file = parts / "checkpoint";
  how.epochs = 2;
  train_into(parts.path(), how);
  autodiff::set_threads(before);
  how.epochs = epochs;
  train_into(parts.path(), how);
  check_same(whole.path(), parts.path());
}

TEST_CASE("a training that is over only comes back") {
  const temporary_folder folder, other;
  train_into(folder.path(), settings(folder.path()));
  nn::training how = settings(folder.path());
  how.on_step = [](const nn::step_end&) { FAIL("a step of a training that is over"); };
  train_into(other.path(), how);
  check_same(folder.path(), other.path());
}

TEST_CASE("a training that stopped early does not go on") {
  const temporary_folder folder;
  nn::training how = settings(folder.path());
  how.epochs = 50;
  how.early_stopping = nn::early_stopping{.patience = 1};
  auto net = network();
  const auto past = nn::train(net, sample(1), sample(2), how);
  REQUIRE(past.size() < 50);
  auto again = network();
  CHECK(nn::train(again, sample(1), sample(2), how).size() == past.size());
}

TEST_CASE("a training that shall not resume begins anew") {
  const temporary_folder folder;
  nn::training how = settings(folder.path());
  how.epochs = 1;
  train_into(folder.path(), how);
  how.checkpoint->resume = false;
  std::size_t steps = 0;
  how.on_step = [&](const nn::step_end&) { ++steps; };
  train_into(folder.path(), how);
  CHECK(steps == 4);
}

TEST_CASE("the log of a training that was resumed has all of its epochs once") {
  const temporary_folder folder;
  nn::training how = settings(folder.path());
  how.csv_log = folder / "log.csv";
  how.epochs = 2;
  train_into(folder.path(), how);
  how.epochs = epochs;
  train_into(folder.path(), how);
  std::ifstream in(folder / "log.csv");
  std::string row;
  for (std::size_t e = 0; e <= epochs; ++e) {
    REQUIRE(std::getline(in, row));
    CHECK(row.starts_with(e == 0 ? "epoch," : std::to_string(e) + ","));
  }
  CHECK(!std::getline(in, row));
}

TEST_CASE("a checkpoint of another model, seed or data is refused, and the model left alone") {
  const temporary_folder folder;
  const nn::training how = settings(folder.path());
  train_into(folder.path(), how);
  const auto refusal = [&](nn::network<float> net, const nn::training& with, std::size_t samples) {
    const float before = net.layers()[0].dense().weights.values()[0];
    const auto [data, rest] = nn::split(sample(1), samples, nn::seed{1});
    std::string text = reference::message<autodiff::io_error>(
        [&, &data = data] { nn::train(net, data, sample(2), with); });
    CHECK(net.layers()[0].dense().weights.values()[0] == before);
    UNSCOPED_INFO(text);
    return text;
  };
  nn::network<float> wider(
      5, {nn::dense(9, nn::relu), nn::batch_norm(), nn::dropout(0.3), nn::dense(2)}, nn::seed{3});
  CHECK(reference::says(refusal(wider, how, 60), "train: \"", "of another training",
                        "its \"model.layers.0.weights\" is [5, 8], not [5, 9]", "or remove it"));
  nn::network<float> shallow(5, {nn::dense(2)}, nn::seed{3});
  CHECK(reference::says(refusal(shallow, how, 60), "it has \"model.layers.1.gain\", too"));
  nn::training other = how;
  other.seed = nn::seed{12};
  CHECK(reference::says(refusal(network(), other, 60), "its seed is \"11\", not \"12\""));
  other = how;
  other.metrics = {};
  CHECK(reference::says(refusal(network(), other, 60), "its measures is"));
  CHECK(reference::says(refusal(network(), how, 50), "samples of an epoch is \"60\", not \"50\""));
}

TEST_CASE("a checkpoint that says what cannot be is refused, and the model left alone") {
  const temporary_folder folder;
  nn::training how = settings(folder.path());
  how.on_step = [](const nn::step_end& e) {
    return e.step == 5 ? nn::verdict::stop : nn::verdict::go_on;
  };
  train_into(folder.path(), how);
  const std::filesystem::path file = folder / "checkpoint";
  const auto written = nn::read_checkpoint<float>(file);
  const auto refusal = [&](auto&& change) {
    auto forged = written;
    change(forged);
    nn::write_checkpoint(file, forged);
    nn::network<float> net = network();
    const auto first = [&] { return net.layers()[0].dense().weights.values()[0]; };
    const float before = first();
    std::string text = reference::message<autodiff::io_error>(
        [&] { nn::train(net, sample(1), sample(2), settings(folder.path())); });
    CHECK(first() == before);
    UNSCOPED_INFO(text);
    return text;
  };
  const auto says_place = [](const std::string& text) {
    return reference::says(text, "train: \"", "is before batch ", "with a history of ");
  };
  CHECK(says_place(refusal([](auto& c) { c.epoch = 0; })));
  CHECK(says_place(refusal([](auto& c) { c.epoch = std::size_t(-1); })));
  CHECK(says_place(refusal([](auto& c) { c.batch = 4; })));
  CHECK(says_place(refusal([](auto& c) { c.past.clear(); })));
  CHECK(reference::says(refusal([](auto& c) { c.past[0].metrics[0].name = "accuracy"; }),
                        "train: \"", "has a history of other measures than it says"));
  for (const char* name : {"step", "optimizer_steps", "average_steps"}) {
    for (const double count : {-1.0, 0.5, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
      CHECK(reference::says(refusal([&](auto& c) { c.numbers.at(name) = {count}; }),
                            fmt::format("has {} for the count \"{}\"", count, name)));
    }
  }
  nn::write_checkpoint(file, written);
  train_into(folder.path(), settings(folder.path()));
}

TEST_CASE("a checkpoint that cannot be written is told before the first step") {
  const temporary_folder folder;
  nn::training how = settings(folder / "none");
  how.on_step = [](const nn::step_end&) { FAIL("a step"); };
  auto net = network();
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::train(net, sample(1), sample(2), how); }),
      "train: \"", "cannot be written"));
}

TEST_CASE("two tensors of one name cannot be kept in a checkpoint") {
  twins model;
  const temporary_folder folder;
  const nn::dataset<float> data{tensor<float>({{1.0f}}), tensor<float>({{1.0f}})};
  CHECK(reference::says(
      reference::message<autodiff::domain_error>([&] {
        nn::train(model, data, {.checkpoint = nn::checkpointing{folder / "checkpoint"}});
      }),
      "train: two tensors of the model have the name model.same", "a name of its own"));
}
