#include "supervisor/exit.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace supervisor {
namespace {

// Signals that a program usually brings upon itself.
bool is_own_fault(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL || signal == SIGABRT ||
         signal == SIGSYS || signal == SIGTRAP;
}

bool is_ours(int signal, const ExitFacts& around) {
  return signal == around.sent_by_us || signal == around.asked_by_us;
}

std::string_view who(int signal, const ExitFacts& around) {
  if (is_ours(signal, around)) return "killed by us";
  if (is_own_fault(signal)) return "crashed";
  if (signal == SIGKILL && around.cgroup_oom_rose) return "out of memory";
  if (signal == SIGKILL && around.machine_oom_rose) return "probably out of memory";
  return "killed from outside";
}

}  // namespace

std::string signal_name(int number) {
  const char* abbreviation = ::sigabbrev_np(number);
  return abbreviation != nullptr ? fmt::format("SIG{}", abbreviation) : fmt::format("signal {}", number);
}

runtime::OomKills unexplained(const runtime::OomKills& now, const runtime::OomKills& before, const runtime::OomKills& explained) {
  const auto later = [](std::uint64_t count, std::uint64_t from, std::uint64_t told) { return count - std::min(count, std::max(from, told)); };
  return {.in_cgroup = later(now.in_cgroup, before.in_cgroup, explained.in_cgroup),
          .on_machine = later(now.on_machine, before.on_machine, explained.on_machine)};
}

runtime::OomKills with_one_more(const runtime::OomKills& explained, const runtime::OomKills& before, const runtime::OomKills& now) {
  const auto more = [](std::uint64_t told, std::uint64_t from, std::uint64_t count) { return std::min(std::max(told, from) + 1, count); };
  return {.in_cgroup = more(explained.in_cgroup, before.in_cgroup, now.in_cgroup),
          .on_machine = more(explained.on_machine, before.on_machine, now.on_machine)};
}

std::string describe(const Exit& exit, const ExitFacts& around) {
  if (!exit.is_signal) return fmt::format("exit status {}", exit.number);
  const std::string name = signal_name(exit.number);
  if (around.was_timeout && is_ours(exit.number, around)) {
    return fmt::format("not ready within boot_timeout, killed by us ({})", name);
  }
  return fmt::format("{} ({})", who(exit.number, around), name);
}

upstream::ExitReason reason_of(const Exit& exit, const ExitFacts& around) {
  using enum upstream::ExitReason;
  if (exit.is_signal && is_own_fault(exit.number) && !is_ours(exit.number, around)) return kCrashed;
  // KILL is sent when a clock is over: a worker that was asked to leave and did not, or one that never got ready.
  const bool has_left = exit.is_signal && exit.number == around.asked_by_us && exit.number != SIGKILL;
  if (around.was_timeout || (around.sent_by_us == SIGKILL && !has_left)) return kTimeout;
  if (around.sent_by_us != 0) return kOrdered;
  if (!exit.is_signal) return kExited;
  return exit.number == SIGKILL && (around.cgroup_oom_rose || around.machine_oom_rose) ? kOutOfMemory : kKilled;
}

}  // namespace supervisor
