#include "supervisor/zygote.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <functional>
#include <optional>

#include "doctest_precompiled.h"

using namespace supervisor;
using runtime::Fd;

namespace {

// ---- in the zygote's place ----

/// The next message's last descriptor: the birth. -1: there will be none.
int next_birth(int control) {
  std::array<char, 4096> text;
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 5)> space;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = space.data();
  header.msg_controllen = space.size();
  if (::recvmsg(control, &header, 0) <= 0) return -1;
  std::array<int, 5> fds;
  std::memcpy(fds.data(), CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof fds);
  return fds[4];
}

void say(int birth, std::string_view word) { ::send(birth, word.data(), word.size(), MSG_NOSIGNAL); }

/// Whose parent ends: it is an orphan when that has been waited for, and says that it is born.
void fork_twice(int birth) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  const pid_t between = ::fork();
  if (between != 0) {
    ::waitpid(between, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
    return;
  }
  ::close(ends[1]);
  if (::fork() != 0) ::_exit(0);
  char end = 0;
  if (::read(ends[0], &end, 1) != 0) ::_exit(44);
  say(birth, "born");
  char go = 0;
  ::_exit(::recv(birth, &go, 1, 0) == 1 ? 42 : 43);
}

// ---- the supervisor's side ----

struct Stage {
  /// `be` is run in another process, with each birth that it is asked for.
  explicit Stage(std::function<void(int birth)> be) {
    auto ends = runtime::Channel::pair();
    REQUIRE(ends.has_value());
    int flags = 0;
    const pid_t pid = ::fork();
    if (pid == 0) {
      ends->first.reset();
      ::ioctl(ends->second.get(), FIONBIO, &flags);
      for (int asked; (asked = next_birth(ends->second.get())) >= 0; ::close(asked)) {
        ::ioctl(asked, FIONBIO, &flags);
        be(asked);
      }
      ::_exit(0);
    }
    Spawned spawned{.pid = pid, .pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))};
    zygote = std::make_shared<Zygote>(reaper, std::move(spawned), std::move(ends->first), "shop");
  }

  /// What comes of one birth.
  std::string ask() {
    auto asked = Birth::ask(zygote, {.notify = "/n", .listener = 0, .out = 1, .err = 2, .stack = 2}, runtime::bind<&Stage::on_born>(this));
    REQUIRE(asked.has_value());
    birth = std::move(*asked);
    error.reset();
    end.reset();
    born.reset();
    loop.run();
    birth.reset();
    return error.value_or("");
  }
  // At once, or the reaper would take one that ends soon for an orphan.
  void on_born(runtime::Result<Spawned>& how) {
    if (how) {
      born = std::make_unique<Child>(reaper, std::move(*how), runtime::bind<&Stage::on_exited>(this));
    } else {
      error = how.error().text();
    }
    loop.stop();
  }
  void on_exited(const Exit& exit) { end = exit; }
  /// Of the one that was born.
  int exit_status() {
    while (!end) loop.turn();
    return end->number;
  }

  runtime::Loop loop;
  Reaper reaper{loop};
  std::shared_ptr<Zygote> zygote;
  std::unique_ptr<Birth> birth;
  std::unique_ptr<Child> born;
  std::optional<Exit> end;  // of the one that was born
  std::optional<std::string> error;
};

}  // namespace

TEST_CASE("who is born is a child of ours, and is told to go on") {
  Stage stage(fork_twice);
  for (int i = 0; i < 3; ++i) {
    CHECK(stage.ask() == "");
    REQUIRE(stage.born != nullptr);
    CHECK(stage.exit_status() == 42);
  }
  CHECK(stage.zygote->is_alive());
}

TEST_CASE("nobody is taken for a worker who is no orphan of ours") {
  SUBCASE("the zygote itself") {
    Stage stage([](int birth) { say(birth, "born"); });
    CHECK(stage.ask().ends_with(" is no child of ours that nobody knows"));
  }
  SUBCASE("a child of the zygote") {
    Stage stage([](int birth) {
      const pid_t child = ::fork();
      if (child == 0) {
        say(birth, "born");
        ::_exit(0);
      }
      ::waitpid(child, nullptr, 0);
    });
    CHECK(stage.ask().ends_with(" is no child of ours that nobody knows"));
  }
}

TEST_CASE("another word is why there is no worker, and its bytes are made harmless") {
  Stage stage([](int birth) { say(birth, "cannot fork: \x1b[2J"); });
  const std::string why = stage.ask();
  CHECK(why.starts_with("cannot fork: "));
  CHECK(why.find('\x1b') == std::string::npos);
}

TEST_CASE("who ends before it is born is heard of") {
  Stage stage([](int) {});
  CHECK(stage.ask() == "it has ended before it was a worker");
}

TEST_CASE("the end of a zygote is told to all who wait, with its cause") {
  Stage stage([](int) { ::_exit(7); });
  CHECK(stage.ask() == "its zygote has ended: exit status 7");
  CHECK_FALSE(stage.zygote->is_alive());
}

TEST_CASE("a zygote that nobody holds is killed, and not waited for") {
  Stage stage([](int) { ::pause(); });
  const pid_t pid = stage.zygote->pid();
  stage.zygote.reset();
  while (::kill(pid, 0) == 0) stage.loop.turn();  // until it has been reaped, as an orphan
}
