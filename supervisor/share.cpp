#include "supervisor/share.h"

#include <fmt/format.h>

#include <algorithm>

namespace supervisor {
namespace {

constexpr std::size_t kPeriod = 100'000;  // microseconds, the kernel's own default of cpu.max

// An empty one is no limit.
template <class T, class Less>
std::optional<T> wider(const std::optional<T>& one, const std::optional<T>& other, Less is_less) {
  if (!one || !other) return std::nullopt;
  return is_less(*one, *other) ? other : one;
}

}  // namespace

Share share_of(const conf::App& app) {
  return {.memory = app.memory_max, .cpu = app.cpu_max, .processes = app.pids_max};
}

Share widest(const Share& one, const Share& other) {
  const auto is_less = [](auto a, auto b) { return a < b; };
  const auto has_less = [](conf::CpuShare a, conf::CpuShare b) { return a.percent < b.percent; };
  return {.memory = wider(one.memory, other.memory, is_less),
          .cpu = wider(one.cpu, other.cpu, has_less),
          .processes = wider(one.processes, other.processes, is_less)};
}

std::vector<Limit> limits_of(const Share& share) {
  const auto text = [](const auto& limit) { return limit ? fmt::to_string(*limit) : std::string("max"); };
  return {{"memory_max", "memory", "memory.max", text(share.memory)},
          {"cpu_max", "cpu", "cpu.max", share.cpu ? fmt::format("{} {}", share.cpu->percent * kPeriod / 100, kPeriod) : "max"},
          {"pids_max", "pids", "pids.max", text(share.processes)}};
}

}  // namespace supervisor
