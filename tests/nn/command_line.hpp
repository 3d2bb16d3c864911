#pragma once
// The programs of the command line as tests run them, and a table for them to learn from.

#include <autodiff/child_process.hpp>
#include <autodiff/random.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <tests/catch.hpp>
#include <tests/files.hpp>

using autodiff::finished_process;
using words = std::vector<std::string>;

/// False, with the reason said, where the programs are not built.
inline bool programs_are_built() {
#if BACKSWEEP_TOOLS
  return true;
#else
  WARN("skipped: backsweep-train is not built without CLI11 and JSON");
  return false;
#endif
}

inline finished_process run(const std::string& program, const words& arguments) {
  words command{std::string(BACKSWEEP_PROGRAMS) + "/" + program};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return autodiff::run_program("test", command, "", "build it");
}

/// Whether it ended with this status and complained so. Catch2 prints the two texts otherwise.
inline void check_refusal(const finished_process& done, const std::string& status,
                          const std::string& complaint) {
  CHECK(done.failure == "exit status " + status);
  CHECK_THAT(done.complaints, Catch::Contains(complaint));
  CHECK(done.output.empty());
}

/// Points in the plane, those of the class "in, or on" within a circle; a column of words says
/// nothing.
inline std::filesystem::path write_circle(const std::filesystem::path& file) {
  autodiff::generator random(3);
  std::string text = "where,x,colour,y\n";
  for (int i = 0; i < 600; ++i) {
    const double x = random.uniform(-200, 200), y = random.uniform(-2, 2);
    const bool inside = x * x / 1e4 + y * y < 1.6;
    text += fmt::format("{},{:.3f},{},{:.5f}\n", inside ? "\"in, or on\"" : "out", x,
                        random.uniform() < 0.5 ? "red" : "blue", y);
  }
  return write_file(file, text);
}

inline words lines_of(const std::string& text) {
  words lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}
