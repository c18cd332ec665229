// What this machine gives us: CPUs and memory as our affinity and our cgroup allow them (not the machine's
// own), the memory of a process, and the counters of the OOM killer. Reads /proc and /sys/fs/cgroup, v2 and v1
// (cgroups(7)); nothing is changed there.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/bytes.h"
#include "runtime/fd.h"

namespace runtime {

/// Where our cgroups are found. Tests prepare others.
struct Cgroups {
  std::string list = "/proc/self/cgroup";
  std::string mount = "/sys/fs/cgroup";
};

/// CPUs that we may really use: the smaller of sched_getaffinity(2), which no cpuset allows more than it has, and
/// the CPU quota of our cgroup and those above it, rounded up. At least 1.
std::size_t usable_cpus(const Cgroups& cgroups = {});

/// Whole CPUs of a quota, rounded up; nothing where there is none. Text of v2's cpu.max ("150000 100000",
/// "max 100000").
std::optional<std::size_t> cpus_of_cpu_max(std::string_view text);
/// The same of v1's cpu.cfs_quota_us and cpu.cfs_period_us ("-1" is no quota).
std::optional<std::size_t> cpus_of_quota(std::string_view quota, std::string_view period);

/// Memory that we may really use: the machine's, or the limit of our own cgroup or of one above it.
Bytes usable_memory(const Cgroups& cgroups = {});

/// A limit of memory in bytes; nothing where there is none. Text of v2's memory.max ("max") or v1's
/// memory.limit_in_bytes.
std::optional<Bytes> bytes_of_limit(std::string_view text);

/// Of that, what nobody uses now, or only as a cache of files: the least of the machine's own and of what is left
/// below each limit.
Bytes available_memory(const Cgroups& cgroups = {});

/// What is left below a limit: `stat` is v2's or v1's memory.stat, of which files that nobody has used lately are
/// given back when they are wanted.
Bytes left_below(Bytes limit, Bytes used, std::string_view stat);

/// Resident memory of a process; nothing when it has gone.
std::optional<Bytes> resident_memory(pid_t pid);

/// The same of ourselves, from a file that is opened once: for who may not open it later. From any thread.
class OwnMemory {
 public:
  OwnMemory();
  std::optional<Bytes> resident() const;

 private:
  Fd statm_;
};

/// The same, but of what it shares with others only its share (Pss, proc_pid_smaps(5)); where that may not be
/// read, the resident memory. The kernel walks all of its pages for it: not for every moment.
std::optional<Bytes> proportional_memory(pid_t pid);

/// Of what a process holds in memory (proc_pid_smaps(5)).
struct HeldMemory {
  Bytes proportional = 0;  ///< its own, and its share of what it has in common with others
  Bytes shared = 0;        ///< what it has in common with others, whole
};
/// Nothing when it has gone, or where that may not be read. It costs what proportional_memory() does.
std::optional<HeldMemory> held_memory(pid_t pid);

/// The number in a line "KEY NUMBER" or "KEY: NUMBER kB" of such a file; nothing where there is no such line.
std::optional<std::uint64_t> number_of(std::string_view text, std::string_view key);

/// How often the OOM killer has struck so far: in our own cgroup, and on the whole machine.
struct OomKills {
  std::uint64_t in_cgroup = 0;
  std::uint64_t on_machine = 0;
};
OomKills oom_kills();

}  // namespace runtime
