#pragma once
// A program of the command line: its help, what it prints for mistakes, and its exit status.

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>

namespace nn::tools {

/// An option with its description and what it is unless it is given, in lines that fit a terminal.
class help_format : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
};

/// Whether both names are of one file, there or to be.
bool are_same_file(const std::filesystem::path& a, const std::filesystem::path& b);

/// Throws io_error where what was printed did not arrive, as on a full disk.
void require_printed();

/// Reads the options and runs work(). The status is 0, 1 where work() threw (data, files, a
/// training that diverged), 2 for options that are wrong.
template <class Work>
int run(CLI::App& app, int argc, char** argv, Work&& work) {
  app.formatter(std::make_shared<help_format>());
  try {
    app.parse(argc, argv);
    work();
    require_printed();
    return 0;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help
    fmt::print(stderr, "{}: {}\nSee {} --help.\n", app.get_name(), e.what(), app.get_name());
    return 2;
  } catch (const std::exception& e) {  // ours, and of memory that there is not
    fmt::print(stderr, "{}: {}\n", app.get_name(), e.what());
    return 1;
  }
}

}  // namespace nn::tools
