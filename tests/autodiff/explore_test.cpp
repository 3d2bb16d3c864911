#include <autodiff/explore.hpp>

#include <unistd.h>

#include <autodiff/error.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <tests/autodiff/sample_graphs.hpp>
#include <tests/catch.hpp>
#include <tests/programs.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

namespace {

namespace ad = autodiff;

bool graphviz_is_here() {
  if (is_installed("dot")) return true;
  WARN("skipped: Graphviz is not installed (apt-get install graphviz)");
  return false;
}

template <class Action>
std::string message(Action&& action) {
  return reference::message<ad::io_error>(action);
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// The text between two others.
std::string between(const std::string& text, const std::string& open, const std::string& close) {
  const std::size_t begin = text.find(open) + open.size();
  return text.substr(begin, text.find(close, begin) - begin);
}

ad::graph product(const std::string& title = "y") {
  sample::builder made;
  const std::size_t x = made.input(3, "x");
  made.multiply(x, x);
  return made.finish(title);
}

}  // namespace

TEST_CASE("a page holds the graph, its layout, and nothing from elsewhere") {
  if (!graphviz_is_here()) return;
  const temporary_folder folder;
  ad::explore(product(), folder / "page.html");
  const std::string page = read_back(folder / "page.html");
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(holds(page, "<title>y</title>"));
  CHECK_FALSE(holds(page, "{{"));
  CHECK(between(page, "id=\"graph-data\">", "</script>") == ad::to_json(product()));
  const std::string layout = between(page, "id=\"layout-data\">", "</script>");
  CHECK(count(layout, "\"node\":") == 2);
  CHECK(count(layout, "\"path\":\"M") == 2);  // x * x has two edges
  CHECK(holds(page, "default-src 'none'"));
  for (const char* load : {"src=", "https://", "@import", "fetch("}) CHECK_FALSE(holds(page, load));
  // The namespace of SVG is a name, not an address that is read.
  CHECK(count(page, "http://") == count(page, "http://www.w3.org/2000/svg"));
  CHECK(count(page, "url(") == count(page, "url(#"));
  CHECK(folder.files() == 1);
}

TEST_CASE("names from a program are text in the page and cannot close its elements") {
  if (!graphviz_is_here()) return;
  const temporary_folder folder;
  const std::string hostile = "</script><script>alert(1)</script>&amp;{{graph}}\"\\";
  sample::builder made;
  made.note = hostile;
  made.halve(made.input(1, hostile));
  ad::explore(made.finish(hostile), folder / "page.html");
  const std::string page = read_back(folder / "page.html");
  CHECK_FALSE(holds(page, "<script>alert"));
  CHECK(count(page, "</script") == 3);
  CHECK(holds(page, "<title>&lt;/script>&lt;script>alert(1)&lt;/script>&amp;amp;{{graph}}"));
  CHECK(holds(page, R"(\u003c/script>\u003cscript>alert(1)\u003c/script>&amp;{{graph}}\"\\)"));
}

TEST_CASE("a page replaces the one before it") {
  if (!graphviz_is_here()) return;
  const temporary_folder folder;
  std::ofstream(folder / "page.html") << "old";
  ad::explore(product(), folder / "page.html");
  CHECK(holds(read_back(folder / "page.html"), "</html>"));
  CHECK(folder.files() == 1);
}

TEST_CASE("a graph of one node is a page too") {
  if (!graphviz_is_here()) return;
  const temporary_folder folder;
  sample::builder made;
  made.input(1, "x");
  ad::explore(made.finish("x"), folder / "page.html");
  CHECK(folder.files() == 1);
}

TEST_CASE("a page that cannot be written names the file and leaves nothing behind") {
  const temporary_folder folder;
  CHECK(message([&] { ad::explore(product(), folder / "no/page.html"); }) ==
        "explore: \"" + (folder / "no/page.html").string() +
            "\" cannot be written (No such file or directory); check the folder, its "
            "permissions and its space");
  if (!graphviz_is_here()) return;
  std::filesystem::create_directory(folder / "taken.html");
  CHECK(holds(message([&] { ad::explore(product(), folder / "taken.html"); }),
              "taken.html\" is a directory; name a file"));
  CHECK(folder.files() == 1);
}

TEST_CASE("without Graphviz the message says what to install, and the old page stays") {
  const temporary_folder folder;
  std::ofstream(folder / "page.html") << "old";
  std::filesystem::create_directory(folder / "bin");
  const path_variable path(folder / "bin");
  CHECK(message([&] { ad::explore(product(), folder / "page.html"); }) ==
        "explore: dot cannot be started (No such file or directory); install Graphviz (apt-get "
        "install graphviz)");
  write_program(folder / "bin/dot", "#!/bin/sh\necho no memory >&2\nexit 3\n");
  CHECK(message([&] { ad::explore(product(), folder / "page.html"); }) ==
        "explore: Graphviz failed (exit status 3): no memory; Graphviz 2.42 or newer is needed");
  CHECK(read_back(folder / "page.html") == "old");
  CHECK(folder.files() == 2);
}

TEST_CASE("a page whose layout takes too long shows plain columns") {
  const temporary_folder folder;
  std::filesystem::create_directory(folder / "bin");
  write_program(folder / "bin/dot", "#!/bin/sh\nexec /bin/sleep 1000\n");
  const path_variable path(folder / "bin");
  sample::builder made;
  const std::size_t x = made.input(3, "x"), y = made.input(4, "y");
  made.multiply(made.multiply(x, y), x);
  ad::explore(made.finish("y"), folder / "page.html", std::chrono::milliseconds(50));
  const std::string page = read_back(folder / "page.html");
  CHECK(page.ends_with("</html>\n"));
  const std::string layout = between(page, "id=\"layout-data\">", "</script>");
  // The inputs one below the other, each product right of what it is made of.
  for (const char* box : {R"("node":0,"x":0.0,"y":0.0,)", R"("node":1,"x":0.0,"y":82.2,)",
                          R"("node":2,"x":212.8,"y":0.0,)", R"("node":3,"x":425.6,"y":0.0,)",
                          R"("width":555.6,"height":144.2)"})
    CHECK(holds(layout, box));
  CHECK(count(layout, "\"path\":\"M") == 4);
  CHECK(folder.files() == 2);
}

TEST_CASE("a graph that no page can show is refused") {
  const temporary_folder folder;
  ad::graph large;
  large.nodes.resize(ad::most_explored_nodes + 1, {.what = ad::graph_node::kind::constant});
  CHECK(reference::message<ad::domain_error>([&] { ad::explore(large, folder / "page.html"); }) ==
        "explore: the graph has 100001 nodes, a page takes 100000; explore a smaller case, or "
        "tensors in place of their elements");
  CHECK(folder.files() == 0);
}
