#include "supervisor/spawn.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "doctest_precompiled.h"
#include "supervisor/reap.h"

using namespace supervisor;
using runtime::Fd;

namespace {

// Runs a shell script by `plan` to its end; what it printed is in `said`.
struct Shell {
  runtime::Loop loop;
  Reaper reaper{loop};
  std::string said;
  Exit exit;
  std::optional<SpawnFailure> failure;
  runtime::Bytes peak_memory = 0;
  pid_t pid = 0;

  void on_exited(const Exit& how) {
    exit = how;
    loop.stop();
  }

  void run(SpawnPlan plan, const std::string& script) {
    int pipe[2];
    REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
    const Fd in(pipe[0]);
    Fd out(pipe[1]);
    if (plan.program.empty()) plan.program = "/bin/sh";
    plan.arguments = {"sh", "-c", script};
    plan.fds.push_back({out.get(), 1});
    auto spawned = spawn(plan);
    REQUIRE(spawned.has_value());
    pid = spawned->pid;
    Child child(reaper, std::move(*spawned), runtime::bind<&Shell::on_exited>(this));
    loop.run();
    failure = child.failure();
    peak_memory = child.peak_memory();
    out.reset();
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(in.get(), buffer, sizeof buffer)) > 0;)
      said.append(buffer, static_cast<std::size_t>(n));
  }
};

}  // namespace

TEST_CASE("a process gets its arguments, its environment and its directory") {
  Shell shell;
  shell.run({.environment = {"GREETING=hello"}, .directory = "/usr"}, "echo $GREETING; pwd");
  CHECK(shell.said == "hello\n/usr\n");
  CHECK(shell.exit == Exit{.is_signal = false, .number = 0});
  CHECK_FALSE(shell.failure);
}

TEST_CASE("LISTEN_PID is the process's own pid") {
  Shell shell;
  shell.run({.wants_listen_pid = true}, "echo $LISTEN_PID $$");
  const std::string pid = std::to_string(shell.pid);
  CHECK(shell.said == pid + " " + pid + "\n");
}

TEST_CASE("it leads a session and a group of its own") {
  Shell shell;
  shell.run({}, "read -r pid name state parent group session rest < /proc/self/stat; echo $group $session");
  CHECK(shell.said == std::to_string(shell.pid) + " " + std::to_string(shell.pid) + "\n");
}

TEST_CASE("it inherits the descriptors of its plan and no other, close-on-exec or not") {
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd stray(::fcntl(null.get(), F_DUPFD, 50));  // as our own parent may have left one open
  const Fd wanted(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  Shell shell;
  shell.run({.environment = {"PATH=/usr/bin:/bin"}, .fds = {{wanted.get(), 5}}},
            "readlink /proc/$$/fd/0 /proc/$$/fd/5; set -- /proc/$$/fd/*; echo $#");
  CHECK(shell.said == "/dev/null\n/dev/zero\n5\n");  // 0, 1, 2, 5, and the folder that the shell reads to count them
}

TEST_CASE("descriptors may trade places") {
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  Shell shell;
  shell.run(
      {.environment = {"PATH=/usr/bin:/bin"}, .fds = {{null.get(), zero.get()}, {zero.get(), null.get()}}},
      "readlink /proc/$$/fd/" + std::to_string(null.get()) + " /proc/$$/fd/" + std::to_string(zero.get()));
  CHECK(shell.said == "/dev/zero\n/dev/null\n");
}

TEST_CASE("our ignored and blocked signals are not its own") {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  Shell shell;
  shell.run({.environment = {"PATH=/usr/bin:/bin"}}, "grep -E 'SigBlk|SigIgn' /proc/self/status | cut -f 2");
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  CHECK(shell.said == "0000000000000000\n0000000000000000\n");
}

TEST_CASE("the step that failed and its errno are known at the end") {
  Shell shell;
  shell.run({.directory = "/no/such/folder"}, "echo never");
  REQUIRE(shell.failure);
  CHECK(shell.failure->step == SpawnStep::kDirectory);
  CHECK(shell.failure->text() == "cannot enter its directory: No such file or directory");
  CHECK(shell.said == "");
}

TEST_CASE("a program that may not be executed is said as such") {
  Shell shell;
  shell.run({.program = "/etc/passwd"}, "");
  REQUIRE(shell.failure);
  CHECK(shell.failure->text() == "cannot start the program: Permission denied");
}

TEST_CASE(
    "an open program is started whatever its path is, and its descriptor may lie where another is put") {
  Fd program(::open("/bin/sh", O_PATH | O_CLOEXEC));
  const Fd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  Shell shell;
  SpawnPlan plan{.program = "/no/such/program", .program_fd = program.get()};
  plan.fds = {{zero.get(), program.get()}};
  shell.run(plan, "echo started");
  CHECK(shell.said == "started\n");
}

TEST_CASE("as root it becomes its user, with its groups, and gains nothing back") {
  if (::geteuid() != 0) return;
  Shell shell;
  SpawnPlan plan{.account = Account{
                     .name = "nobody", .home = "/", .uid = 65534, .gid = 65534, .groups = {65534, 65533}}};
  plan.environment = {"PATH=/usr/bin:/bin"};
  plan.may_gain_privileges = false;
  plan.umask = 027;
  shell.run(plan, "id -u; id -G; grep NoNewPrivs /proc/self/status; umask");
  CHECK(shell.said == "65534\n65534 65533\nNoNewPrivs:\t1\n0027\n");
}

TEST_CASE("it has its limits, and its niceness, and nobody else has them") {
  std::vector<Fd> ours(200);  // more than it may have
  for (Fd& one : ours) one = runtime::duplicate(STDERR_FILENO);
  Shell shell;
  SpawnPlan plan{.environment = {"PATH=/usr/bin:/bin"}};
  plan.descriptors = 512;
  plan.bounds = {{RLIMIT_NOFILE, {100, 200}}, {RLIMIT_CORE, {0, 0}}};
  plan.nice = 19;
  shell.run(plan, "ulimit -Sn; ulimit -Hn; ulimit -c; nice; cat /proc/self/autogroup 2>/dev/null | grep -o 'nice .*' || echo nice 19");
  CHECK(shell.said == "100\n200\n0\n19\nnice 19\n");
  rlimit own{};
  ::getrlimit(RLIMIT_NOFILE, &own);
  CHECK(own.rlim_cur != 100);
}

TEST_CASE("a limit that cannot be set is told, and nothing is started") {
  Shell shell;
  SpawnPlan plan;
  plan.bounds = {{RLIMIT_NOFILE, {1, rlim_t{1} << 40}}};  // more than the kernel has
  shell.run(plan, "echo never");
  REQUIRE(shell.failure);
  CHECK(shell.failure->text() == "cannot set its rlimits: Operation not permitted");
  CHECK(shell.said == "");
}

TEST_CASE("that its user has too many processes is said as such") {
  if (::geteuid() != 0) return;
  SpawnPlan plan{.account = Account{.name = "nobody", .home = "/", .uid = 65534, .gid = 65534, .groups = {65534}}};
  SpawnPlan another = plan;
  another.program = "/bin/sleep";
  another.arguments = {"sleep", "600"};
  Shell shell;
  const auto first = spawn(another);
  REQUIRE(first.has_value());
  char end_of_exec;
  pollfd exec{first->failure.get(), POLLIN, 0};
  REQUIRE(::poll(&exec, 1, 60'000) == 1);  // it is of that user by then
  CHECK(::read(first->failure.get(), &end_of_exec, 1) == 0);
  plan.bounds = {{RLIMIT_NPROC, {0, 0}}};
  shell.run(plan, "echo never");
  ::kill(first->pid, SIGKILL);
  ::waitpid(first->pid, nullptr, 0);
  REQUIRE(shell.failure);
  CHECK(shell.failure->text() ==
        "cannot start the program: Resource temporarily unavailable: its user has more processes than its `nproc` in `rlimits`");
}

TEST_CASE("it is in its cgroup before anything else is done, or is not started") {
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  const Fd in(pipe[0]), procs(pipe[1]);
  Shell shell;
  shell.run({.group = procs.get()}, "echo started");
  CHECK(shell.said == "started\n");
  char written[8] = {};
  CHECK(::read(in.get(), written, sizeof written) == 1);
  CHECK(written[0] == '0');

  const Fd read_only(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Shell another;
  another.run({.group = read_only.get()}, "echo never");
  REQUIRE(another.failure);
  CHECK(another.failure->text() == "cannot enter its cgroup: Bad file descriptor");
}

TEST_CASE("a capability that a service manager has given us is not its own") {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct capabilities[2] = {};
  REQUIRE(::syscall(SYS_capget, &header, capabilities) == 0);
  const auto inheritable = capabilities[0].inheritable;
  capabilities[0].inheritable |= 1U << CAP_NET_BIND_SERVICE;
  if (::syscall(SYS_capset, &header, capabilities) != 0) return;  // not root: there is none to give
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) != 0) return;
  Shell shell;
  shell.run({.environment = {"PATH=/usr/bin:/bin"}}, "grep CapAmb /proc/self/status");
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_NET_BIND_SERVICE, 0, 0);
  capabilities[0].inheritable = inheritable;
  ::syscall(SYS_capset, &header, capabilities);
  CHECK(shell.said == "CapAmb:\t0000000000000000\n");
}

TEST_CASE("a process that is let go of is killed with its group, and waited for") {
  runtime::Loop loop;
  Reaper reaper(loop);
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  const Fd in(pipe[0]);
  Fd out(pipe[1]);
  auto spawned = spawn({.program = "/bin/sh",
                        .arguments = {"sh", "-c", "sleep 1000 & echo $!; wait"},
                        .environment = {"PATH=/usr/bin:/bin"},
                        .fds = {{out.get(), 1}}});
  out.reset();
  REQUIRE(spawned.has_value());
  const pid_t leader = spawned->pid;
  char said[16] = {};
  {
    struct Nobody {
      void on_exited(const Exit&) {}
    } nobody;
    const Child child(reaper, std::move(*spawned), runtime::bind<&Nobody::on_exited>(&nobody));
    REQUIRE(::read(in.get(), said, sizeof said - 1) > 0);
  }
  CHECK(::kill(leader, 0) == -1);
  // The other one was killed too: it comes to us as its subreaper, and nobody else holds the pipe.
  reaper.kill_all_left();
  CHECK(::read(in.get(), said, sizeof said) == 0);
}

TEST_CASE("a descendant that we may not kill is not waited for") {
  if (::geteuid() != 0) return;
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  const Fd in(pipe[0]), out(pipe[1]);
  const pid_t supervisor = ::fork();
  if (supervisor == 0) {
    ::alarm(60);  // the bound of this test
    runtime::Loop loop;
    Reaper reaper(loop);
    const pid_t roots = ::fork();
    if (roots == 0) {
      for (;;) ::pause();
    }
    const bool is_told = ::write(out.get(), &roots, sizeof roots) == sizeof roots;
    if (!is_told || ::setresuid(65534, 65534, 65534) != 0) ::_exit(1);
    reaper.kill_all_left();
    ::_exit(0);
  }
  pid_t roots = 0;
  int status = -1;
  REQUIRE(::read(in.get(), &roots, sizeof roots) == sizeof roots);
  ::waitpid(supervisor, &status, 0);
  CHECK(status == 0);
  CHECK(::kill(roots, SIGKILL) == 0);
}

TEST_CASE("what is left of a group goes when its leader ends, and orphans are reaped") {
  Shell shell;
  shell.run({.environment = {"PATH=/usr/bin:/bin"}}, "sleep 1000 & echo $!");
  const pid_t left = std::stoi(shell.said);
  // run() read to the end of the pipe, which the other one held: it is dead, and a zombie of ours until it is
  // reaped.
  while (::kill(left, 0) == 0) shell.loop.turn();
  CHECK(errno == ESRCH);
}

TEST_CASE("it gets the limit of descriptors of its plan, not ours") {
  Shell shell;
  shell.run({.descriptors = 77}, "ulimit -Sn");
  CHECK(shell.said == "77\n");
}

TEST_CASE("of a process that has ended it is known how much memory it had") {
  Shell shell;
  shell.run({}, "exit 0");
  CHECK(shell.peak_memory > 100'000);
}
