#include <autodiff/child_process.hpp>

#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill() is of POSIX
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
#include <thread>

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

pid_t start(std::string_view operation, std::vector<std::string>& command, const streams& files,
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
  return child;
}

/// How a program ended, and whether that was by us.
struct ending {
  int status = 0;
  bool is_late = false;
};

/// Nothing in POSIX waits for one child and the clock at once, without a hand in the signals of the
/// whole process. So this looks again and again, each time after a small part of the time passed.
ending wait_for(std::string_view operation, const std::string& program, pid_t child,
                std::chrono::milliseconds patience) {
  using clock = std::chrono::steady_clock;
  const auto begin = clock::now();
  ending end;
  while (true) {
    const pid_t ended = waitpid(child, &end.status, end.is_late ? 0 : WNOHANG);
    if (ended == child) return end;
    if (ended < 0 && errno != EINTR) {
      throw io_error(operation, fmt::format("{} was lost ({})", program, reason(errno)),
                     "try again");
    }
    const auto passed = clock::now() - begin;
    if (passed > patience) {
      end.is_late = true;
      kill(child, SIGKILL);
    } else {
      std::this_thread::sleep_for(std::clamp<clock::duration>(
          passed / 16, std::chrono::microseconds(200), std::chrono::milliseconds(20)));
    }
  }
}

std::string failure_of(const ending& end, std::chrono::milliseconds patience) {
  if (end.is_late)
    return fmt::format("not done after {:.3g} s", std::chrono::duration<double>(patience).count());
  if (WIFSIGNALED(end.status)) return fmt::format("signal {}", WTERMSIG(end.status));
  if (WIFEXITED(end.status) && WEXITSTATUS(end.status) != 0)
    return fmt::format("exit status {}", WEXITSTATUS(end.status));
  return {};
}

}  // namespace

finished_process run_program(std::string_view operation, std::vector<std::string> command,
                             std::string_view input, std::string_view remedy_if_missing,
                             std::chrono::milliseconds patience) {
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
  const pid_t child =
      start(operation, command, {in.get(), out.get(), complaints.get()}, remedy_if_missing);
  const ending end = wait_for(operation, command.front(), child, patience);
  return {contents(out.get()), in_one_line(contents(complaints.get(), 2000)),
          failure_of(end, patience), end.is_late};
}

}  // namespace autodiff
