#include "runtime/machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "runtime/text.h"

namespace runtime {
namespace {

constexpr Bytes kKibibyte = 1024;  // the "kB" of /proc

// Files of the kernel are small; what is longer than 16 KiB is cut (vmstat has some 6 KiB).
std::string read_small(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(16384, '\0');
  std::size_t length = 0;
  while (fd && length < text.size()) {
    const auto n = ::read(fd.get(), text.data() + length, text.size() - length);
    if (n <= 0) break;
    length += static_cast<std::size_t>(n);
  }
  text.resize(length);
  return text;
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

// The folder of our cgroup for a v1 controller, or of v2 (empty controller), and those above it up to the
// mount. A container often sees a path that is not under its own mount: then only the mount itself exists,
// and that is ours.
std::vector<std::string> folders_of(const Cgroups& cgroups, std::string_view controller) {
  const std::string text = read_small(cgroups.list);
  std::vector<std::string> folders;
  for (const std::string_view line : split(text, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() < 3) continue;
    const auto names = split(parts[1], ',');
    if (std::find(names.begin(), names.end(), controller) == names.end()) continue;
    std::string_view path = line.substr(parts[0].size() + parts[1].size() + 2);
    const std::string mount = controller.empty() ? cgroups.mount : fmt::format("{}/{}", cgroups.mount, controller);
    for (; path.size() > 1; path = path.substr(0, path.rfind('/')))
      folders.push_back(fmt::format("{}{}", mount, path));
    folders.push_back(mount);
  }
  return folders;
}

std::size_t cpus_of_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;  // more than 1024 CPUs: the quota decides
  return static_cast<std::size_t>(CPU_COUNT(&set));
}

// Of /proc/PID/statm (proc_pid_statm(5)): pages, the second number those that are in memory.
std::optional<Bytes> resident_of(std::string_view statm) {
  const auto parts = split(first_line(statm), ' ');
  const auto pages = parts.size() > 1 ? parse_number(parts[1]) : std::nullopt;
  if (!pages) return std::nullopt;
  return *pages * static_cast<Bytes>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::optional<std::size_t> cpus_of_quota(std::string_view quota, std::string_view period) {
  const auto micros = parse_number(trim(quota));
  const auto every = parse_number(trim(period));
  if (!micros || !every || *every == 0) return std::nullopt;
  return std::max<std::size_t>(1, (*micros + *every - 1) / *every);
}

std::optional<std::size_t> cpus_of_cpu_max(std::string_view text) {
  const auto parts = split(first_line(text), ' ');
  return parts.size() == 2 ? cpus_of_quota(parts[0], parts[1]) : std::nullopt;
}

std::size_t usable_cpus(const Cgroups& cgroups) {
  std::size_t least = cpus_of_affinity();
  const auto take = [&least](std::optional<std::size_t> cpus) {
    least = std::min(least, cpus.value_or(least));
  };
  for (const std::string& folder : folders_of(cgroups, "")) take(cpus_of_cpu_max(read_small(folder + "/cpu.max")));
  for (const std::string& folder : folders_of(cgroups, "cpu")) {
    const std::string quota = read_small(folder + "/cpu.cfs_quota_us");
    const std::string period = read_small(folder + "/cpu.cfs_period_us");
    take(cpus_of_quota(first_line(quota), first_line(period)));
  }
  return std::max<std::size_t>(1, least);
}

std::optional<Bytes> bytes_of_limit(std::string_view text) {
  return parse_number(trim(first_line(text)));
}

Bytes usable_memory(const Cgroups& cgroups) {
  Bytes least = static_cast<Bytes>(::sysconf(_SC_PHYS_PAGES)) * static_cast<Bytes>(::sysconf(_SC_PAGESIZE));
  const auto take = [&least](const std::string& file) {
    least = std::min(least, bytes_of_limit(read_small(file)).value_or(least));
  };
  for (const std::string& folder : folders_of(cgroups, "")) take(folder + "/memory.max");
  for (const std::string& folder : folders_of(cgroups, "memory")) take(folder + "/memory.limit_in_bytes");
  return least;
}

Bytes left_below(Bytes limit, Bytes used, std::string_view stat) {
  const auto of_all = number_of(stat, "total_inactive_file");  // v1: those below included, as in `used`
  const Bytes cache = of_all ? *of_all : number_of(stat, "inactive_file").value_or(0);
  const Bytes held = used - std::min(used, cache);
  return limit - std::min(limit, held);
}

Bytes available_memory(const Cgroups& cgroups) {
  Bytes least = number_of(read_small("/proc/meminfo"), "MemAvailable:").value_or(0) * kKibibyte;
  const auto take = [&least](const std::string& folder, const char* limit_file, const char* used_file) {
    const auto limit = bytes_of_limit(read_small(folder + limit_file));
    const auto used = bytes_of_limit(read_small(folder + used_file));
    if (limit && used) least = std::min(least, left_below(*limit, *used, read_small(folder + "/memory.stat")));
  };
  for (const std::string& folder : folders_of(cgroups, "")) take(folder, "/memory.max", "/memory.current");
  for (const std::string& folder : folders_of(cgroups, "memory"))
    take(folder, "/memory.limit_in_bytes", "/memory.usage_in_bytes");
  return least;
}

std::optional<Bytes> resident_memory(pid_t pid) {
  return resident_of(read_small(fmt::format("/proc/{}/statm", pid)));
}

OwnMemory::OwnMemory() : statm_(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {}

std::optional<Bytes> OwnMemory::resident() const {
  std::array<char, 256> text{};
  const ssize_t n = ::pread(statm_.get(), text.data(), text.size(), 0);
  return n > 0 ? resident_of({text.data(), static_cast<std::size_t>(n)}) : std::nullopt;
}

std::optional<Bytes> proportional_memory(pid_t pid) {
  const auto held = held_memory(pid);
  return held ? std::optional(held->proportional) : resident_memory(pid);
}

std::optional<HeldMemory> held_memory(pid_t pid) {
  const std::string text = read_small(fmt::format("/proc/{}/smaps_rollup", pid));
  const auto proportional = number_of(text, "Pss:");
  if (!proportional) return std::nullopt;
  const std::uint64_t shared = number_of(text, "Shared_Clean:").value_or(0) + number_of(text, "Shared_Dirty:").value_or(0);
  return HeldMemory{.proportional = *proportional * kKibibyte, .shared = shared * kKibibyte};
}

std::optional<std::uint64_t> number_of(std::string_view text, std::string_view key) {
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with(key) || line.substr(key.size(), 1) != " ") continue;
    return parse_number(split(trim(line.substr(key.size())), ' ').front());
  }
  return std::nullopt;
}

// The counter of who was killed is that of its own cgroup; v2 counts it in those above, too. So it is the nearest
// one that there is: those above count what has nothing to do with us.
OomKills oom_kills() {
  const auto nearest = [](std::string_view controller, const char* file) -> std::uint64_t {
    for (const std::string& folder : folders_of({}, controller)) {
      if (const auto kills = number_of(read_small(folder + file), "oom_kill")) return *kills;
    }
    return 0;
  };
  return {.in_cgroup = nearest("", "/memory.events") + nearest("memory", "/memory.oom_control"),
          .on_machine = number_of(read_small("/proc/vmstat"), "oom_kill").value_or(0)};
}

}  // namespace runtime
