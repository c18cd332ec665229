#include "proxy/route.h"

#include "doctest_precompiled.h"

using proxy::Route;

TEST_CASE("an app of services alone is asked by nobody") {
  const conf::App jobs{.name = "jobs", .services = {{.name = "queue", .command = {"queue"}}}};
  const conf::App shop{.name = "shop", .command = {"serve"}};
  CHECK(Route({jobs, shop}).find("a.example") == 1);
  CHECK(Route({shop, jobs}).find("a.example") == 0);
  CHECK_FALSE(Route({jobs}).find("a.example").has_value());
}
