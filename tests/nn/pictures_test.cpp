#include <tests/catch.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

#include <autodiff/error.hpp>
#include <nn/training/gradient_flow.hpp>
#include <nn/training/pictures.hpp>
#include <nn/training/rate_range.hpp>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

namespace {

bool gnuplot_is_here() {
  if (std::system("gnuplot --version > /dev/null 2>&1") == 0) return true;
  WARN("skipped: gnuplot is not installed");
  return false;
}

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

nn::history falling(bool with_metrics) {
  nn::history past;
  for (int e = 1; e <= 5; ++e) {
    nn::epoch_record record{.loss = 1.0 / e, .validation_loss = 1.1 / e, .rate = 1e-3 / e};
    if (with_metrics) record.metrics = {{"accuracy", 0.9}, {"validation_accuracy", 0.8}};
    past.push_back(record);
  }
  return past;
}

}  // namespace

TEST_CASE("learning curves show losses and metrics, or else the rate") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  nn::plot_history(folder / "a.svg", falling(true), "a title");
  CHECK(reference::says(content(folder / "a.svg"), "a title", "loss, training", "loss, validation",
                        "accuracy, training (right)", "accuracy, validation (right)", "metrics"));
  nn::plot_history(folder / "b.svg", falling(false));
  CHECK(reference::says(content(folder / "b.svg"), "rate (right)"));
  nn::plot_history(folder / "c.svg", {falling(false).front()});
  CHECK(!reference::says(content(folder / "c.svg"), "rate (right)"));
}

TEST_CASE("losses of 0 and below are drawn on a plain axis, none is left out") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  nn::plot_history(folder / "zero.svg", nn::history(3));
  nn::history past = falling(false);
  past.back().loss = -1;
  nn::plot_history(folder / "below.svg", past);
  CHECK(reference::says(content(folder / "below.svg"), ">-1<", "> 0<"));
  // One that is not a number takes no other off.
  past = falling(false);
  past.back().loss = std::numeric_limits<double>::quiet_NaN();
  nn::plot_history(folder / "nan.svg", past);
  CHECK(reference::says(content(folder / "nan.svg"), "loss, training"));
}

TEST_CASE("a history without epochs is no picture") {
  const temporary_folder folder;
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::plot_history(folder / "a.svg", {}); }),
      "plot_history: a history of no epochs"));
  CHECK(folder.files() == 0);
}

TEST_CASE("a picture of confusion has every count and the names of the classes") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  const nn::confusion_matrix matrix{{{12, 3}, {45, 67}}};
  const std::vector<std::string> names{"it's <no>", "yes"};
  nn::plot_confusion(folder / "a.svg", matrix, names, "who is who");
  const std::string svg = content(folder / "a.svg");
  for (const char* text :
       {">12<", ">3<", ">45<", ">67<", "yes", "it's &lt;no", "who is who", "predicted", "actual"}) {
    CAPTURE(text);
    CHECK(reference::says(svg, text));
  }
  nn::plot_confusion(folder / "b.png", {{{0}}});
  CHECK(folder.files() == 2);
}

TEST_CASE("a picture of confusion needs classes, a name for each, and a known extension") {
  const temporary_folder folder;
  const nn::confusion_matrix matrix{{{1, 2}, {3, 4}}};
  const std::vector<std::string> names{"one"};
  CHECK(reference::says(reference::message<autodiff::shape_error>(
                            [&] { nn::plot_confusion(folder / "a.svg", matrix, names); }),
                        "plot_confusion: 2 classes and 1 names"));
  CHECK(reference::says(
      reference::message<autodiff::shape_error>([&] { nn::plot_confusion(folder / "a.svg", {}); }),
      "plot_confusion: 0 classes"));
  CHECK(reference::says(
      reference::message<autodiff::io_error>([&] { nn::plot_confusion(folder / "a.pdf", matrix); }),
      "plot_confusion: ", ".svg or .png"));
}

TEST_CASE("rates and flows become pictures") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  nn::plot_rate_curve(folder / "r.svg", {{1e-3, 1e-2, 1e-1}, {3, 2, 4}, {3, 2.5, 3.2}, 1e-2});
  CHECK(reference::says(content(folder / "r.svg"), "suggestion: 0.01", "smoothed", "rate"));
  nn::flow flow{1, {{.name = "1: 4 relu", .deltas = {0, 0, 0.5}}}};
  const std::vector<nn::flow> flows{flow, flow};
  nn::plot_gradient_flow(folder / "f.svg", flows);
  CHECK(reference::says(content(folder / "f.svg"), "1: 4 relu", "epoch"));
  flow.layers.push_back(flow.layers.front());
  const std::vector<nn::flow> mixed{flows.front(), flow};
  CHECK(reference::says(reference::message<autodiff::shape_error>(
                            [&] { nn::plot_gradient_flow(folder / "g.svg", mixed); }),
                        "plot_gradient_flow: 1 layers first and 2 later"));
}
