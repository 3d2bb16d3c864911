#include <autodiff/child_process.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <autodiff/error.hpp>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <memory>
#include <system_error>

#include <fmt/format.h>

namespace autodiff {
namespace {

using stream = std::unique_ptr<std::FILE, decltype([](std::FILE* file) { std::fclose(file); })>;

std::string reason(int code) { return std::generic_category().message(code); }

stream nameless_file(std::string_view operation) {
  stream file(std::tmpfile());
  if (!file) {
    throw io_error(operation, fmt::format("no temporary file ({})", reason(errno)),
                   "make room in /tmp");
  }
  return file;
}

std::string contents(std::FILE* file, std::size_t most = std::numeric_limits<std::size_t>::max()) {
  std::string text;
  char piece[1 << 14];
  std::rewind(file);
  while (text.size() < most) {
    const std::size_t read = std::fread(piece, 1, std::min(sizeof piece, most - text.size()), file);
    if (read == 0) break;
    text.append(piece, read);
  }
  return text;
}

/// A complaint as part of a sentence: its line ends are spaces.
std::string in_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

struct streams {
  std::FILE *input, *output, *complaints;
};

/// The wait status of the program.
int run(std::string_view operation, std::vector<std::string>& command, const streams& files,
        std::string_view remedy_if_missing) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(files.input), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(files.output), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(files.complaints), STDERR_FILENO);
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failure =
      posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    throw io_error(operation,
                   fmt::format("{} cannot be started ({})", command.front(), reason(failure)),
                   remedy_if_missing);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno == EINTR) continue;
    throw io_error(operation, fmt::format("{} was lost ({})", command.front(), reason(errno)),
                   "try again");
  }
  return status;
}

}  // namespace

finished_process run_program(std::string_view operation, std::vector<std::string> command,
                             std::string_view input, std::string_view remedy_if_missing) {
  const stream in = nameless_file(operation);
  const stream out = nameless_file(operation);
  const stream complaints = nameless_file(operation);
  if (std::fwrite(input.data(), 1, input.size(), in.get()) != input.size() ||
      std::fflush(in.get()) != 0) {
    throw io_error(
        operation,
        fmt::format("the data cannot be handed to {} ({})", command.front(), reason(errno)),
        "make room in /tmp");
  }
  std::rewind(in.get());
  const int status =
      run(operation, command, {in.get(), out.get(), complaints.get()}, remedy_if_missing);
  finished_process result{contents(out.get()), in_one_line(contents(complaints.get(), 2000)), {}};
  if (WIFSIGNALED(status)) result.failure = fmt::format("signal {}", WTERMSIG(status));
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    result.failure = fmt::format("exit status {}", WEXITSTATUS(status));
  }
  return result;
}

}  // namespace autodiff
