#include "supervisor/death_certificate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace supervisor {
namespace {

std::string seconds(runtime::Milliseconds time) {
  return fmt::format("{:.1f}s", std::chrono::duration<double>(time).count());
}

}  // namespace

void add(DeathCertificate& death, const upstream::Lost& lost) {
  if (!death.in_flight) death.in_flight.emplace();
  upstream::Lost& sum = *death.in_flight;
  sum.requests += lost.requests;
  sum.ages.insert(sum.ages.end(), lost.ages.begin(), lost.ages.end());
  std::ranges::sort(sum.ages, std::greater());
  sum.ages.resize(std::min(sum.ages.size(), upstream::kMostAges));
}

std::string text(const DeathCertificate& death) {
  if (death.cause.empty() || death.pid == 0) return death.cause;
  std::string words = fmt::format("{}; lived {}, served {} request{}, peak {}", death.cause, lived(death),
                                  death.served, death.served == 1 ? "" : "s", peak(death));
  if (!death.in_flight) return words;
  words += fmt::format("; {} in flight", death.in_flight->requests);
  if (!death.in_flight->ages.empty()) words += fmt::format(", for {}", ages(*death.in_flight));
  return words;
}

std::size_t CrashLoop::note(const std::string& cause, runtime::Time now) {
  const bool is_alike = cause == cause_ && now - last_ <= kSoon;
  number_ = is_alike ? number_ + 1 : 1;
  cause_ = cause;
  last_ = now;
  return number_;
}

std::string lived(const DeathCertificate& death) {
  return seconds(death.age);
}

std::string ages(const upstream::Lost& lost) {
  std::vector<std::string> words;
  for (const std::uint64_t age : lost.ages) words.push_back(seconds(runtime::Milliseconds(age)));
  if (lost.requests > lost.ages.size()) words.emplace_back("...");
  return fmt::format("{}", fmt::join(words, " "));
}

std::string peak(const DeathCertificate& death) {
  using namespace runtime::literals;
  if (death.peak_memory == 0) return "unknown";
  return fmt::format("{}MiB", (death.peak_memory + 1_MiB - 1) / 1_MiB);
}

}  // namespace supervisor
