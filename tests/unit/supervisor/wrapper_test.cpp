#include "supervisor/wrapper.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctest_precompiled.h"

using supervisor::last_of_line;
using supervisor::running;
using supervisor::told_of_port;
using supervisor::told_of_wrapper;

TEST_CASE("a program that was started by another is named, and what to do") {
  CHECK(told_of_wrapper({.pid = 811, .name = "sh"}, {.pid = 812, .name = "node"}) ==
        "; sh has started node (pid 812), which LISTEN_PID does not name: make that the command, or have the shell `exec` it "
        "(docs/other-languages.md)");
}

TEST_CASE("a command without a child, or with more processes of its own, is no wrapper") {
  CHECK(told_of_wrapper({.pid = 811, .name = "node"}, {.pid = 811, .name = "node"}).empty());
  CHECK(told_of_wrapper({.pid = 811, .name = "gunicorn"}, {.pid = 812, .name = "gunicorn"}).empty());
}

TEST_CASE("where nothing has answered, how a program is given a port is told") {
  for (const std::string silence : {"", "no answer within 5000 ms"})
    CHECK(told_of_port(silence).find("env = { PORT = '{port}' }") != std::string::npos);
  CHECK(told_of_port("status 503").empty());
}

TEST_CASE("who is last in a line of processes is found in /proc") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const pid_t grandchild = ::fork();
    if (grandchild == 0) {
      ::pause();
      ::_exit(0);
    }
    if (::write(ends[1], &grandchild, sizeof grandchild) < 0) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  pid_t grandchild = 0;
  REQUIRE(::read(ends[0], &grandchild, sizeof grandchild) == sizeof grandchild);
  CHECK(last_of_line(child) == grandchild);
  CHECK(last_of_line(grandchild) == grandchild);
  CHECK(running(grandchild)->name == running(::getpid())->name);
  CHECK(told_of_wrapper(child).empty());
  ::kill(grandchild, SIGKILL);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  CHECK_FALSE(running(child));
}
