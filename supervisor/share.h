// What all processes of an app may take together, as its cgroup (v2) is told. Pure. Where such a group is: cgroups.h.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/settings.h"

namespace supervisor {

struct Share {
  std::optional<runtime::Bytes> memory;
  std::optional<conf::CpuShare> cpu;
  std::optional<std::size_t> processes;
  bool operator==(const Share&) const = default;
};
Share share_of(const conf::App& app);
/// Which neither of the two exceeds: while a generation takes over from another one, both live in the same group.
Share widest(const Share& one, const Share& other);

/// One limit of a share (cgroup-v2.rst): whose it is, where it is written, and what.
struct Limit {
  std::string_view key;         ///< of the settings, "memory_max"
  std::string_view controller;  ///< "memory"
  std::string_view file;        ///< "memory.max"
  std::string text;             ///< "1073741824"; "max": none
  bool is_set() const { return text != "max"; }
};
/// All three, set or not: a group that was there before may have others.
std::vector<Limit> limits_of(const Share& share);

}  // namespace supervisor
