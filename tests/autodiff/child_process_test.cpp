// Other programs, run and waited for.

#include <autodiff/child_process.hpp>

#include <signal.h>

#include <autodiff/error.hpp>

#include <chrono>
#include <string>
#include <tests/catch.hpp>
#include <tests/programs.hpp>
#include <tests/reference.hpp>
#include <tests/temporary_folder.hpp>

using autodiff::finished_process;
using autodiff::run_program;

TEST_CASE("a program reads what it is given, and what it writes comes back") {
  const std::string much(1 << 20, 'x');
  const finished_process cat = run_program("test", {"cat"}, much, "");
  CHECK(cat.output == much);
  CHECK(cat.failure.empty());
  CHECK_FALSE(cat.is_late);
  const finished_process shell =
      run_program("test", {"sh", "-c", "echo a; echo ' b\nc ' >&2; exit 3"}, "", "");
  CHECK(shell.output == "a\n");
  CHECK(shell.complaints == "b c");
  CHECK(shell.failure == "exit status 3");
  CHECK(run_program("test", {"sh", "-c", "kill -TERM $$"}, "", "").failure == "signal 15");
}

TEST_CASE("a program that is not done in time is ended") {
  const temporary_folder folder;
  const std::string file = (folder / "pid").string();
  const finished_process late =
      run_program("test", {"sh", "-c", "echo $$ > " + file + "; echo begun; exec sleep 1000"}, "",
                  "", std::chrono::seconds(1));
  CHECK(late.is_late);
  CHECK(late.failure == "not done after 1 s");
  CHECK(late.output == "begun\n");
  CHECK(kill(std::stoi(read_back(file)), 0) != 0);  // nobody is there to be signalled
}

TEST_CASE("a program that is not there is named with the remedy") {
  CHECK(reference::message<autodiff::io_error>([] {
          run_program("test", {"no-such-program"}, "", "install it");
        }) == "test: no-such-program cannot be started (No such file or directory); install it");
}
