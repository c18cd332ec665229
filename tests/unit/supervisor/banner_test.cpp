#include "supervisor/banner.h"

#include "doctest_precompiled.h"

using namespace supervisor;

TEST_CASE("run says what it serves and where") {
  conf::Settings settings;
  settings.apps.resize(2);
  settings.apps[0].name = "shop";
  settings.apps[0].wsgi = "shop.wsgi:application";
  settings.apps[0].workers = conf::Workers::fixed(2);
  settings.apps[1].name = "blog";
  settings.apps[1].command = {"node", "server.js"};
  CHECK(banner(settings, {"http://127.0.0.1:8000", "https://127.0.0.1:8001"}) ==
        "portherd " PORTHERD_VERSION
        " serves\n"
        "  shop: shop.wsgi:application, 2 workers x 4 threads\n"
        "  blog: node server.js, 1 worker\n"
        "  at http://127.0.0.1:8000\n"
        "  at https://127.0.0.1:8001\n");
  settings.apps.resize(1);
  settings.apps[0].workers = {.min = 0, .max = 8};
  CHECK(banner(settings, {}).ends_with("  shop: shop.wsgi:application, 0 to 8 workers x 4 threads\n"));
  settings.apps[0].workers = conf::Workers::automatic();
  CHECK(banner(settings, {}).ends_with("  shop: shop.wsgi:application, as many workers as fit x 4 threads\n"));
  settings.apps[0] = {.name = "jobs", .services = {{.name = "queue"}}};
  CHECK(banner(settings, {}).ends_with("  jobs: 1 service and no worker\n"));
}

TEST_CASE("what is unsafe is warned of: root, and everybody without TLS") {
  conf::Settings settings;
  settings.apps.resize(1);
  settings.apps[0].name = "shop";
  settings.apps[0].command = {"node"};
  settings.listen.http.push_back(*conf::parse_address("127.0.0.1:80"));
  CHECK(warnings(settings, false).empty());
  REQUIRE(warnings(settings, true).size() == 1);
  CHECK(warnings(settings, true)[0] == "app shop runs as root: give it a `user` (of `run`: --user)");
  settings.apps[0].user = "shop";
  CHECK(warnings(settings, true).empty());
  settings.listen.http.push_back(*conf::parse_address("*:80"));
  CHECK(warnings(settings, true).size() == 1);
  settings.listen.https.push_back(*conf::parse_address("*:443"));
  CHECK(warnings(settings, true).empty());
}
