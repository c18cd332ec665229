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

TEST_CASE("what is unsafe is warned of: root, the front's user and group, and everybody without TLS") {
  std::vector<Account> shop{{.name = "shop", .uid = 70, .gid = 70, .groups = {70}}};
  const Account front{.name = "www", .uid = 33, .gid = 33, .groups = {33}};
  const auto warnings = [&](const conf::Settings& all, bool is_root) { return supervisor::warnings(all, is_root, shop, front); };
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
  shop[0].groups = {70, 33};
  CHECK(warnings(settings, true) ==
        std::vector<std::string>{"app shop: its user shop is in the group of the front's user www, and could reach other apps' workers without the front"});
  shop[0].uid = 33;
  CHECK(warnings(settings, true) ==
        std::vector<std::string>{"app shop is of the front's user shop, and could look into the front, keys included: give it a `user` of its own"});
  CHECK(warnings(settings, false).empty());
  shop[0] = {.name = "shop", .uid = 70, .gid = 70, .groups = {70}};
  settings.listen.http.push_back(*conf::parse_address("*:80"));
  CHECK(warnings(settings, true).size() == 1);
  settings.listen.https.push_back(*conf::parse_address("*:443"));
  CHECK(warnings(settings, true).empty());
}
