// After fork, and before exec, only these are called: dup3, fcntl, close_range, open, setsid, umask,
// setgroups, setresgid, setresuid, setrlimit, setpriority, prctl, capget, capset, getppid, chdir, sigaction, sigprocmask, getpid, execve,
// execveat, write, close, exit_group. All are system calls without a lock or an allocation in glibc
// (signal-safety(7)); the supervisor has one thread.
#include "supervisor/spawn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "runtime/capabilities.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

constexpr std::string_view kListenPid = "LISTEN_PID=";
constexpr std::size_t kDigits = 10;  // of a pid

// Everything that the child needs, laid out before the fork.
struct Prepared {
  const SpawnPlan* plan;
  std::string listen_pid;         // "LISTEN_PID=" and room for the digits
  std::vector<char*> argv, envp;  // null at the end
  std::vector<Passed> fds;        // sources are copies above every target
  std::vector<Fd> copies;         // owns those sources
  int program_fd = -1;            // such a copy too, or none
  int above_targets = 3;
  rlimit descriptors{};  // meaningful if the plan has a limit
  std::string nice;      // its digits
  pid_t parent = 0;
  sigset_t no_signals{};
  int failure = -1;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  return list;
}

// A descriptor may have the number of another's target: all are copied to numbers above.
Result<int> copy_above(Prepared& ready, int fd) {
  Fd& copy = ready.copies.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, ready.above_targets));
  if (!copy) return fail(Code::kSystem, "cannot duplicate a descriptor", errno);
  return copy.get();
}

Result<Prepared> prepare(const SpawnPlan& plan) {
  Prepared ready{.plan = &plan, .parent = ::getpid()};
  ready.argv = pointers(plan.arguments);
  ready.argv.push_back(nullptr);
  ready.envp = pointers(plan.environment);
  if (plan.wants_listen_pid) {
    // Not by operator+: g++ 12 at -O2 takes its temporary for an overflow (GCC bug 105651).
    ready.listen_pid = kListenPid;
    ready.listen_pid.append(kDigits, '\0');
    ready.envp.push_back(ready.listen_pid.data());
  }
  ready.envp.push_back(nullptr);
  for (const Passed& passed : plan.fds) ready.above_targets = std::max(ready.above_targets, passed.as + 1);
  for (const Passed& passed : plan.fds) {
    TRY(const int copy, copy_above(ready, passed.fd));
    ready.fds.push_back({copy, passed.as});
  }
  if (plan.program_fd >= 0) {
    TRY(const int copy, copy_above(ready, plan.program_fd));
    ready.program_fd = copy;
  }
  ::getrlimit(RLIMIT_NOFILE, &ready.descriptors);
  if (plan.descriptors) ready.descriptors.rlim_cur = *plan.descriptors;
  if (plan.nice) ready.nice = std::to_string(*plan.nice);
  ::sigemptyset(&ready.no_signals);
  return ready;
}

// ---- in the child ----

// Not _exit(): ThreadSanitizer's writes out our buffers on the way.
[[noreturn]] void leave() {
  for (;;) ::syscall(SYS_exit_group, 127);
}

[[noreturn]] void give_up(const Prepared& ready, SpawnStep step) {
  const SpawnFailure failure{step, errno};
  [[maybe_unused]] const auto n = ::write(ready.failure, &failure, sizeof failure);
  leave();
}

void write_own_pid(char* digits) {
  std::array<char, kDigits> backwards{};
  std::size_t count = 0;
  for (pid_t rest = ::getpid(); rest != 0; rest /= 10)
    backwards[count++] = static_cast<char>('0' + rest % 10);
  while (count != 0) *digits++ = backwards[--count];
}

// Our own handlers and ignored signals (PIPE) must not live on in a program that does not know of them.
bool reset_signals(const Prepared& ready) {
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &standard, nullptr);  // fails for KILL, STOP
  return ::sigprocmask(SIG_SETMASK, &ready.no_signals, nullptr) == 0;
}

bool place_descriptors(const Prepared& ready) {
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0) return false;
  if (null != 0 && ::dup3(null, 0, 0) < 0) return false;
  if (null == 0) ::fcntl(0, F_SETFD, 0);
  // Whatever our own parent left open goes too. Kernels before 5.11 do not know the flag; ours are
  // close-on-exec anyway.
  ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  for (const Passed& passed : ready.fds) {
    if (::dup3(passed.fd, passed.as, 0) < 0) return false;
  }
  return true;
}

// "0" is who writes it (cgroups(7)).
bool enter_group(int procs) { return ::write(procs, "0", 1) == 1; }

bool take_bounds(const Prepared& ready) {
  if (ready.plan->descriptors) ::setrlimit(RLIMIT_NOFILE, &ready.descriptors);
  for (const Bound& bound : ready.plan->bounds) {
    if (::setrlimit(static_cast<__rlimit_resource>(bound.resource), &bound.limit) != 0) return false;
  }
  return true;
}

// With autogroups (sched(7)) niceness counts only within a session, and each of ours is one: then the session as a whole
// is to be as nice. Where there are none that file is not there. Before the limits: all that we have open is still open here, and may be
// more than its `nofile`.
bool take_niceness(const Prepared& ready) {
  if (::setpriority(PRIO_PROCESS, 0, *ready.plan->nice) != 0) return false;
  const int session = ::open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
  if (session < 0) return true;
  [[maybe_unused]] const auto n = ::write(session, ready.nice.data(), ready.nice.size());
  ::close(session);
  return true;
}

bool take_identity(const Account& account) {
  return ::setgroups(account.groups.size(), account.groups.data()) == 0 &&
         ::setresgid(account.gid, account.gid, account.gid) == 0 &&
         ::setresuid(account.uid, account.uid, account.uid) == 0;
}

// A change of credentials clears it (prctl(2)), so this comes after; and we may have died before it was set.
bool set_death_signal(const Prepared& ready) {
  if (::prctl(PR_SET_PDEATHSIG, ready.plan->death_signal, 0, 0, 0) != 0) return false;
  if (::getppid() != ready.parent) leave();
  return true;
}

void start_program(const Prepared& ready) {
  if (ready.program_fd >= 0) {
    ::syscall(SYS_execveat, ready.program_fd, "", ready.argv.data(), ready.envp.data(), AT_EMPTY_PATH);
  } else {
    ::execve(ready.plan->program.c_str(), ready.argv.data(), ready.envp.data());
  }
}

[[noreturn]] void be_the_child(Prepared& ready) {
  const SpawnPlan& plan = *ready.plan;
  if (plan.group >= 0 && !enter_group(plan.group)) give_up(ready, SpawnStep::kGroup);
  if (::setsid() < 0 || !reset_signals(ready)) give_up(ready, SpawnStep::kSession);
  if (!place_descriptors(ready)) give_up(ready, SpawnStep::kDescriptors);
  if (plan.umask) ::umask(*plan.umask);
  if (plan.nice && !take_niceness(ready)) give_up(ready, SpawnStep::kNice);
  if (!take_bounds(ready)) give_up(ready, SpawnStep::kLimits);
  const bool keeps_one = plan.capabilities == SpawnPlan::Capabilities::kChangeRoot;
  if (keeps_one) {
    runtime::take_capability_along(CAP_SYS_CHROOT);
    runtime::empty_bounding_set();
  }
  if (plan.account && !take_identity(*plan.account)) give_up(ready, SpawnStep::kUser);
  // What a service manager has given us (AmbientCapabilities=, to bind port 443 without being root) is for us
  // alone. EINVAL: a kernel without them.
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (keeps_one) runtime::keep_capability(CAP_SYS_CHROOT);
  if (!plan.may_gain_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    give_up(ready, SpawnStep::kPrivileges);
  }
  if (plan.death_signal != 0 && !set_death_signal(ready)) give_up(ready, SpawnStep::kDeathSignal);
  if (!plan.directory.empty() && ::chdir(plan.directory.c_str()) != 0) give_up(ready, SpawnStep::kDirectory);
  if (plan.wants_listen_pid) write_own_pid(ready.listen_pid.data() + kListenPid.size());
  start_program(ready);
  give_up(ready, SpawnStep::kProgram);
}

}  // namespace

Result<Spawned> spawn(const SpawnPlan& plan) {
  TRY(Prepared ready, prepare(plan));
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0) return fail(Code::kSystem, "cannot make a pipe", errno);
  Spawned spawned{.failure = Fd(pipe[0])};
  const Fd failure(pipe[1]);
  // Above the targets, where no dup3() can hit it.
  const Fd failure_above(::fcntl(failure.get(), F_DUPFD_CLOEXEC, ready.above_targets));
  if (!failure_above) return fail(Code::kSystem, "cannot duplicate a descriptor", errno);
  ready.failure = failure_above.get();
  // Blocked until the child has reset its handlers: ours write into the pipe of our own event loop.
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  spawned.pid = ::fork();
  if (spawned.pid == 0) be_the_child(ready);
  const int why = errno;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (spawned.pid < 0) return fail(Code::kSystem, "cannot fork", why);
  // Safe: a child's pid is not used again before it is reaped, and only Child does that.
  spawned.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, spawned.pid, 0)));
  if (!spawned.pidfd) {
    const int reason = errno;
    ::kill(spawned.pid, SIGKILL);
    return fail(Code::kSystem, "cannot watch the new process", reason);
  }
  return spawned;
}

SpawnFailure become(const SpawnPlan& plan) {
  Prepared ready{.plan = &plan, .argv = pointers(plan.arguments), .envp = pointers(plan.environment)};
  ready.argv.push_back(nullptr);
  ready.envp.push_back(nullptr);
  ::sigemptyset(&ready.no_signals);
  if (!reset_signals(ready)) return {SpawnStep::kSession, errno};
  if (plan.umask) ::umask(*plan.umask);
  if (!take_bounds(ready)) return {SpawnStep::kLimits, errno};
  if (plan.nice && ::setpriority(PRIO_PROCESS, 0, *plan.nice) != 0) return {SpawnStep::kNice, errno};
  if (plan.account && !take_identity(*plan.account)) return {SpawnStep::kUser, errno};
  if (!plan.may_gain_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return {SpawnStep::kPrivileges, errno};
  if (!plan.directory.empty() && ::chdir(plan.directory.c_str()) != 0) return {SpawnStep::kDirectory, errno};
  start_program(ready);
  return {SpawnStep::kProgram, errno};
}

std::string_view name(SpawnStep step) {
  switch (step) {
    case SpawnStep::kGroup:
      return "enter its cgroup";
    case SpawnStep::kDescriptors:
      return "place its descriptors";
    case SpawnStep::kSession:
      return "begin a session";
    case SpawnStep::kUmask:
      return "set the umask";
    case SpawnStep::kLimits:
      return "set its rlimits";
    case SpawnStep::kNice:
      return "set its niceness";
    case SpawnStep::kUser:
      return "become its user";
    case SpawnStep::kPrivileges:
      return "give up privileges";
    case SpawnStep::kDeathSignal:
      return "tie it to us";
    case SpawnStep::kDirectory:
      return "enter its directory";
    case SpawnStep::kProgram:
      return "start the program";
  }
  return "be";
}

std::string SpawnFailure::text() const {
  // execve(2) has no other reason for it.
  const bool are_too_many = step == SpawnStep::kProgram && number == EAGAIN;
  return runtime::Error{Code::kSystem, fmt::format("cannot {}", name(step)), number}.text() +
         (are_too_many ? ": its user has more processes than its `nproc` in `rlimits`" : "");
}

std::optional<SpawnFailure> read_failure(int fd) {
  SpawnFailure failure{};
  if (::read(fd, &failure, sizeof failure) != static_cast<ssize_t>(sizeof failure)) return std::nullopt;
  return failure;
}

}  // namespace supervisor
