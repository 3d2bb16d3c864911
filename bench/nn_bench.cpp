// An epoch of training through the public interface: 8,000 images of MNIST, shuffled, in batches of
// 64, a network 784-128-10, adam, loss and accuracy measured. Beside it the same without metrics,
// callbacks and progress bar, and other libraries; and how long the images take to read.

#include <autodiff/tensor/parallel.hpp>
#include <nn/data/data.hpp>
#include <nn/network/network.hpp>
#include <nn/training/train.hpp>

#include <bench/bench.hpp>
#include <bench/peers/epoch_peer.hpp>
#include <bench/picture.hpp>
#include <bench/problems/digits.hpp>
#include <bench/unwatched_terminal.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr std::size_t batch = 64;

nn::network<float> network() {
  return {784, {nn::dense(128, nn::relu), nn::dense(10)}, nn::seed{1}};
}

/// An epoch as one would run it, with all that one may want to see of it.
nn::training watched(std::size_t& steps) {
  nn::training how;
  how.loss = nn::softmax_cross_entropy;
  how.optimizer = nn::adam{};
  how.epochs = 1;
  how.batch = batch;
  how.metrics = {nn::accuracy};
  how.on_step = [&steps](const nn::step_end&) { ++steps; };
  how.on_epoch = [&steps](const nn::epoch_end&) { ++steps; };
  return how;
}

nn::training unwatched() {
  nn::training how;
  how.loss = nn::softmax_cross_entropy;
  how.optimizer = nn::adam{};
  how.epochs = 1;
  how.batch = batch;
  how.progress = nn::progress::off;
  return how;
}

bench::peers::epoch_problem problem_of(const nn::dataset<float>& data) {
  bench::peers::epoch_problem p{data.inputs.values(), {}, {784, 128, 10}, batch};
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto row = data.targets.values().subspan(i * 10, 10);
    p.labels.push_back(
        static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return p;
}

void race_epochs(bench::suite& suite, bench::chart& chart, const std::string& name,
                 const nn::dataset<float>& data) {
  nn::network<float> net = network(), bare = network();
  std::size_t steps = 0, epoch = 0;
  nn::training how = watched(steps), plain = unwatched();
  std::vector<bench::contestant> contestants;
  contestants.emplace_back("backsweep", [&] {
    how.seed = nn::seed{++epoch};  // another order
    bench::keep(nn::train(net, data, how));
  });
  contestants.emplace_back("without measuring", [&] {
    plain.seed = nn::seed{++epoch};
    bench::keep(nn::train(bare, data, plain));
  });
  const auto problem = problem_of(data);
  std::vector<std::unique_ptr<bench::peers::epoch_tool>> tools;
  for (const bench::peers::epoch_peer& peer : bench::peers::epoch_peers()) {
    tools.push_back(peer.make(problem));
    contestants.emplace_back(peer.name,
                             [tool = tools.back().get()] { bench::keep(tool->epoch()); });
  }
  std::vector<bench::timing> timings;
  {
    const bench::unwatched_terminal terminal;
    timings = suite.race(contestants, 2);
  }
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    const bench::ratio over(timings[i], timings[0]);
    suite.row({name, contestants[i].tool, bench::time_text(timings[i].fastest()),
               bench::time_text(timings[i].median()),
               fmt::format("{:.0f} %", 100 * timings[i].spread()),
               fmt::format("{:.3f}", over.fastest), fmt::format("{:.3f}", over.median)});
    if (i != 1) suite.figure(name, contestants[i].tool, "epoch_s", timings[i].fastest());
    if (i < 2) continue;
    suite.figure(name, "backsweep", "over_" + contestants[i].tool, 1 / over.fastest);
    chart.add(name, contestants[i].tool, over.fastest);
  }
  const bench::ratio measuring(timings[0], timings[1]);
  suite.figure(name, "backsweep", "measuring_share", measuring.median - 1);
  if (steps == 0) suite.say("no callback was called");
}

void read_images(bench::suite& suite, const bench::problems::digit_files& files) {
  const std::vector<bench::timing> timings = suite.race(
      {{"backsweep", [&] { bench::keep(nn::load_idx<float>(files.images, files.labels)); }}}, 0.5);
  suite.row({"read_images", "backsweep", bench::time_text(timings[0].fastest()),
             bench::time_text(timings[0].median()),
             fmt::format("{:.0f} %", 100 * timings[0].spread()), "", ""});
  suite.figure("read_images", "backsweep", "read_s", timings[0].fastest());
}

void run(bench::suite& suite, bench::chart& chart) {
  autodiff::set_threads(1);
  const auto files = bench::problems::find_digits();
  if (!files) suite.say("no MNIST files in $BACKSWEEP_DATA/mnist: numbers without meaning instead");
  suite.columns({"case", "tool", "fastest", "median", "spread", "/ backsweep", "(median)"});
  if (suite.wants("mnist_epoch"))
    race_epochs(suite, chart, "mnist_epoch", bench::problems::training_digits(files));
  if (suite.wants("read_images") && files) read_images(suite, *files);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::measure("nn", "epoch / epoch of backsweep, time", argc, argv, run);
}
