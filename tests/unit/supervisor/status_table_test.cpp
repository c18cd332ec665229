#include "supervisor/status_table.h"

#include <algorithm>

#include "doctest_precompiled.h"

using namespace supervisor;

namespace {

constexpr std::string_view kWidest =
    R"json({"version":"9.9.9","supervisor":{"pid":1234567},"front":{"pid":1234568},
 "listen":["http://127.0.0.1:8000","unix:/a/path/of/which/nobody/can/see/the/end/because/it/is/longer/than/a/line/has/room/for"],
 "apps":[{"name":"a-name-that-has-thirty-two-bytes","state":"degraded","queue":1000000,"slots":65536,"busy":65536,
 "served":12345678901,"failed":1234567,"restarts":18446744073709551615,"last_exit":
 "worker 1024: not ready within boot_timeout, killed by us (SIGKILL); its last probe: 500, and so on","rates":
 {"requests_per_second":1234567.89,"p95_ms":60000.0},"workers":[
 {"slot":1024,"pid":1234567,"state":"starting","busy":65536,"served":123456789,"memory":123456789012,"last_exit":null},
 {"slot":2,"pid":null,"state":"backoff","busy":0,"served":0,"memory":null,"last_exit":null}]}]})json";

constexpr std::string_view kUsual =
    R"json({"version":"9.9.9","supervisor":{"pid":12},"front":{"pid":null},"listen":["http://127.0.0.1:8000"],"apps":[
 {"name":"blog","state":"ready","queue":0,"busy":3,"restarts":0,"last_exit":null,
  "rates":{"requests_per_second":0.26,"p95_ms":null},
  "workers":[{"state":"ready","memory":104857600},{"state":"ready","memory":20971520}],
  "extras":[{"slot":2,"state":"draining","memory":31457280}]},
 {"name":"files","state":"ready","queue":0,"busy":0,"restarts":0,"last_exit":null,
  "rates":{"requests_per_second":12.0,"p95_ms":0.41},"workers":[]},
 {"name":"shop","state":"degraded","queue":17,"busy":8,"restarts":2,"last_exit":"worker 2: out of memory (SIGKILL)",
  "rates":{"requests_per_second":350.4,"p95_ms":1234.5},
  "workers":[{"state":"ready","memory":2147483648},{"state":"backoff","memory":null}]}]})json";

std::vector<std::string> lines_of(const std::string& table) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0, end = 0; (end = table.find('\n', begin)) != table.npos; begin = end + 1) {
    lines.push_back(table.substr(begin, end - begin));
  }
  return lines;
}

}  // namespace

TEST_CASE("the table of status: an app a line, and its last unexpected exit below it") {
  CHECK(status_table(kUsual) ==
        "portherd 9.9.9  supervisor 12  front -\n"
        "  http://127.0.0.1:8000\n"
        "\n"
        "APP/STATE                           READY  BUSY QUEUE REQ/S   P95   RSS RESTARTS\n"
        "blog/ready                            2/2     3     0   0.3     -  150M        0\n"
        "files/ready                             -     0     0    12 0.4ms     -        0\n"
        "shop/degraded                         1/2     8    17   350  1.2s  2.0G        2\n"
        "  last exit: worker 2: out of memory (SIGKILL)\n");
}

TEST_CASE("it fits into 80 columns, with the longest names and the widest figures there are") {
  const std::vector<std::string> lines = lines_of(status_table(kWidest));
  REQUIRE(lines.size() == 7);
  for (const std::string& line : lines) {
    CAPTURE(line);
    CHECK(line.size() <= 80);
  }
  CHECK(lines[5] == "a-name-that-has-thirt~/degraded       0/2 65536  1.0M  1.2M  >60s  115G     999T");
  CHECK(lines[6].starts_with(
      "  last exit: worker 1024: not ready within boot_timeout, killed by us (SIGKILL)"));
  CHECK(lines[6].ends_with("~"));
}

TEST_CASE("every state has room for its whole name") {
  const std::string table = status_table(R"({"apps":[{"name":"shop","state":"maintenance","workers":[{"state":"ready"}]}]})");
  CHECK_MESSAGE(table.find("\nshop/maintenance ") != std::string::npos, table);
}

TEST_CASE("all are ready only if every worker of every app is") {
  CHECK_FALSE(is_all_ready(kUsual));
  CHECK(is_all_ready(R"({"apps":[{"workers":[{"state":"ready"},{"state":"ready"}]}]})"));
  CHECK_FALSE(
      is_all_ready(R"({"apps":[{"workers":[{"state":"ready"}]},{"workers":[{"state":"draining"}]}]})"));
  CHECK_FALSE(is_all_ready("what?"));
}

TEST_CASE("so have services to be, but for those that are stopped by order") {
  CHECK(is_all_ready(R"({"apps":[{"workers":[],"services":[{"state":"ready"},{"state":"stopped"}]}]})"));
  CHECK_FALSE(is_all_ready(R"({"apps":[{"workers":[{"state":"ready"}],"services":[{"state":"failing"}]}]})"));
}

TEST_CASE("a service has a line below its app, with what it has of an app's figures") {
  const std::string table = status_table(R"json({"apps":[{"name":"shop","state":"degraded","busy":0,"queue":0,"restarts":0,
 "workers":[{"state":"ready","memory":null}],"services":[
 {"name":"shop.queue","state":"failing","restarts":7,"memory":20971520,"last_exit":"exited with status 3"},
 {"name":"a-name-that-has-thirty-two-bytes.a-name-that-has-thirty-two-bytes","state":"ready","restarts":1e300}]}]})json");
  CHECK(table.ends_with("shop/degraded                         1/1     0     0     -     -     -        0\n"
                        "shop.queue/failing                    0/1     -     -     -     -   20M        7\n"
                        "  last exit: exited with status 3\n"
                        "a-name-that-has-thirty-t~/ready       1/1     -     -     -     -     -     999T\n"));
}

TEST_CASE("whatever a supervisor answers, there is a table for it") {
  for (const char* text :
       {"", "[]", "{}", "7", R"({"apps":[1,{"workers":[null]}],"listen":[2],"front":3})",
        R"({"apps":[{"rates":7,"busy":"many","queue":-1e300,"restarts":1e300,"last_exit":{}}]})"}) {
    const std::string table = status_table(text);
    CHECK(table.starts_with("portherd "));
    for (const std::string& line : lines_of(table)) CHECK(line.size() <= 80);
  }
}

TEST_CASE("the table of one app: its line, a line for each worker, and what they printed last") {
  CHECK(app_table(R"json({"apps":[{"name":"shop","state":"degraded","queue":17,"busy":8,"restarts":2,
 "last_exit":"worker 2: out of memory (SIGKILL)","rates":{"requests_per_second":350.4,"p95_ms":1234.5},
 "workers":[{"slot":1,"pid":812,"state":"ready","generation":3,"busy":8,"served":123456,"started":
 "2026-11-27T00:48:05.123Z","memory":2147483648,"last_exit":null},
 {"slot":2,"pid":null,"state":"backoff","generation":3,"busy":0,"served":0,"started":null,"memory":null,
 "last_exit":"out of memory (SIGKILL)"}],"extras":[]}],
 "output":[{"time":"2026-11-27T00:48:06.000Z","worker":"1","line":"hello"}]})json") ==
        "APP/STATE                           READY  BUSY QUEUE REQ/S   P95   RSS RESTARTS\n"
        "shop/degraded                         1/2     8    17   350  1.2s  2.0G        2\n"
        "  last exit: worker 2: out of memory (SIGKILL)\n"
        "\n"
        "WORKER STATE      GENERATION      PID  STARTED              BUSY  SERVED   RSS\n"
        "     1 ready               3      812  2026-11-27T00:48:05     8    123k  2.0G\n"
        "     2 backoff             3        -  -                       0       0     -\n"
        "       last exit: out of memory (SIGKILL)\n"
        "\n"
        "LAST OUTPUT\n"
        "  1 | hello\n");
}

TEST_CASE("what is shared counts once: the shares of workers and zygotes, which have a line of their own") {
  const std::string table = app_table(R"json({"apps":[{"name":"shop","state":"ready","busy":0,"queue":0,"restarts":0,"workers":[
 {"slot":1,"pid":812,"state":"ready","generation":3,"busy":0,"served":0,"started":"2026-11-27T00:48:05.123Z",
 "memory":41943040,"pss":10485760,"shared":36700160,"last_exit":null}],
 "zygotes":[{"pid":811,"generation":3,"memory":41943040,"pss":20971520,"shared":20971520}]}]})json");
  CHECK(table ==
        "APP/STATE                           READY  BUSY QUEUE REQ/S   P95   RSS RESTARTS\n"
        "shop/ready                            1/1     0     0     -     -   30M        0\n"
        "\n"
        "WORKER STATE      GENERATION      PID  STARTED              BUSY  SERVED   RSS\n"
        "     1 ready               3      812  2026-11-27T00:48:05     0       0   10M\n"
        "zygote -                   3      811  -                       -       -   20M\n");
}

TEST_CASE("the table of one app fits into 80 columns, and stands whatever it is made of") {
  for (const std::string& line : lines_of(app_table(kWidest))) {
    CAPTURE(line);
    CHECK(line.size() <= 80);
  }
  for (const char* text : {"", "[]", R"({"apps":7,"output":{}})", R"({"apps":[7],"output":[7,null]})"})
    CHECK_FALSE(app_table(text).empty());
}
