#include "proxy/system_calls.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace proxy {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Result;

// By their names: not every machine has every one of them (aarch64 has no poll, but ppoll).
struct Call {
  const char* name;
  const char* reason;
};

constexpr Call kAllowed[] = {
    {"read", "clients, workers, eventfd"},
    {"readv", "clients and workers"},
    {"recvfrom", "clients and workers"},
    {"recvmsg", "the supervisor's orders, with descriptors"},
    {"write", "clients, workers, logs, eventfd"},
    {"writev", "clients and workers"},
    {"pread64", "files and temporary files"},
    {"pwrite64", "temporary files"},
    {"close", "all that ends"},
    {"shutdown", "a side of a connection that has ended"},
    {"accept4", "clients"},
    {"connect", "workers, by their sockets' paths: their modes say to whom"},
    {"getsockopt", "why a connection failed"},
    {"setsockopt", "TCP_NODELAY and its like"},
    {"getsockname", "where a client came in"},
    {"getpeername", "who a client is"},
    {"epoll_wait", "the loops"},
    {"epoll_pwait", "the loops"},
    {"epoll_pwait2", "the loops"},
    {"epoll_ctl", "the loops"},
    {"timerfd_settime", "the loops"},
    {"poll", "whether a log has room"},
    {"ppoll", "the same"},
    {"openat", "folders of files, and temporary files; which ones is Landlock's affair"},
    {"openat2", "files"},
    {"open", "what glibc calls openat on some machines"},
    {"fstat", "files"},
    {"newfstatat", "files"},
    {"statx", "files"},
    {"unlinkat", "a temporary file where there is no O_TMPFILE"},
    {"lseek", "logs"},
    {"dup", "duplicates"},
    {"dup3", "a log that is opened again"},
    {"munmap", "memory"},
    {"mremap", "memory"},
    {"madvise", "memory that is given back"},
    {"brk", "memory"},
    {"futex", "locks between threads"},
    {"set_robust_list", "a thread begins"},
    {"rseq", "a thread begins"},
    {"sched_getaffinity", "a thread begins"},
    {"sched_yield", "a lock that is held for a moment"},
    {"membarrier", "memory shared by threads"},
    {"exit", "a thread ends"},
    {"exit_group", "the end"},
    {"rt_sigprocmask", "a thread begins"},
    {"rt_sigaction", "the abort at the end of an assertion"},
    {"rt_sigreturn", "back from a signal"},
    {"sigaltstack", "a thread ends"},
    {"restart_syscall", "the kernel's, after SIGSTOP"},
    {"gettid", "abort"},
    {"getpid", "abort"},
    {"clock_gettime", "where the vDSO has none"},
    {"gettimeofday", "the same"},
    {"getrandom", "keys, and ids of requests"},
    {"sysinfo", "the machine's memory"},
    {"getrlimit", "how many descriptors there may be"},
};

// What a sanitizer does inside the program that it watches; not in what is released.
constexpr Call kSanitizing[] = {
    {"readlink", "sanitizer"},
    {"readlinkat", "sanitizer"},
    {"getdents", "sanitizer"},
    {"getdents64", "sanitizer"},
    {"clone", "LeakSanitizer looks at the threads from a process of its own"},
    {"ptrace", "LeakSanitizer"},
    {"wait4", "LeakSanitizer"},
    {"prctl", "LeakSanitizer"},
    {"nanosleep", "ThreadSanitizer"},
    {"clock_nanosleep", "ThreadSanitizer"},
    {"getrusage", "ThreadSanitizer"},
    {"mincore", "sanitizer"},
    {"pipe", "sanitizer"},
    {"pipe2", "sanitizer"},
    {"arch_prctl", "sanitizer"},
    {"prlimit64", "sanitizer"},
    {"getppid", "LeakSanitizer"},
    {"stat", "sanitizer"},
};

// No mistake of ours leads there: whoever asks has taken us over.
constexpr const char* kDeadly[] = {
    "execve",        "execveat",        "ptrace",          "process_vm_readv", "process_vm_writev", "pidfd_getfd",
    "bpf",           "perf_event_open", "userfaultfd",     "io_uring_setup",   "mount",             "umount2",
    "move_mount",    "open_tree",       "fsopen",          "fsmount",          "pivot_root",        "chroot",
    "setns",         "unshare",         "init_module",     "finit_module",     "delete_module",     "kexec_load",
    "kexec_file_load", "keyctl",        "add_key",         "request_key",      "open_by_handle_at", "reboot",
    "setuid",        "setgid",          "setresuid",       "setresgid",        "capset",
};

bool is_sanitizing(std::string_view name) {
  return kIsSanitized && std::ranges::any_of(kSanitizing, [name](const Call& call) { return call.name == name; });
}

class Filter {
 public:
  explicit Filter(scmp_filter_ctx filter) : filter_(filter) {}

  // A name that the library or the machine does not know cannot be called there by us, and stays refused.
  template <class... Conditions>
  void add(std::uint32_t action, const char* name, Conditions... conditions) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number < 0) return;
    const int error = ::seccomp_rule_add(filter_, action, number, sizeof...(conditions), conditions...);
    if (error != 0 && why_.empty()) {
      why_ = fmt::format("there is no filter for {}", name);
      error_ = -error;
    }
  }

  template <class... Conditions>
  void allow(const char* name, Conditions... conditions) { add(SCMP_ACT_ALLOW, name, conditions...); }

  Result<void> load() {
    if (!why_.empty()) return fail(Code::kSystem, why_, error_);
    // One filter for all threads; and found by halving, for it is asked at each call (since Linux 5.11 only at those of which it looks at
    // the arguments: what is allowed always has its bit in a map).
    ::seccomp_attr_set(filter_, SCMP_FLTATR_CTL_TSYNC, 1);
    ::seccomp_attr_set(filter_, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    // Before Linux 5.16 a filter made the processor slower, against programs that compile foreign code (spec_store_bypass).
    ::seccomp_attr_set(filter_, SCMP_FLTATR_CTL_SSB, 1);
    ::seccomp_attr_set(filter_, SCMP_FLTATR_API_SYSRAWRC, 1);  // errors as the kernel says them
    ::seccomp_attr_set(filter_, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    const int error = ::seccomp_load(filter_);
    if (error == 0) return {};
    return fail(Code::kSystem, "system calls cannot be filtered", -error);
  }

 private:
  scmp_filter_ctx filter_;
  std::string why_;  // the first rule that could not be made
  int error_ = 0;
};

scmp_arg_cmp is(unsigned argument, std::uint64_t value) { return SCMP_CMP(argument, SCMP_CMP_EQ, value, 0); }
scmp_arg_cmp has(unsigned argument, std::uint64_t bits) { return SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, bits, bits); }

// Those of which only some uses are ours.
void allow_by_arguments(Filter& filter, bool has_ports) {
  // Streams alone: Landlock does not look at datagrams.
  constexpr std::uint64_t kKindOfSocket = 0xf;  // without SOCK_CLOEXEC and SOCK_NONBLOCK
  const scmp_arg_cmp streams = SCMP_CMP(1, SCMP_CMP_MASKED_EQ, kKindOfSocket, SOCK_STREAM);
  filter.allow("socket", is(0, AF_UNIX), streams);
  if (has_ports) filter.allow("socket", is(0, AF_INET), streams);
  // Clients, workers, the supervisor. Never MSG_FASTOPEN: it connects without asking Landlock, and a client's socket, disconnected, will do.
  filter.allow("sendmsg", SCMP_CMP(2, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
  filter.allow("sendto", SCMP_CMP(3, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
  // Never F_SETOWN: the kernel signals whom it names, which may be anybody of our user.
  for (const std::uint64_t command : {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL}) filter.allow("fcntl", is(1, command));
  filter.allow("ioctl", is(1, SIOCOUTQ));  // how much a client has not taken; never TIOCSTI, the log may be a terminal
  for (const char* const name : {"mmap", "mprotect"}) filter.allow(name, SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  filter.allow("clone", has(0, CLONE_THREAD));
  filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");  // its flags cannot be looked at; glibc takes clone then
  filter.allow("tgkill", is(0, static_cast<std::uint64_t>(::getpid())));  // abort
  filter.allow("prctl", is(0, PR_SET_NAME));
  for (const pid_t whom : {0, ::getpid()}) filter.allow("prlimit64", is(0, static_cast<std::uint64_t>(whom)));
}

}  // namespace

Result<void> filter_system_calls(bool has_ports) {
  // 3: the kernel (4.14) can end a whole process, which is what the library finds out by seccomp(2).
  if (::seccomp_api_get() < 3) return fail(Code::kSystem, "this kernel does not filter system calls, or the container's profile refuses it");
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> made(::seccomp_init(SCMP_ACT_ERRNO(EPERM)), ::seccomp_release);
  if (!made) return fail(Code::kSystem, "there is no memory for a filter");
  Filter filter(made.get());
  for (const Call& call : kAllowed) filter.allow(call.name);
  if (kIsSanitized) {
    for (const Call& call : kSanitizing) filter.allow(call.name);
  }
  for (const char* const name : kDeadly) {
    if (!is_sanitizing(name)) filter.add(SCMP_ACT_KILL_PROCESS, name);
  }
  allow_by_arguments(filter, has_ports);
  return filter.load();
}

}  // namespace proxy
