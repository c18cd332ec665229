#include "conf/diff.h"

#include <doctest/doctest.h>

#include <map>

#include "conf/keys.h"
#include "conf/load.h"

namespace {

using conf::Cost;
using Lines = std::vector<std::string>;

conf::Settings settings(std::string_view toml) {
  conf::Loaded loaded = conf::load_text(toml, "portherd.toml");
  for (conf::Problem const& problem : loaded.problems) FAIL_CHECK(text(problem));
  return std::move(loaded.settings);
}

Lines texts(std::string_view old, std::string_view fresh) {
  Lines lines;
  for (conf::Change const& change : conf::diff(settings(old), settings(fresh))) lines.push_back(text(change));
  return lines;
}

// Each row of a table, by its key, with the cost of a change; of a table in it, below its key.
class Costs {
 public:
  std::map<std::string, Cost> by_key;

  template <class T>
  void operator()(conf::Row const& row, T& value) {
    std::string const outer = table_;
    Cost const outer_cost = cost_;
    table_ += (table_.empty() ? "" : ".") + std::string(row.key);
    cost_ = row.cost.value_or(cost_);
    if constexpr (conf::Section<T>) {
      visit(*this, value);
    } else if constexpr (conf::SectionList<T>) {
      typename T::value_type one;
      visit(*this, one);
    } else {
      by_key[table_] = cost_;
    }
    table_ = outer;
    cost_ = outer_cost;
  }

 private:
  std::string table_;
  Cost cost_ = Cost::kNone;
};

constexpr std::string_view kShop = "[apps.shop]\ncommand = ['serve']\n";

}  // namespace

TEST_CASE("the same settings have no difference, nor have those that mean the same") {
  std::string_view const one =
      "[listen]\nhttp = ['*:80', '*:81']\n"
      "[apps.a]\nhosts = ['a.example', 'b.example']\ncommand = ['a']\n"
      "routes = [{ path = '/x', redirect = '/y' }, { path = '/z', max_body = '1MiB' }]\n"
      "[apps.b]\nproxy = ['unix:/b']\n";
  std::string_view const other =
      "[apps.b]\nproxy = ['unix:/b']\n"
      "[apps.a]\nhosts = ['b.example', 'a.example']\ncommand = ['a']\nthreads = 4\n"
      "routes = [{ path = '/z', max_body = '1024KiB' }, { path = '/x', redirect = '/y' }]\n"
      "[listen]\nhttp = ['*:81', '*:80']\n";
  CHECK(texts(one, one).empty());
  CHECK(texts(one, other).empty());
}

TEST_CASE("a setting is told with its old value and its new one, and what it costs") {
  CHECK(texts("", "[front.clocks]\nhead = '60s'\n[front]\nuser = 'web'\nthreads = 2\n") ==
        Lines{R"(front.clocks.head: "10s" -> "60s" (nothing is interrupted))",
              R"(front.threads: "auto" -> 2 (only a restart of portherd can do it))",
              R"(front.user: not set -> "web" (only a restart of portherd can do it))"});
  CHECK(texts("[log]\naccess = 'off'\n", "[log]\naccess = { path = '/a' }\n") ==
        Lines{"log.access: off -> on (opened or closed while the rest goes on)",
              R"(log.access.path: not set -> "/a" (opened or closed while the rest goes on))"});
}

TEST_CASE("what comes to a list, and what goes from it, is told by itself") {
  CHECK(texts("[listen]\nhttp = ['*:80', '*:81']\n", "[listen]\nhttp = ['*:82', '*:80']\n") ==
        Lines{"listen.http: *:81 removed (opened or closed while the rest goes on)",
              "listen.http: *:82 added (opened or closed while the rest goes on)"});
  std::string const shop(kShop);
  CHECK(texts(shop + "hosts = ['a.example']\n", shop + "hosts = ['b.example']\n") ==
        Lines{"apps.shop.hosts: a.example removed (nothing is interrupted)",
              "apps.shop.hosts: b.example added (nothing is interrupted)"});
}

TEST_CASE("the words of a command have an order") {
  CHECK(texts("[apps.a]\ncommand = ['x', '-a', '-b']\n", "[apps.a]\ncommand = ['x', '-b', '-a']\n") ==
        Lines{R"(apps.a.command: ["x", "-a", "-b"] -> ["x", "-b", "-a"] (workers are replaced one after the other))"});
}

TEST_CASE("values of env are secrets, and are never told") {
  std::string const shop(kShop);
  CHECK(texts(shop + "env = { KEY = 'hush', OLD = 'hush', SAME = 'hush' }\n",
              shop + "env = { KEY = 'quiet', NEW = 'quiet', SAME = 'hush' }\n") ==
        Lines{"apps.shop.env.KEY: changed (workers are replaced one after the other)",
              "apps.shop.env.NEW: added (workers are replaced one after the other)",
              "apps.shop.env.OLD: removed (workers are replaced one after the other)"});
}

TEST_CASE("an env_file is another one when what stands in it is") {
  conf::Settings const old = settings(std::string(kShop) + "env_file = '/a'\n");
  conf::Settings fresh = old;
  fresh.apps[0].env_file_digest = 7;
  CHECK(conf::diff(old, fresh) == std::vector<conf::Change>{{.key = "apps.shop.env_file",
                                                            .what = "what stands in it has changed",
                                                            .cost = Cost::kRolling,
                                                            .app = "shop"}});
  fresh.apps[0].env_file = "/b";
  REQUIRE(conf::diff(old, fresh).size() == 1);
  CHECK(conf::diff(old, fresh)[0].what == R"("/a" -> "/b")");
}

TEST_CASE("an app comes or goes as a whole; one without processes costs nothing") {
  std::string const shop(kShop);
  CHECK(texts("", shop + "env = { A = 'a' }\nhosts = ['a.example']\n") == Lines{"apps.shop: added (the app is started)"});
  CHECK(texts(shop, "") == Lines{"apps.shop: removed (the app is stopped)"});
  CHECK(texts(shop, "[apps.shop2]\ncommand = ['serve']\n") ==
        Lines{"apps.shop: removed (the app is stopped)", "apps.shop2: added (the app is started)"});
  CHECK(texts("", "[apps.a]\nproxy = ['unix:/a']\n") == Lines{"apps.a: added (nothing is interrupted)"});
  CHECK(conf::diff(settings(""), settings(shop)).at(0).app == "shop");
  CHECK_FALSE(conf::diff(settings(""), settings("[front]\nmax_fields = 50\n")).at(0).app.has_value());
}

TEST_CASE("a route is known by its path, a service by its name") {
  std::string const shop = std::string(kShop) + "[[apps.shop.routes]]\npath = '/a/'\nmax_body = '1MiB'\n";
  std::string const queue = "[[apps.shop.services]]\nname = 'queue'\ncommand = ['queue']\n";
  CHECK(texts(shop, shop + "queue_timeout = '1s'\n[[apps.shop.routes]]\npath = '/b'\nredirect = '/c'\n") ==
        Lines{R"(apps.shop.routes[/a/].queue_timeout: not set -> "1s" (nothing is interrupted))",
              "apps.shop.routes[/b]: added (nothing is interrupted)"});
  CHECK(texts(shop, shop + queue) ==
        Lines{"apps.shop.services[queue]: added (the service is started, stopped or replaced)"});
  CHECK(texts(shop + queue, shop + queue + "env = { A = 'x' }\n") ==
        Lines{"apps.shop.services[queue].env.A: added (the service is started, stopped or replaced)"});
  CHECK(conf::diff(settings(shop), settings(shop + queue)).at(0).app == "shop");
}

TEST_CASE("what follows from another setting is told too") {
  std::string const app = "[apps.a]\nwsgi = 'a:app'\n";
  CHECK(texts(app, app + "threads = 8\n") ==
        Lines{"apps.a.concurrency: 4 -> 8 (workers are replaced one after the other)",
              "apps.a.threads: 4 -> 8 (workers are replaced one after the other)"});
}

TEST_CASE("only what is made into a process when it starts replaces workers") {
  conf::App app;
  Costs costs;
  visit(costs, app);
  Lines rolling, scale;
  for (auto const& [key, cost] : costs.by_key) {
    if (cost == Cost::kRolling) rolling.push_back(key);
    if (cost == Cost::kScale) scale.push_back(key);
    CAPTURE(key);
    CHECK((cost == Cost::kService) == key.starts_with("services."));
    CHECK(cost < Cost::kStart);
  }
  CHECK(rolling == Lines{"asgi", "command", "concurrency", "cpu_max", "directory", "env", "env_file", "group", "memory_max", "nice", "no_new_privs",
                         "pids_max", "post_fork", "preload", "python", "reload", "rlimits", "stack_signal", "stop_signal", "strict", "threads", "umask", "user",
                         "wsgi"});
  CHECK(scale == Lines{"proxy", "workers"});
}

TEST_CASE("only what is fixed at the start needs a restart") {
  conf::Settings all;
  Costs costs;
  visit(costs, all);
  Lines restart, front;
  for (auto const& [key, cost] : costs.by_key) {
    if (cost == Cost::kRestart) restart.push_back(key);
    if (cost == Cost::kFront) front.push_back(key);
  }
  CHECK(restart == Lines{"control.group", "control.socket", "front.threads", "front.user"});
  CHECK(front == Lines{"front.spool"});
}

TEST_CASE("a long value is cut, and what is no text is not shown") {
  std::string const path(5000, 'x');
  conf::Settings old, fresh;
  old.log.error.path = "/\n\x1b";
  fresh.log.error.path = "/" + path;
  REQUIRE(conf::diff(old, fresh).size() == 1);
  std::string const line = text(conf::diff(old, fresh)[0]);
  CHECK(line.size() < 400);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find('\x1b') == std::string::npos);
}
