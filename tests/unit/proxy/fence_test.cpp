#include "proxy/fence.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <thread>

#include "doctest_precompiled.h"
#include "proxy/system_calls.h"
#include "runtime/landlock.h"
#include "runtime/machine.h"
#include "runtime/socket.h"

namespace {

namespace fs = std::filesystem;
using proxy::Fence;

/// What becomes of a process that does it: "done", "refused: " with why, or "killed" by SIGSYS.
template <class Deed>
std::string forked(Deed deed) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    errno = EDOM;  // what nothing here says of itself
    ::_exit(deed() ? 0 : errno);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGSYS ? "killed" : "died";
  return WEXITSTATUS(status) == 0 ? "done" : std::string("refused: ") + strerrorname_np(WEXITSTATUS(status));
}

/// The same behind the fence, of which nothing is missing that the kernel has.
template <class Deed>
std::string behind(const Fence& fence, Deed deed) {
  return forked([&] {
    const std::size_t missing = proxy::enter(fence).missing.size();
    errno = EDOM;
    return missing <= (runtime::landlock_version() == 0 ? 1U : 0U) && deed();
  });
}

bool opens(const fs::path& path, int flags) { return ::open(path.c_str(), flags | O_CLOEXEC, 0600) >= 0; }

struct Folder {
  Folder() { fs::create_directories(path / "inside"); std::ofstream(path / "inside" / "a") << "a"; }
  ~Folder() { fs::remove_all(path); }
  fs::path path = fs::temp_directory_path() / ("portherd-fence-" + std::to_string(::getpid()));
};

}  // namespace

TEST_CASE("behind the fence nothing is opened but what is below its folders, and that only to be read") {
  if (runtime::landlock_version() == 0) {
    MESSAGE("skipped: this kernel has no Landlock");
    return;
  }
  const Folder folder;
  const fs::path inside = folder.path / "inside";
  const Fence fence{.readable = {inside}, .has_sockets = true};
  CHECK(behind(fence, [&] { return opens(inside / "a", O_RDONLY); }) == "done");
  CHECK(behind(fence, [&] { return opens(inside / "a", O_WRONLY); }) == "refused: EACCES");
  CHECK(behind(fence, [&] { return opens(inside / "b", O_WRONLY | O_CREAT); }) == "refused: EACCES");
  CHECK(behind(fence, [&] { return opens(folder.path / "inside" / ".." / "b", O_RDWR | O_CREAT); }) == "refused: EACCES");
  CHECK(behind(fence, [] { return opens("/etc/passwd", O_RDONLY); }) == "refused: EACCES");
  CHECK(behind(fence, [] { return opens("/etc/shadow", O_RDONLY); }) == "refused: EACCES");
}

TEST_CASE("a name leads only to sockets in the folder that the process stands in, unless others are to be reached") {
  if (::geteuid() != 0 || proxy::kIsSanitized) {
    MESSAGE("skipped: it takes root, and no sanitizer");
    return;
  }
  const Folder folder;
  const auto far = runtime::listen_unix(folder.path / "far.sock", 0600);
  const auto near = runtime::listen_unix(folder.path / "inside" / "near.sock", 0600);
  REQUIRE((far && near));
  const auto reaches = [&](const std::string& path) {
    return [path] {
      return bool(runtime::connect_unix(path));
    };
  };
  const fs::path before = fs::current_path();
  fs::current_path(folder.path / "inside");
  CHECK(behind({}, reaches("near.sock")) == "done");
  CHECK(behind({}, reaches("/near.sock")) == "done");
  CHECK(behind({}, reaches("../far.sock")) == "refused: ENOENT");
  CHECK(behind({}, reaches(folder.path / "far.sock")) == "refused: ENOENT");
  CHECK(behind({.has_sockets = true}, reaches(folder.path / "far.sock")) == "done");
  fs::current_path(before);
}

TEST_CASE("who was started by root and cannot have a root of its own says so") {
  if (::geteuid() != 0 || proxy::kIsSanitized) {
    MESSAGE("skipped: it takes root, and no sanitizer");
    return;
  }
  const auto says_it = [](bool is_from_root) {
    return forked([is_from_root] {
      if (::setresuid(65534, 65534, 65534) != 0) return false;
      for (const std::string& sentence : proxy::enter({.is_from_root = is_from_root}).missing) {
        if (sentence.find("root cannot be changed") != sentence.npos) return true;
      }
      errno = EDOM;
      return false;
    });
  };
  CHECK(says_it(true) == "done");
  CHECK(says_it(false) == "refused: EDOM");
}

TEST_CASE("temporary files are made in the folder that is there for them") {
  const Folder folder;
  const int spool = ::open(folder.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  const auto makes = [&] {
    const int file = ::openat(spool, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char byte = 'x';
    return ::pwrite(file, &byte, 1, 0) == 1 && ::pread(file, &byte, 1, 0) == 1;
  };
  const auto makes_with_a_name = [&] {
    return ::openat(spool, "t", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600) >= 0 && ::unlinkat(spool, "t", 0) == 0;
  };
  CHECK(behind({.spool = spool}, makes) == "done");
  CHECK(behind({.spool = spool}, makes_with_a_name) == "done");
  if (runtime::landlock_version() != 0) {
    CHECK(behind({}, makes_with_a_name) == "refused: EACCES");
    const auto lists = [&] { return opens(folder.path, O_RDONLY | O_DIRECTORY); };
    CHECK(behind({.spool = spool, .has_sockets = true}, lists) == "refused: EACCES");
  }
  ::close(spool);
}

TEST_CASE("behind the fence a process still knows how much memory it has") {
  const auto knows = [] {
    const runtime::OwnMemory memory;
    proxy::enter({});
    return memory.resident().value_or(0) > 100'000;
  };
  CHECK(forked(knows) == "done");
}

TEST_CASE("behind the fence there is no network but Unix sockets, and TCP where an app needs it") {
  const auto makes = [](int family) { return [family] { return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0; }; };
  CHECK(behind({}, makes(AF_UNIX)) == "done");
  CHECK(behind({}, makes(AF_INET)) == "refused: EPERM");
  CHECK(behind({.has_ports = true}, makes(AF_INET)) == "done");
  CHECK(behind({.has_ports = true}, makes(AF_INET6)) == "refused: EPERM");
  CHECK(behind({.has_ports = true}, makes(AF_NETLINK)) == "refused: EPERM");
  for (const int family : {AF_UNIX, AF_INET}) {
    CHECK(behind({.has_ports = true}, [family] { return ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0; }) == "refused: EPERM");
  }
}

TEST_CASE("behind the fence nothing is connected by sending to it, which Landlock is not asked about") {
  const msghdr nothing{};
  CHECK(behind({}, [] { return ::sendto(0, nullptr, 0, MSG_FASTOPEN, nullptr, 0) >= 0; }) == "refused: EPERM");
  CHECK(behind({}, [&] { return ::sendmsg(0, &nothing, MSG_FASTOPEN | MSG_NOSIGNAL) >= 0; }) == "refused: EPERM");
}

TEST_CASE("a process behind the fence makes threads, which are behind it too, and no processes") {
  CHECK(behind({}, [] {
    bool is_done = false;
    int why = 0;
    std::thread([&] {
      is_done = ::socket(AF_INET, SOCK_STREAM, 0) >= 0;
      why = errno;
    }).join();
    errno = why;
    return is_done;
  }) == "refused: EPERM");
  if (!proxy::kIsSanitized) CHECK(behind({}, [] { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0; }) == "refused: EPERM");
}

TEST_CASE("behind the fence no other process is signalled, and no memory becomes a program") {
  const pid_t parent = ::getpid();
  CHECK(behind({}, [parent] { return ::kill(parent, 0) == 0; }) == "refused: EPERM");
  CHECK(behind({}, [parent] { return ::syscall(SYS_tgkill, parent, parent, 0) == 0; }) == "refused: EPERM");
  CHECK(behind({}, [parent] { return ::fcntl(0, F_SETOWN, parent) == 0; }) == "refused: EPERM");
  CHECK(behind({}, [] { return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED; }) ==
        "refused: EPERM");
  CHECK(behind({}, [] {
    ::signal(SIGABRT, SIG_DFL);  // doctest has a handler of its own
    ::abort();
    return true;
  }) == "died");
}

TEST_CASE("what no front would ever do ends it") {
  const auto calls = [](long number) { return [number] { return ::syscall(number, 0, 0, 0, 0, 0, 0) >= 0; }; };
  for (const long number : {SYS_execve, SYS_execveat, SYS_process_vm_readv, SYS_bpf, SYS_mount, SYS_unshare, SYS_chroot, SYS_setresuid}) {
    CAPTURE(number);
    CHECK(behind({}, calls(number)) == "killed");
  }
  if (!proxy::kIsSanitized) CHECK(behind({}, [] { return ::ptrace(PTRACE_TRACEME, 0, 0, 0) == 0; }) == "killed");
}

// A container's profile may refuse what it does not know.
TEST_CASE("what the kernel refuses is told, and the front is as fenced in as it can be") {
  CHECK(forked([] {
    constexpr auto kRefusal = static_cast<unsigned>(SECCOMP_RET_ERRNO | EPERM);
    sock_filter program[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                             {BPF_JMP | BPF_JEQ | BPF_K, 2, 0, SYS_seccomp},
                             {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYS_landlock_create_ruleset},
                             {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
                             {BPF_RET | BPF_K, 0, 0, kRefusal}};
    const sock_fprog profile{.len = std::size(program), .filter = program};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &profile) != 0) return false;
    const proxy::Entered entered = proxy::enter({.has_sockets = true});
    const bool is_told = entered.landlock == 0 && entered.missing == std::vector<std::string>{
        "this kernel has no Landlock, or the container's profile refuses it",
        "this kernel does not filter system calls, or the container's profile refuses it"};
    const bool is_without_capabilities = ::geteuid() != 0 || (::chroot("/") != 0 && errno == EPERM);
    return is_told && is_without_capabilities;
  }) == "done");
}
