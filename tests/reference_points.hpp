#pragma once
// The points of reference_table.txt: values and derivatives of every row of ops.def, computed with
// fifty digits by reference_table.py.

#include <tests/reference.hpp>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace reference_points {

/// A line of the table. NaN stands for a derivative that is not there: the count of polygamma.
struct point {
  std::vector<double> at;
  reference::real value;
  std::vector<reference::real> slopes, seconds;  // the upper triangle of the Hessian, row by row
};

using table = std::map<std::string, std::vector<point>, std::less<>>;

inline table read_table() {
  std::ifstream in(BACKSWEEP_SOURCE_DIR "/tests/autodiff/reference_table.txt");
  table rows;
  for (std::string text; std::getline(in, text);) {
    std::istringstream words(text);
    std::string name, word;
    words >> name;
    std::vector<std::string> rest;
    while (words >> word) rest.push_back(word);
    // n arguments, a value, n slopes, n (n + 1) / 2 second derivatives.
    const std::size_t n = rest.size() == 4 ? 1 : rest.size() == 8 ? 2 : rest.size() == 13 ? 3 : 0;
    if (n == 0) throw std::runtime_error("reference_table.txt: " + text);
    const auto number = [&](std::size_t i) { return std::strtold(rest[i].c_str(), nullptr); };
    point p;
    for (std::size_t i = 0; i < n; ++i) p.at.push_back(static_cast<double>(number(i)));
    p.value = number(n);
    for (std::size_t i = 0; i < n; ++i) p.slopes.push_back(number(n + 1 + i));
    for (std::size_t i = 2 * n + 1; i < rest.size(); ++i) p.seconds.push_back(number(i));
    rows[name + "/" + std::to_string(n)].push_back(p);
  }
  return rows;
}

inline const table& reference_table() {
  static const table rows = read_table();
  return rows;
}

template <class T>
bool is_exact(const std::vector<double>& at) {
  for (const double x : at) {
    if (static_cast<double>(static_cast<T>(x)) != x) return false;
  }
  return true;
}

/// The points of a row of that many arguments; none where the table lacks it.
inline const std::vector<point>& of(std::string_view row, std::size_t arguments) {
  static const std::vector<point> none;
  const auto found = reference_table().find(std::string(row) + "/" + std::to_string(arguments));
  return found == reference_table().end() ? none : found->second;
}

}  // namespace reference_points
