#include <nn/training/gnuplot.hpp>

#include <autodiff/child_process.hpp>
#include <autodiff/error.hpp>
#include <autodiff/part_file.hpp>

#include <fmt/format.h>

namespace nn {

bool is_png(std::string_view operation, const std::filesystem::path& file) {
  const std::filesystem::path extension = file.extension();
  if (extension == ".png" || extension == ".svg") return extension == ".png";
  throw autodiff::io_error(
      operation, fmt::format("\"{}\" has the extension \"{}\"", file.string(), extension.string()),
      "name a file that ends in .svg or .png");
}

// Single quotes: inside double quotes gnuplot runs `commands`.
std::string gnuplot_literal(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  return quoted += '\'';
}

// Without "enhanced" no character of a text is markup.
std::string gnuplot_terminal(picture_size size, bool png) {
  const std::string terminal =
      png ? fmt::format(
                "set terminal pngcairo noenhanced size {},{} font 'sans,12' fontscale 1.75 "
                "linewidth 1.9 dashlength 0.55 pointscale 1.6 background '#FFFFFF'\n",
                2 * size.width, 2 * size.height)
          : fmt::format(
                "set terminal svg noenhanced size {},{} font 'sans-serif,14' dynamic "
                "background '#FFFFFF'\n",
                size.width, size.height);
  return terminal + "set encoding utf8\n";
}

void draw_picture(std::string_view operation, const std::filesystem::path& file,
                  std::string_view script) {
  autodiff::part_file picture(operation, file);
  const autodiff::finished_process gnuplot = autodiff::run_program(
      operation, {"gnuplot", "-d"}, script, "install gnuplot-nox (apt-get install gnuplot-nox)");
  if (!gnuplot.failure.empty() || gnuplot.output.empty()) {
    throw autodiff::io_error(
        operation,
        fmt::format("gnuplot failed ({}): {}",
                    gnuplot.failure.empty() ? "exit status 0" : gnuplot.failure,
                    gnuplot.complaints),
        "gnuplot 5.4 or newer with the svg and pngcairo terminals is needed");
  }
  picture.write(gnuplot.output);
  picture.keep();
}

}  // namespace nn
