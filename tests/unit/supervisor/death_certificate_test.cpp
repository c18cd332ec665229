#include "supervisor/death_certificate.h"

#include "doctest_precompiled.h"

using namespace runtime::literals;
using supervisor::CrashLoop;
using supervisor::DeathCertificate;
using supervisor::text;

TEST_CASE("a death certificate is one line with all that is known") {
  DeathCertificate death{.cause = "killed from outside (SIGKILL)",
                         .pid = 812,
                         .age = runtime::Milliseconds(41'040),
                         .served = 1204,
                         .peak_memory = 48_MiB - 1};
  CHECK(text(death) == "killed from outside (SIGKILL); lived 41.0s, served 1204 requests, peak 48MiB");
  death.in_flight = upstream::Lost{.requests = 2, .ages = {2100, 450}};
  CHECK(text(death) ==
        "killed from outside (SIGKILL); lived 41.0s, served 1204 requests, peak 48MiB; 2 in flight, for 2.1s 0.5s");
  death.in_flight = upstream::Lost{};
  CHECK(text(death).ends_with("; 0 in flight"));
}

TEST_CASE("what nobody knows is not made up") {
  CHECK(text({}).empty());
  CHECK(text({.cause = "`/srv/app` cannot be executed: Permission denied"}) ==
        "`/srv/app` cannot be executed: Permission denied");
  CHECK(text({.cause = "exit status 3", .pid = 1, .served = 1}) ==
        "exit status 3; lived 0.0s, served 1 request, peak unknown");
}

TEST_CASE("of many requests in flight the ages of the oldest are told") {
  CHECK(supervisor::ages({.requests = 3, .ages = {3000, 2000}}) == "3.0s 2.0s ...");
}

TEST_CASE("what several fronts had in flight is added up, the oldest first and no more than a few") {
  DeathCertificate death;
  add(death, {.requests = 2, .ages = {500, 100}});
  add(death, {});
  add(death, {.requests = 1, .ages = {300}});
  CHECK(death.in_flight == upstream::Lost{.requests = 3, .ages = {500, 300, 100}});
  add(death, {.requests = 8, .ages = std::vector<std::uint64_t>(upstream::kMostAges, 400)});
  CHECK(death.in_flight->requests == 11);
  CHECK(death.in_flight->ages.size() == upstream::kMostAges);
  CHECK(death.in_flight->ages.front() == 500);
  CHECK(death.in_flight->ages.back() == 400);
}

TEST_CASE("deaths with one cause that follow each other soon are a crash loop") {
  CrashLoop loop;
  const runtime::Time start{};
  CHECK_FALSE(loop.is_on(start));
  for (std::size_t i = 1; i <= 3; ++i) CHECK(loop.note("exit status 3", start + CrashLoop::kSoon * (i - 1)) == i);
  const runtime::Time third = start + CrashLoop::kSoon * 2;
  CHECK_FALSE(loop.is_on(third));
  CHECK(loop.note("exit status 3", third) == 4);
  CHECK(loop.is_on(third + CrashLoop::kSoon));
  CHECK_FALSE(loop.is_on(third + CrashLoop::kSoon + runtime::Milliseconds(1)));
}

TEST_CASE("another cause, or some quiet, is the end of a crash loop") {
  CrashLoop loop;
  const runtime::Time start{};
  for (int i = 0; i < 5; ++i) loop.note("exit status 3", start);
  CHECK(loop.note("crashed (SIGSEGV)", start) == 1);
  CHECK_FALSE(loop.is_on(start));
  for (int i = 0; i < 4; ++i) loop.note("exit status 3", start);
  CHECK(loop.note("exit status 3", start + CrashLoop::kSoon + runtime::Milliseconds(1)) == 1);
}
