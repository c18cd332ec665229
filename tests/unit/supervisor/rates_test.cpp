#include "supervisor/rates.h"

#include "doctest_precompiled.h"

using namespace supervisor;
using namespace std::chrono_literals;

namespace {

std::size_t bucket_of(std::chrono::microseconds bound) {
  return static_cast<std::size_t>(std::ranges::find(upstream::kBounds, bound) - upstream::kBounds.begin());
}

/// Counters after so many requests of up to 10 ms and of up to a second.
Durations after(std::uint64_t quick, std::uint64_t slow = 0) {
  Durations durations;
  durations.bucket[bucket_of(10ms)] = quick;
  durations.bucket[bucket_of(1s)] = slow;
  return durations;
}

constexpr runtime::Time kStart{1h};

}  // namespace

TEST_CASE("without a second look there is no rate") {
  Rates rates;
  CHECK(rates.requests_per_second() == 0);
  CHECK_FALSE(rates.p95().has_value());
  rates.add(kStart, after(1000));
  CHECK(rates.requests_per_second() == 0);
  CHECK_FALSE(rates.p95().has_value());
}

TEST_CASE("a rate is what came since the first look, over the time since then") {
  Rates rates;
  rates.add(kStart, after(1000));
  rates.add(kStart + 1s, after(1010));
  CHECK(rates.requests_per_second() == doctest::Approx(10));
  rates.add(kStart + 4s, after(1100));
  CHECK(rates.requests_per_second() == doctest::Approx(25));
}

TEST_CASE("what lies further back than the window is forgotten") {
  Rates rates;
  rates.add(kStart, after(0));
  rates.add(kStart + 1s, after(0, 500));
  for (std::size_t i = 0; i < Rates::kWindow; ++i) rates.add(kStart + 2s + i * 1s, after(i * 7, 500));
  CHECK(rates.requests_per_second() == doctest::Approx(6.3));
  CHECK(*rates.p95() <= 10ms);
  rates.add(kStart + 100s, after(7 * Rates::kWindow, 500));
  for (std::size_t i = 0; i < Rates::kWindow; ++i)
    rates.add(kStart + 101s + i * 1s, after(7 * Rates::kWindow, 500));
  CHECK(rates.requests_per_second() == 0);
  CHECK_FALSE(rates.p95().has_value());
}

TEST_CASE("a quantile lies inside its bucket, by the share of it that is needed") {
  CHECK(*quantile(after(100), 0.5) == 7500us);  // the bucket goes from 5 ms to 10 ms
  CHECK(*quantile(after(100), 1) == 10ms);
  CHECK(*quantile(after(90, 10), 0.9) == 10ms);
  CHECK(*quantile(after(90, 10), 0.95) == 750ms);
  Durations endless;
  endless.bucket.back() = 1;
  CHECK(*quantile(endless, 0.95) == upstream::kBounds.back());
  CHECK_FALSE(quantile({}, 0.95).has_value());
}

TEST_CASE("counters that fall, which only a broken front's do, are no negative rate") {
  Rates rates;
  rates.add(kStart, after(1000));
  rates.add(kStart + 1s, after(10));
  CHECK(rates.requests_per_second() == 0);
}
