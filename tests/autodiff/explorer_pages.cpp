// Writes the pages that tests/autodiff/explorer_test.py opens, into the folder given.

#include <autodiff/explore.hpp>

#include <filesystem>
#include <tests/autodiff/sample_graphs.hpp>

namespace {

/// Names that would run, if anything in the page took them for more than text.
autodiff::graph hostile() {
  const std::string name = "</script><img src=x onerror=\"window.ran = true\">&amp;{{graph}}";
  sample::builder made;
  made.note = name;
  made.multiply(made.input(2, name), made.input(-3, "y"));
  return made.finish(name);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = arguments[1];
  autodiff::explore(sample::random_graph(2000, 0, "Two thousand nodes"), folder / "large.html");
  autodiff::explore(sample::random_graph(4000, 12, "Groups"), folder / "groups.html");
  autodiff::explore(hostile(), folder / "hostile.html");
}
