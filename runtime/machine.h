// What this machine gives us: CPUs and memory as our affinity and our cgroup allow them (not the machine's
// own), resident memory, and the counters of the OOM killer. Reads /proc and /sys/fs/cgroup, v2 and v1
// (cgroups(7)); nothing is changed there.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/bytes.h"

namespace runtime {

/// CPUs that we may really use: the smaller of sched_getaffinity(2) and the CPU quota of our cgroup and those
/// above it, rounded up. At least 1.
std::size_t usable_cpus();

/// Whole CPUs of a quota, rounded up; nothing where there is none. Text of v2's cpu.max ("150000 100000",
/// "max 100000").
std::optional<std::size_t> cpus_of_cpu_max(std::string_view text);
/// The same of v1's cpu.cfs_quota_us and cpu.cfs_period_us ("-1" is no quota).
std::optional<std::size_t> cpus_of_quota(std::string_view quota, std::string_view period);

/// Memory that we may really use: the machine's, or the limit of our own cgroup or of one above it.
Bytes usable_memory();

/// A limit of memory in bytes; nothing where there is none. Text of v2's memory.max ("max") or v1's
/// memory.limit_in_bytes.
std::optional<Bytes> bytes_of_limit(std::string_view text);

/// Resident memory of a process; nothing when it has gone.
std::optional<Bytes> resident_memory(pid_t pid);

/// How often the OOM killer has struck so far: in our own cgroup, and on the whole machine.
struct OomKills {
  std::uint64_t in_cgroup = 0;
  std::uint64_t on_machine = 0;
};
OomKills oom_kills();

}  // namespace runtime
