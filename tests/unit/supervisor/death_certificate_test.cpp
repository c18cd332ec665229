#include "supervisor/death_certificate.h"

#include "doctest_precompiled.h"

using namespace runtime::literals;
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
