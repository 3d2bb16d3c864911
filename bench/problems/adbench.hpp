#pragma once
// Data of the AD benchmark suite and the reference derivatives beside it.
// Source: Srajer, Kukelova and Fitzgibbon, A benchmark of selected algorithmic differentiation
// tools on some problems in computer vision and machine learning, Optim. Methods Softw. 33 (2018).

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

// The build names the folder; whoever looks at this header alone does without.
#ifndef BACKSWEEP_SOURCE_DIR
#define BACKSWEEP_SOURCE_DIR "."
#endif

namespace bench::problems {

/// The folder with the data: $BACKSWEEP_DATA, or shared/data beside the sources. May not exist.
inline std::filesystem::path adbench_folder() {
  const char* asked = std::getenv("BACKSWEEP_DATA");
  const std::filesystem::path data = asked ? asked : BACKSWEEP_SOURCE_DIR "/../shared/data";
  return data / "adbench";
}

/// All numbers of a text file, in order. Throws std::runtime_error when it cannot be read.
inline std::vector<double> read_numbers(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  std::vector<double> numbers;
  for (double x; in >> x;) numbers.push_back(x);
  if (!in.eof()) throw std::runtime_error(file.string() + " holds something else than numbers");
  return numbers;
}

/// The array `key` in the record of `data_file` ("gmm/1k/gmm_d10_K25.txt") in a file with a JSON
/// object a line. Throws std::runtime_error when it is not there.
inline std::vector<double> read_reference(const std::filesystem::path& file,
                                          const std::string& data_file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.find(data_file + '"') == std::string::npos) continue;
    const std::size_t at = line.find('"' + key + "\":[");
    if (at == std::string::npos) break;
    std::vector<double> numbers;
    const char* text = line.c_str() + at + key.size() + 4;
    while (*text != ']') {
      char* end = nullptr;
      numbers.push_back(std::strtod(text, &end));
      if (end == text)
        throw std::runtime_error("'" + key + "' in " + file.string() + " is damaged");
      text = *end == ',' ? end + 1 : end;
    }
    return numbers;
  }
  throw std::runtime_error("no '" + key + "' of " + data_file + " in " + file.string());
}

}  // namespace bench::problems
