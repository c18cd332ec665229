#include "supervisor/service_notify.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

TEST_CASE("who ends asks the service manager for as long as its own clocks may take") {
  conf::Settings settings;
  settings.front.shutdown_delay = 5s;
  settings.front.drain_timeout = 30s;
  CHECK(supervisor::stopping(settings) == "STOPPING=1\nEXTEND_TIMEOUT_USEC=50000000");

  conf::App shop, blog;
  shop.graceful_timeout = 40s;
  blog.graceful_timeout = 10s;
  blog.services.push_back({.name = "jobs", .graceful_timeout = 100s});
  settings.apps = {shop, blog};
  CHECK(supervisor::stopping(settings) == "STOPPING=1\nEXTEND_TIMEOUT_USEC=190000000");
}
