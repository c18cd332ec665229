#include "supervisor/status.h"

#include "doctest_precompiled.h"
#include "supervisor/banner.h"

using namespace supervisor;

namespace {

constexpr std::string_view kStatus =
    R"json({"version":"9.9.9","supervisor":{"pid":1234567},"front":{"pid":1234568},
 "listen":["http://127.0.0.1:8000"],"apps":[{"name":"a-name-that-has-thirty-two-bytes","state":"degraded","queue":1000,
 "slots":65536,"busy":65536,"served":12345678901,"failed":1234567,"workers":[
 {"slot":1024,"pid":1234567,"state":"starting","busy":65536,"served":123456789,"memory":123456789012,
  "last_exit":"not ready within boot_timeout, killed by us (SIGKILL)"},
 {"slot":2,"pid":null,"state":"backoff","busy":0,"served":0,"memory":null,"last_exit":null}]}]})json";

}  // namespace

TEST_CASE("the table of status fits into 80 columns, with the widest figures there are") {
  const std::string table = status_table(kStatus);
  std::string_view rest = table;
  std::size_t lines = 0;
  for (; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1), ++lines) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    CAPTURE(line);
    CHECK(line.size() <= 80);
  }
  CHECK(lines == 8);
  CHECK(table.starts_with("portherd 9.9.9  supervisor 1234567  front 1234568\n  http://127.0.0.1:8000\n"));
  CHECK(table.find(" 1024 1234567 starting 65536 123456789 117737 MiB  not ready within boot_timeou~\n") !=
        std::string::npos);
  CHECK(table.find("    2       - backoff      0         0          -  -\n") != std::string::npos);
}

TEST_CASE("all are ready only if every worker of every app is") {
  CHECK_FALSE(is_all_ready(kStatus));
  CHECK(is_all_ready(R"({"apps":[{"workers":[{"state":"ready"},{"state":"ready"}]}]})"));
  CHECK_FALSE(
      is_all_ready(R"({"apps":[{"workers":[{"state":"ready"}]},{"workers":[{"state":"draining"}]}]})"));
  CHECK_FALSE(is_all_ready("what?"));
}

TEST_CASE("whatever a supervisor answers, there is a table for it") {
  for (const char* text :
       {"", "[]", "{}", "7", R"({"apps":[1,{"workers":[null]}],"listen":[2],"front":3})"}) {
    CHECK(status_table(text).starts_with("portherd "));
  }
}

TEST_CASE("run says what it serves and where") {
  conf::Settings settings;
  settings.apps.resize(2);
  settings.apps[0].name = "shop";
  settings.apps[0].wsgi = "shop.wsgi:application";
  settings.apps[0].workers = 2;
  settings.apps[1].name = "blog";
  settings.apps[1].command = {"node", "server.js"};
  CHECK(banner(settings, {"http://127.0.0.1:8000", "https://127.0.0.1:8001"}) ==
        "portherd " PORTHERD_VERSION
        " serves\n"
        "  shop: shop.wsgi:application, 2 workers x 4 threads\n"
        "  blog: node server.js, 1 worker\n"
        "  at http://127.0.0.1:8000\n"
        "  at https://127.0.0.1:8001\n");
}

TEST_CASE("what is unsafe is warned of: root, and everybody without TLS") {
  conf::Settings settings;
  settings.apps.resize(1);
  settings.apps[0].name = "shop";
  settings.apps[0].command = {"node"};
  settings.listen.http.push_back(*conf::parse_address("127.0.0.1:80"));
  CHECK(warnings(settings, false).empty());
  REQUIRE(warnings(settings, true).size() == 1);
  CHECK(warnings(settings, true)[0] == "app shop runs as root: give it a `user`");
  settings.apps[0].user = "shop";
  CHECK(warnings(settings, true).empty());
  settings.listen.http.push_back(*conf::parse_address("*:80"));
  CHECK(warnings(settings, true).size() == 1);
  settings.listen.https.push_back(*conf::parse_address("*:443"));
  CHECK(warnings(settings, true).empty());
}
