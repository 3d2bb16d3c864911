#include <nn/training/plot.hpp>

#include <algorithm>
#include <array>
#include <autodiff/error.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tests/catch.hpp>
#include <tests/programs.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++found;
  }
  return found;
}

template <class Action>
std::string message(Action&& action) {
  return reference::message<autodiff::io_error>(action);
}

/// False, with the reason printed, on a machine without gnuplot.
bool gnuplot_is_here() {
  if (is_installed("gnuplot")) return true;
  WARN("skipped: gnuplot is not installed (apt-get install gnuplot-nox)");
  return false;
}

std::vector<nn::curve> falling_loss() {
  std::vector<nn::curve> curves{{"loss", {}, {}}, {"accuracy", {}, {}, true}};
  for (int epoch = 1; epoch <= 10; ++epoch) {
    for (nn::curve& curve : curves) curve.x.push_back(epoch);
    curves[0].y.push_back(std::exp(-epoch));
    curves[1].y.push_back(1 - std::exp(-epoch));
  }
  return curves;
}

const nn::axes plain{"Training", "epoch", "loss", false, "accuracy"};

/// What gnuplot would have been told: drawn through a stand-in that copies its script.
std::string script_for(const nn::axes& axes, const std::vector<nn::curve>& curves) {
  const temporary_folder folder;
  write_program(folder / "gnuplot", "#!/bin/sh\nexec /bin/cat\n");
  const path_variable path(folder.path());
  nn::plot_curves(folder / "script.svg", axes, curves);
  return read_back(folder / "script.svg");
}

}  // namespace

TEST_CASE("a picture is written as svg or png by its extension") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  nn::plot_curves(folder / "picture.svg", plain, falling_loss());
  const std::string svg = read_back(folder / "picture.svg");
  CHECK(svg.starts_with("<?xml"));
  CHECK(holds(svg, "</svg>"));
  for (const char* text : {"Training", "epoch", "loss", "accuracy"}) CHECK(holds(svg, text));

  nn::plot_curves(folder / "picture.png", plain, falling_loss());
  const std::string png = read_back(folder / "picture.png");
  CHECK(png.starts_with("\x89PNG\r\n\x1a\n"));
  // Width 1600, height 1000, big-endian in the IHDR block.
  CHECK(png.substr(16, 8) == std::string("\0\0\x06\x40\0\0\x03\xE8", 8));
  CHECK(folder.files() == 2);
}

TEST_CASE("a picture replaces the one before it") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  std::ofstream(folder / "picture.svg") << "old";
  nn::plot_curves(folder / "picture.svg", plain, falling_loss());
  CHECK(holds(read_back(folder / "picture.svg"), "</svg>"));
  CHECK(folder.files() == 1);
}

TEST_CASE("a picture is drawn into a relative path and under a hostile name") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const std::string relative = message([] { nn::plot_curves("p.svg", plain, falling_loss()); });
  const std::string hostile =
      message([] { nn::plot_curves("| touch 'x' \"; `touch y`.svg", plain, falling_loss()); });
  fs::current_path(before);
  CHECK(relative == "nothing was thrown");
  CHECK(hostile == "nothing was thrown");
  CHECK(folder.files() == 2);
}

TEST_CASE("special characters in labels stand in the picture as they are") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  const std::string label = "a_b <&> {x} 'q' \"d\" `touch " + (folder / "ran").string() +
                            "` @GPVAL_PI \\n %d x^2 \xE2\x88\x82"
                            "E";
  const nn::axes axes{"T " + label, "X " + label, "Y " + label, false, "R " + label};
  std::vector<nn::curve> curves = falling_loss();
  curves[0].label = "C " + label;
  nn::plot_curves(folder / "picture.svg", axes, curves);
  std::string svg = read_back(folder / "picture.svg");
  CHECK(!holds(svg, "<&>"));
  const std::vector<std::pair<std::string, std::string>> entities{{"&lt;", "<"},    {"&gt;", ">"},
                                                                  {"&quot;", "\""}, {"&#39;", "'"},
                                                                  {"&apos;", "'"},  {"&amp;", "&"}};
  for (const auto& [entity, character] : entities) {
    for (std::size_t at = svg.find(entity); at != std::string::npos; at = svg.find(entity, at)) {
      svg.replace(at, entity.size(), character);
    }
  }
  for (const char* place : {"T ", "X ", "Y ", "R ", "C "}) CHECK(holds(svg, place + label));
  CHECK_FALSE(fs::exists(folder / "ran"));
}

TEST_CASE("a line end or another control character in a label is a space") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  std::vector<nn::curve> curves = falling_loss();
  curves[0].label = std::string("one\ntwo\0three\x7F", 14);
  nn::plot_curves(folder / "picture.svg", plain, curves);
  CHECK(holds(read_back(folder / "picture.svg"), "one two three"));
}

TEST_CASE("points that are not numbers are left out of a picture") {
  const std::vector<nn::curve> curves{{"c",
                                       {1, 2, not_a_number, 4, infinity, 6, 7},
                                       {10, not_a_number, 30, -infinity, 50, 60, -70}}};
  CHECK(holds(script_for(plain, curves), "END_OF_CURVE\n1 10\n6 60\n7 -70\nEND_OF_CURVE\n"));
  nn::axes logarithmic = plain;
  logarithmic.log_y = true;
  const std::string script = script_for(logarithmic, curves);
  CHECK(holds(script, "END_OF_CURVE\n1 10\n6 60\nEND_OF_CURVE\n"));
  CHECK(holds(script, "set logscale y\n"));
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  CHECK(message([&] { nn::plot_curves(folder / "p.svg", logarithmic, curves); }) ==
        "nothing was thrown");
}

TEST_CASE("numbers reach gnuplot with all their digits") {
  CHECK(holds(script_for(plain, {{"c", {0.1, 1e300}, {1.0 / 3, 5e-324}}}),
              "0.10000000000000001 0.33333333333333331\n"
              "1.0000000000000001e+300 4.9406564584124654e-324\n"));
}

TEST_CASE("only a picture with curves for it has a right axis") {
  std::vector<nn::curve> curves = falling_loss();
  const std::string two = script_for(plain, curves);
  CHECK(holds(two, "set y2label 'accuracy'"));
  CHECK(count(two, "axes x1y2") == 1);
  curves.pop_back();
  const std::string one = script_for(plain, curves);
  CHECK_FALSE(holds(one, "y2"));
}

TEST_CASE("a curve without points, flat or of one point does not spoil the picture") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  const std::vector<nn::curve> curves{{"none", {}, {}},
                                      {"undefined", {1}, {not_a_number}},
                                      {"one", {3}, {1}},
                                      {"flat", {1, 5}, {2, 2}}};
  nn::plot_curves(folder / "some.svg", plain, curves);
  const std::string svg = read_back(folder / "some.svg");
  CHECK(holds(svg, "flat"));
  CHECK(holds(svg, "</svg>"));
  nn::plot_curves(folder / "one.png", plain, std::vector<nn::curve>{{"", {3}, {1}}});
  CHECK(fs::file_size(folder / "one.png") > 0);
}

TEST_CASE("scattered points have no line between them, few or many") {
  nn::curve points{.label = "p", .x = {1, 2}, .y = {3, 4}, .scattered = true};
  CHECK(holds(script_for(plain, {points}), " with points "));
  points.x.resize(1000, 1);
  points.y.resize(1000, 2);
  CHECK(holds(script_for(plain, {points}), " with points "));
  points.scattered = false;
  CHECK_FALSE(holds(script_for(plain, {points}), " with points "));
}

TEST_CASE("more curves than colours still differ from each other") {
  std::vector<nn::curve> curves(20, nn::curve{"c", {1, 2}, {3, 4}});
  const std::string script = script_for(plain, curves);
  std::vector<std::string> looks;
  for (std::size_t at = script.find("linecolor rgb '#", script.find("plot ")); at != script.npos;
       at = script.find("linecolor rgb '#", at + 1)) {
    looks.push_back(script.substr(at, script.find(" pointtype", at) - at));
  }
  REQUIRE(looks.size() == 20);
  std::sort(looks.begin(), looks.end());
  CHECK(std::unique(looks.begin(), looks.end()) == looks.end());
}

TEST_CASE("a long or crowded legend gets room and loses no entry") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  for (const std::size_t length : {1U, 30U, 80U, 200U}) {
    for (const int many : {1, 2, 9, 40}) {
      std::vector<nn::curve> curves;
      for (int i = 0; i < many; ++i) {
        const std::string label = "<" + std::to_string(i) + std::string(length, 'm') + ">";
        curves.push_back({label, {1, 2}, {3, 4}, i % 2 == 1});
      }
      nn::plot_curves(folder / "picture.svg", plain, curves);
      CAPTURE(length, many);
      CHECK(count(read_back(folder / "picture.svg"), "m>") == static_cast<std::size_t>(many));
    }
  }
}

TEST_CASE("pictures are drawn from several threads at once") {
  if (!gnuplot_is_here()) return;
  const temporary_folder folder;
  std::array<std::string, 4> messages;
  std::vector<std::thread> threads;
  for (std::string& result : messages) {
    threads.emplace_back([&] {
      result = message([&] { nn::plot_curves(folder / "same.svg", plain, falling_loss()); });
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& result : messages) CHECK(result == "nothing was thrown");
  CHECK(folder.files() == 1);
}

TEST_CASE("a picture without a drawable point is refused") {
  const temporary_folder folder;
  CHECK(holds(message([&] { nn::plot_curves(folder / "p.svg", plain, {}); }),
              "plot_curves: none of the 0 curves has a point that can be drawn"));
  nn::axes logarithmic = plain;
  logarithmic.log_y = true;
  const std::vector<nn::curve> curves{{"c", {1, 2}, {0, -1}}};
  CHECK(holds(message([&] { nn::plot_curves(folder / "p.svg", logarithmic, curves); }),
              "give finite x and positive y"));
  CHECK(folder.files() == 0);
}

TEST_CASE("a curve with unequal numbers of x and y is refused") {
  const temporary_folder folder;
  const std::vector<nn::curve> curves{{"a", {1}, {1}}, {"loss", {1, 2, 3}, {1, 2}}};
  CHECK(message([&] { nn::plot_curves(folder / "p.svg", plain, curves); }) ==
        "plot_curves: curve 1 (\"loss\") has 3 x and 2 y; give one y per x");
}

TEST_CASE("a picture with an unknown extension is refused") {
  const temporary_folder folder;
  for (const char* name : {"p.pdf", "p", "p.SVG.txt"}) {
    CHECK(holds(message([&] { nn::plot_curves(folder / name, plain, falling_loss()); }),
                "name a file that ends in .svg or .png"));
  }
  CHECK(folder.files() == 0);
}

TEST_CASE("without gnuplot the message says what to install") {
  const temporary_folder folder;
  const path_variable path(folder.path());
  CHECK(message([&] { nn::plot_curves(folder / "p.svg", plain, falling_loss()); }) ==
        "plot_curves: gnuplot cannot be started (No such file or directory); "
        "install gnuplot-nox (apt-get install gnuplot-nox)");
  CHECK(folder.files() == 0);
}

TEST_CASE("a failing gnuplot is quoted and leaves the old picture alone") {
  const temporary_folder folder;
  fs::create_directory(folder / "bin");
  std::ofstream(folder / "p.svg") << "old";
  const path_variable path(folder / "bin");
  const auto complaint = [&](std::string_view program) {
    write_program(folder / "bin/gnuplot", program);
    return message([&] { nn::plot_curves(folder / "p.svg", plain, falling_loss()); });
  };
  CHECK(holds(complaint("#!/bin/sh\necho '<svg'\necho 'line 0: unknown' >&2\necho terminal >&2\n"
                        "exit 3\n"),
              "gnuplot failed (exit status 3): line 0: unknown terminal; "));
  CHECK(holds(complaint("#!/bin/sh\necho '<svg'\nkill -9 $$\n"), "gnuplot failed (signal 9)"));
  CHECK(holds(complaint("#!/bin/sh\nexit 0\n"), "gnuplot failed (exit status 0)"));
  CHECK(read_back(folder / "p.svg") == "old");
  CHECK(folder.files() == 2);
}

TEST_CASE("a picture that cannot be written names the file and the reason") {
  const temporary_folder folder;
  {
    // Before any gnuplot is looked for.
    const path_variable path(folder.path());
    CHECK(holds(message([&] { nn::plot_curves(folder / "no/p.svg", plain, falling_loss()); }),
                "\"" + (folder / "no/p.svg").string() +
                    "\" cannot be written (No such file or directory)"));
  }
  if (!gnuplot_is_here()) return;
  fs::create_directory(folder / "d.svg");
  CHECK(holds(message([&] { nn::plot_curves(folder / "d.svg", plain, falling_loss()); }),
              "d.svg\" is a directory; name a file"));
  CHECK(folder.files() == 1);
}
