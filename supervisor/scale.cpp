#include "supervisor/scale.h"

#include <fmt/format.h>

#include <algorithm>

#include "conf/limits.h"

namespace supervisor::scale {
namespace {

constexpr runtime::Bytes kMebibyte = 1024 * 1024;

std::string in_words(const Memory& memory, std::size_t fits) {
  return fmt::format("memory for {} of {} MiB", fits, memory.one / kMebibyte);
}

/// So many that have not been there yet are needed for those who wait.
std::size_t missing(const Load& load) {
  const std::size_t needed = (load.waiting + load.slots - 1) / load.slots;
  const std::size_t coming = load.wanted - std::min(load.ready, load.wanted);
  return needed - std::min(needed, coming);
}

Verdict more(const conf::App& app, const Load& load) {
  const std::size_t wanted = load.wanted + std::min(std::max<std::size_t>(missing(load), 1), load.wanted);
  const std::size_t most = std::min(wanted, app.workers.max);
  const std::size_t fits = fit(load.memory).value_or(most);
  if (fits < most) return {std::max(fits, load.wanted), in_words(load.memory, fits)};
  return {most, fmt::format("requests wait for more than {} ms", app.target_wait.count())};
}

// One that does not become ready is of no use, but where there are requests it is tried on.
bool is_one_to_spare(const conf::App& app, const Load& load) {
  return load.waiting == 0 && load.spare >= app.idle_timeout && load.busy <= (load.wanted - 1) * load.slots;
}

}  // namespace

std::optional<std::size_t> fit(const Memory& memory) {
  if (memory.one == 0) return std::nullopt;
  return memory.ready + std::max<std::size_t>(memory.coming, memory.available / memory.one);
}

std::size_t stepped(std::size_t wanted, int by) {
  if (by > 0) return std::min(wanted + 1, conf::kMostWorkersOfApp);
  return wanted > 1 ? wanted - 1 : wanted;
}

runtime::Bytes left_for(upstream::AppIndex app, runtime::Bytes available, const Promises& promised) {
  for (const auto& [other, promise] : promised) {
    if (other != app) available -= std::min(available, promise.missing * promise.one);
  }
  return available;
}

std::size_t first(const conf::Workers& workers) {
  return workers.is_auto ? 1 : workers.min;
}

Verdict automatic(std::size_t cpus, const Memory& memory) {
  const std::size_t fits = std::max<std::size_t>(1, fit(memory).value_or(1));
  if (memory.one == 0) return {1, "the memory of one is not known yet"};
  return {std::min(cpus, fits), fmt::format("{} CPUs, {}", cpus, in_words(memory, fits))};
}

Verdict by_load(const conf::App& app, const Load& load) {
  const bool are_ready = load.ready >= load.wanted;
  const bool wait =
      load.waiting > 0 && load.longest_wait > app.target_wait && (are_ready || missing(load) > 0);
  const bool is_short = wait || (load.were_late && are_ready && load.settled >= kSettles);
  if (load.wanted < app.workers.min) return {app.workers.min, "`min`"};
  if (load.wanted > app.workers.max) return {app.workers.max, "`max`"};
  // Where nobody is ready it is not their number that is wrong.
  if (load.ready > 0 && load.wanted < app.workers.max && is_short) return more(app, load);
  if (load.wanted > app.workers.min && is_one_to_spare(app, load))
    return {load.wanted - 1,
            fmt::format("one fewer would have done for {} s", app.idle_timeout.count() / 1000)};
  return {load.wanted, {}};
}

}  // namespace supervisor::scale
