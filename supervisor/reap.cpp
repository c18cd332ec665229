#include "supervisor/reap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "runtime/log.h"

namespace supervisor {
namespace {

constexpr auto kPidfd =
    static_cast<idtype_t>(3);  // P_PIDFD (waitid(2)); glibc's header has it only with _GNU_SOURCE

Exit to_exit(const siginfo_t& info) {
  return {.is_signal = info.si_code != CLD_EXITED, .number = info.si_status};
}

bool wait_for(idtype_t type, id_t id, int options, siginfo_t& info) {
  info = {};
  while (::waitid(type, id, &info, WEXITED | options) != 0) {
    if (errno != EINTR) return false;
  }
  return info.si_pid != 0;
}

}  // namespace

Reaper::Reaper(runtime::Loop& loop)
    : loop_(loop), signal_(loop, SIGCHLD, runtime::bind<&Reaper::on_child_signal>(this)) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

// Children of ours are left to their pidfd; but the same pid would be told again and again while it waits for
// that, so it is collected here.
void Reaper::on_child_signal() {
  siginfo_t info;
  while (wait_for(P_ALL, 0, WNOHANG | WNOWAIT, info)) {
    const auto known = children_.find(info.si_pid);
    if (known != children_.end()) {
      known->second->on_pidfd();
      if (children_.contains(info.si_pid)) return;  // cannot be: what waitid told of can be collected
      continue;
    }
    siginfo_t gone;
    if (!wait_for(P_PID, static_cast<id_t>(info.si_pid), WNOHANG, gone)) return;
    runtime::log(runtime::Level::kDebug, "an orphan has ended",
                 {{"pid", info.si_pid}, {"exit", describe(to_exit(gone), {})}});
  }
}

// Killing one may hand us its children, so the list is read again until it is empty. One that we may not kill
// (not root, and it went through sudo) is left alone: nobody knows how long we would wait for it.
void Reaper::kill_all_left() {
  for (;;) {
    std::ifstream list(fmt::format("/proc/self/task/{}/children", ::getpid()));
    bool is_any = false;
    for (pid_t pid = 0; list >> pid;) {
      if (::kill(pid, SIGKILL) != 0 && errno == EPERM) continue;
      is_any = true;
      siginfo_t gone;
      wait_for(P_PID, static_cast<id_t>(pid), 0, gone);
    }
    if (!is_any) return;
  }
}

runtime::Result<Spawned> Reaper::take_orphan(pid_t pid) const {
  Spawned spawned{.pid = pid};
  spawned.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  siginfo_t info{};
  const bool is_ours = spawned.pidfd && ::waitid(kPidfd, static_cast<id_t>(spawned.pidfd.get()), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
  if (is_ours && !children_.contains(pid)) return spawned;
  return runtime::fail(runtime::Code::kSystem, fmt::format("process {} is no child of ours that nobody knows", pid));
}

Child::Child(Reaper& reaper, Spawned spawned, runtime::Call<const Exit&> on_exited)
    : reaper_(reaper),
      pid_(spawned.pid),
      pidfd_(std::move(spawned.pidfd)),
      failure_pipe_(std::move(spawned.failure)),
      on_exited_(on_exited),
      watch_(reaper.loop(), pidfd_.get(), runtime::bind<&Child::on_pidfd>(this)) {
  reaper_.children_.emplace(pid_, this);
  watch_.want_read(true);
}

Child::Child(Reaper& reaper, const saved::Child& saved, runtime::Call<const Exit&> on_exited)
    : Child(reaper,
            Spawned{.pid = saved.pid, .pidfd = saved::take(saved.pidfd), .failure = saved::take(saved.failure)},
            on_exited) {
  sent_ = saved.sent;
  asked_ = saved.asked;
}

saved::Child Child::save() const {
  return {.pid = pid_, .pidfd = {pidfd_.get()}, .failure = {failure_pipe_.get()}, .sent = sent_, .asked = asked_};
}

Child::~Child() {
  if (!is_alive_) return;
  Exit exit;
  kill_group();
  collect(/*wait=*/true, exit);
}

void Child::signal(int number) {
  if (is_alive_ && send(number)) note_sent(number);
}

void Child::note_sent(int number) {
  sent_ = number;
  if (asked_ == 0) asked_ = number;
}

void Child::ask(int number) {
  if (is_alive_) send(number);
}

bool Child::send(int number) const {
  if (::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) == 0) return true;
  if (errno == EPERM) {
    runtime::log(runtime::Level::kError, "a process of another user cannot be signalled: give us CAP_KILL, or no app a `user`",
                 {{"pid", pid_}, {"signal", number}});
  }
  return false;
}

void Child::kill_group() {
  if (!is_alive_) return;
  signal(SIGKILL);
  // Not yet reaped, so its pid, which is the group's name, is nobody else's. Before setsid() there is no such
  // group.
  ::kill(-pid_, SIGKILL);
}

void Child::abandon() {
  if (!is_alive_) return;
  kill_group();
  is_alive_ = false;
  watch_.want_read(false);
  reaper_.children_.erase(pid_);
}

void Child::on_pidfd() {
  Exit exit;
  if (is_alive_ && collect(/*wait=*/false, exit)) on_exited_(exit);
}

bool Child::collect(bool wait, Exit& exit) {
  siginfo_t info;
  const int options = wait ? 0 : WNOHANG;
  const auto id = static_cast<id_t>(pidfd_.get());
  if (!wait_for(kPidfd, id, options | WNOWAIT, info)) return false;
  // While it is a zombie its group cannot be mistaken: whoever is left of it goes too.
  ::kill(-pid_, SIGKILL);
  rusage used{};
  // The system call itself, for its fifth argument, which waitid() does not have: what the process has used.
  while (::syscall(SYS_waitid, kPidfd, id, &info, WEXITED | options, &used) != 0 && errno == EINTR) {}
  exit = to_exit(info);
  peak_memory_ = static_cast<runtime::Bytes>(used.ru_maxrss) * 1024;  // told in KiB
  is_alive_ = false;
  watch_.want_read(false);
  failure_ = read_failure(failure_pipe_.get());
  reaper_.children_.erase(pid_);
  return true;
}

}  // namespace supervisor
