// What the READMEs show is what the compiler saw: every C++ block stands word for word in an
// example.

#include <tests/catch.hpp>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

const std::filesystem::path root = BACKSWEEP_SOURCE_DIR;

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Indentation and blank lines may differ: an example stands inside main().
std::string folded(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    const auto start = line.find_first_not_of(' ');
    if (start != std::string::npos) text += line.substr(start) + '\n';
  }
  return text;
}

std::vector<std::vector<std::string>> blocks_of(const std::filesystem::path& readme) {
  std::vector<std::vector<std::string>> blocks;
  bool inside = false;
  for (const std::string& line : lines_of(readme)) {
    if (line == "```cpp") {
      blocks.emplace_back();
      inside = true;
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back().push_back(line);
    }
  }
  return blocks;
}

}  // namespace

TEST_CASE("every C++ block of a README stands word for word in a compiled example") {
  std::string examples;
  for (const auto& entry : std::filesystem::directory_iterator(root / "tests/examples")) {
    if (entry.path().extension() == ".cpp") examples += folded(lines_of(entry.path()));
  }
  std::size_t blocks = 0;
  for (const char* readme : {"README.md", "autodiff/README.md", "nn/README.md"}) {
    REQUIRE(std::filesystem::exists(root / readme));
    for (const auto& block : blocks_of(root / readme)) {
      INFO(readme << ":\n" << folded(block));
      CHECK(examples.find(folded(block)) != std::string::npos);
      ++blocks;
    }
  }
  CHECK(blocks >= 4);
}

TEST_CASE("every file that a README names exists") {
  for (const char* readme : {"README.md", "autodiff/README.md", "nn/README.md"}) {
    const std::filesystem::path folder = (root / readme).parent_path();
    bool code = false;
    for (const std::string& line : lines_of(root / readme)) {
      if (line.rfind("```", 0) == 0) code = !code;
      if (code) continue;
      // Markdown links: [text](target), those into the repository.
      for (std::size_t at = line.find("]("); at != std::string::npos;
           at = line.find("](", at + 2)) {
        const std::string target = line.substr(at + 2, line.find(')', at) - at - 2);
        if (target.rfind("http", 0) == 0 || target.rfind('#', 0) == 0) continue;
        INFO(readme << " links to " << target);
        CHECK(std::filesystem::exists(folder / target.substr(0, target.find('#'))));
      }
    }
  }
}

TEST_CASE("the README of autodiff names every header and no file that is not there") {
  const std::filesystem::path folder = root / "autodiff";
  std::set<std::string> named;
  for (const std::string& line : lines_of(folder / "README.md")) {
    for (std::size_t from = line.find("]("); from != std::string::npos;
         from = line.find("](", from + 2)) {
      const std::string link = line.substr(from + 2, line.find(')', from) - from - 2);
      INFO(link);
      if (!link.starts_with("#")) CHECK(std::filesystem::exists(folder / link));
      named.insert(link);
    }
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string file = std::filesystem::relative(entry.path(), folder).generic_string();
    INFO(file);
    CHECK((entry.path().extension() != ".hpp" || named.contains(file)));
  }
}
