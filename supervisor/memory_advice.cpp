#include "supervisor/memory_advice.h"

#include <fmt/format.h>

namespace supervisor {
namespace {

constexpr runtime::Bytes kMebibyte = 1024 * 1024;

std::string with_threads(std::size_t threads) {
  if (threads == 0) return "";
  return fmt::format(" with {} thread{}", threads, threads == 1 ? "" : "s");
}

}  // namespace

std::optional<std::string> advice_on_memory(const MemoryNeed& need) {
  if (need.wanted <= need.fits) return std::nullopt;
  return fmt::format("one worker{} uses {} MiB of {} MiB; {}", with_threads(need.threads), need.one / kMebibyte,
                     need.usable / kMebibyte,
                     need.fits <= 1 ? "a second will not fit" : fmt::format("of {} only {} will fit", need.wanted, need.fits));
}

}  // namespace supervisor
