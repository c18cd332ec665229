#include "conf/load.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "folder.h"

using namespace std::chrono_literals;
using namespace runtime::literals;

namespace {

// All sentences with their places: "line:column sentence".
std::vector<std::string> problems_of(std::string_view toml) {
  std::vector<std::string> out;
  for (conf::Problem const& problem : conf::load_text(toml, "portherd.toml").problems) {
    out.push_back(std::to_string(problem.line) + ":" + std::to_string(problem.column) + " " +
                  problem.sentence);
  }
  return out;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("an empty file gives the defaults of the design") {
  conf::Loaded const loaded = conf::load_text("", "portherd.toml");
  CHECK(loaded.problems.empty());
  CHECK(loaded.settings == conf::Settings{});
  CHECK(loaded.settings.front.max_head == 32_KiB);
  CHECK(loaded.settings.front.buffer_memory == 16_MiB);
  CHECK(loaded.settings.front.clocks.keep_alive == 75s);
  CHECK(loaded.settings.front.threads.is_auto());
  CHECK(loaded.origins.empty());
}

TEST_CASE("every key of the main file finds its member") {
  conf::Loaded const loaded = conf::load_text(R"(
[listen]
http = ["*:80", "unix:/run/front.sock"]
https = ["[::]:443"]
[front]
threads = 3
user = "www-data"
max_connections = 5000
max_connections_per_address = 7
trusted_proxies = ["10.0.0.0/8"]
max_head = "16KiB"
max_fields = 50
max_streams = 64
buffer_memory = "8MiB"
drain_timeout = "1m"
shutdown_delay = "5s"
[front.clocks]
head = "1s"
handshake = "2s"
body_idle = "3s"
keep_alive = "4s"
write_idle = "5s"
[tls]
certificates = "/etc/tls"
min_version = "1.3"
[control]
socket = "/run/c.sock"
group = "adm"
[log]
access = { path = "/var/log/a", format = "combined", skip = ["/healthz"], slow = "2s" }
error = { path = "/var/log/e", level = "warning" }
)",
                                              "portherd.toml");
  for (conf::Problem const& problem : loaded.problems) FAIL_CHECK(text(problem));
  conf::Settings const& s = loaded.settings;
  REQUIRE(s.listen.http.size() == 2);
  CHECK(s.listen.http[0].text == "*:80");
  CHECK(s.listen.http[1].path == "/run/front.sock");
  CHECK(s.listen.https[0].host == "::");
  CHECK(s.front.threads.number == 3);
  CHECK(s.front.user == "www-data");
  CHECK(s.front.max_connections == 5000);
  CHECK(s.front.max_connections_per_address == 7);
  CHECK(s.front.trusted_proxies[0].text == "10.0.0.0/8");
  CHECK(s.front.max_head == 16_KiB);
  CHECK(s.front.max_fields == 50);
  CHECK(s.front.max_streams == 64);
  CHECK(s.front.buffer_memory == 8_MiB);
  CHECK(s.front.drain_timeout == 60s);
  CHECK(s.front.shutdown_delay == 5s);
  CHECK(s.front.clocks.head == 1s);
  CHECK(s.front.clocks.handshake == 2s);
  CHECK(s.front.clocks.body_idle == 3s);
  CHECK(s.front.clocks.keep_alive == 4s);
  CHECK(s.front.clocks.write_idle == 5s);
  CHECK(s.tls.certificates == "/etc/tls");
  CHECK(s.tls.min_version == conf::TlsVersion::k13);
  CHECK(s.control.socket == "/run/c.sock");
  CHECK(s.control.group == "adm");
  CHECK(s.log.access.path == "/var/log/a");
  CHECK(s.log.access.format == conf::AccessFormat::kCombined);
  CHECK(s.log.access.skip == Lines{"/healthz"});
  CHECK(s.log.access.slow == 2s);
  CHECK(s.log.error.path == "/var/log/e");
  CHECK(s.log.error.level == conf::LogLevel::kWarning);
}

TEST_CASE("every key of an app finds its member") {
  conf::Loaded const loaded = conf::load_text(R"(
[apps.shop]
hosts = ["Shop.Example.COM", "[::1]", "*"]
directory = "/srv/shop"
plain_http = "refuse"
wsgi = "shop.wsgi:application"
python = "venv/bin/python"
user = "shop"
group = "web"
umask = "027"
rlimits = { nofile = 4096, as = "1GiB", core = 0, cpu = "90s", nproc = { soft = 10, hard = "infinity" } }
nice = -5
no_new_privs = false
strict = true
memory_max = "1GiB"
cpu_max = "150%"
pids_max = 200
env = { DEBUG = "1", "odd.name" = "x" }
env_file = ".env"
stop_signal = "SIGINT"
stack_signal = "USR2"
workers = 2
threads = 8
concurrency = 9
queue_size = 10
buffer_body = "1KiB"
max_body = "1GiB"
stream_body = true
stream_answer = true
spool_answer = "2KiB"
on_abandon = "finish"
max_surge = 3
max_requests = 1000
max_requests_jitter = 100
max_memory = "512MiB"
max_age = "24h"
target_wait = "50ms"
idle_timeout = "10m"
health = { path = "/healthz", interval = "10s", timeout = "2s", failures = 5 }
boot_timeout = "11s"
queue_timeout = "12s"
request_timeout = "13s"
stream_timeout = "15s"
total_timeout = "16s"
graceful_timeout = "14s"
)",
                                              "portherd.toml");
  for (conf::Problem const& problem : loaded.problems) FAIL_CHECK(text(problem));
  REQUIRE(loaded.settings.apps.size() == 1);
  conf::App const& app = loaded.settings.apps[0];
  CHECK(app.name == "shop");
  CHECK(app.hosts == Lines{"shop.example.com", "[::1]", "*"});
  CHECK(app.directory == "/srv/shop");
  CHECK(app.plain_http == conf::PlainHttp::kRefuse);
  CHECK(app.wsgi == "shop.wsgi:application");
  CHECK(app.kind() == conf::AppKind::kWsgi);
  CHECK(app.python == "/srv/shop/venv/bin/python");
  CHECK(app.user == "shop");
  CHECK(app.group == "web");
  CHECK(app.umask->bits == 027);
  CHECK(app.rlimits == conf::Rlimits{{"nofile", {4096, 4096}},
                                     {"as", {1_GiB, 1_GiB}},
                                     {"core", {0, 0}},
                                     {"cpu", {90, 90}},
                                     {"nproc", {10, conf::kNoLimit}}});
  CHECK(app.nice == conf::Nice{-5});
  CHECK_FALSE(app.no_new_privs);
  CHECK(app.strict);
  CHECK(app.memory_max == 1_GiB);
  CHECK(app.cpu_max == conf::CpuShare{150});
  CHECK(app.pids_max == 200);
  CHECK(app.env.at("DEBUG") == "1");
  CHECK(app.env.at("odd.name") == "x");
  CHECK(app.env_file == "/srv/shop/.env");
  CHECK(app.stop_signal.number == SIGINT);
  CHECK(app.stack_signal == conf::Signal{SIGUSR2});
  CHECK(app.workers == conf::Workers::fixed(2));
  CHECK(app.threads == 8);
  CHECK(app.concurrency == 9);
  CHECK(app.queue_size == 10);
  CHECK(app.rules.buffer_body == 1_KiB);
  CHECK(app.rules.max_body == 1_GiB);
  CHECK(app.rules.stream_body);
  CHECK(app.rules.stream_answer);
  CHECK(app.rules.spool_answer == 2_KiB);
  CHECK(app.rules.on_abandon == conf::OnAbandon::kFinish);
  CHECK(app.max_surge == 3);
  CHECK(app.max_requests == 1000);
  CHECK(app.max_requests_jitter == 100);
  CHECK(app.max_memory == 512_MiB);
  CHECK(app.max_age == 24h);
  CHECK(app.target_wait == 50ms);
  CHECK(app.idle_timeout == 10min);
  CHECK(app.health == conf::Health{.path = "/healthz", .interval = 10s, .timeout = 2s, .failures = 5});
  CHECK(app.boot_timeout == 11s);
  CHECK(app.rules.queue_timeout == 12s);
  CHECK(app.rules.request_timeout == 13s);
  CHECK(app.rules.stream_timeout == 15s);
  CHECK(app.rules.total_timeout == 16s);
  CHECK(app.graceful_timeout == 14s);
}

TEST_CASE("concurrency is the threads of wsgi, 100 of asgi, 16 of a command, 1024 of a proxy, unless it is said") {
  conf::Loaded const loaded = conf::load_text(R"(
[apps.a]
wsgi = "a:app"
threads = 6
[apps.b]
command = ["b"]
[apps.c]
proxy = ["unix:/c"]
[apps.d]
proxy = ["unix:/d"]
concurrency = 5
[apps.e]
asgi = "e:app"
)",
                                              "portherd.toml");
  REQUIRE(loaded.settings.apps.size() == 5);
  CHECK(loaded.settings.apps[4].concurrency == 100);
  CHECK(loaded.settings.apps[0].concurrency == 6);
  CHECK(loaded.settings.apps[1].concurrency == 16);
  CHECK(loaded.settings.apps[2].concurrency == 1024);
  CHECK(loaded.settings.apps[3].concurrency == 5);
}

TEST_CASE("plain http is redirected where there is an https listener, and served where there is none") {
  auto const plain_http = [](std::string_view toml) {
    return conf::load_text(toml, "portherd.toml").settings.apps.at(0).plain_http;
  };
  CHECK(plain_http("[apps.a]\nwsgi='a:b'") == conf::PlainHttp::kServe);
  CHECK(plain_http("[listen]\nhttps=['*:443']\n[apps.a]\nwsgi='a:b'") == conf::PlainHttp::kRedirect);
  CHECK(plain_http("[listen]\nhttps=['*:443']\n[apps.a]\nplain_http='serve'") == conf::PlainHttp::kServe);
}

TEST_CASE("the access log is on stderr unless it is said, and may be off") {
  auto const access = [](std::string_view toml) {
    return conf::load_text(toml, "portherd.toml").settings.log.access;
  };
  CHECK(access("").is_on);
  CHECK(access("").path.empty());
  CHECK_FALSE(access("[log]\naccess = 'off'").is_on);
  CHECK(access("[log]\naccess = 'stderr'").is_on);
  CHECK(access("[log]\naccess = { format = 'combined' }").format == conf::AccessFormat::kCombined);
  CHECK(problems_of("[log]\naccess = 'on'") ==
        Lines{R"(2:10 `access` must be a table, "off" or "stderr", not "on")"});
}

TEST_CASE("an unknown key is reported at its place with the nearest known key") {
  CHECK(problems_of("[apps.shop]\nwsgi = 'a:b'\nworker = 2\n") ==
        Lines{"3:1 unknown key `worker`; did you mean `workers`?"});
  CHECK(problems_of("[front]\n  thread = 2") == Lines{"2:3 unknown key `thread`; did you mean `threads`?"});
  CHECK(problems_of("[lisen]\nhttp = []") == Lines{"1:2 unknown key `lisen`; did you mean `listen`?"});
  CHECK(problems_of("[log.access]\nfromat = 'json'") ==
        Lines{"2:1 unknown key `fromat`; did you mean `format`?"});
  CHECK(problems_of("[front]\nxyzzy = 1") == Lines{"2:1 unknown key `xyzzy`"});
}

TEST_CASE("a key in the wrong table is told where it belongs") {
  CHECK(problems_of("[front]\nkeep_alive = '5s'") ==
        Lines{"2:1 unknown key `keep_alive`; it belongs in `[front.clocks]`"});
  CHECK(problems_of("wsgi = 'a:b'") == Lines{"1:1 unknown key `wsgi`; it belongs in `[apps.NAME]`"});
  CHECK(problems_of("http = ['*:80']") == Lines{"1:1 unknown key `http`; it belongs in `[listen]`"});
}

TEST_CASE("a wrong type is reported with what is expected and what is there") {
  CHECK(problems_of("[front]\nmax_fields = 'many'") ==
        Lines{R"(2:14 `max_fields` must be a number from 10 to 10000, not "many")"});
  CHECK(problems_of("[front]\nmax_fields = 1.5") ==
        Lines{"2:14 `max_fields` must be a number from 10 to 10000, not a number with a fraction"});
  CHECK(problems_of("[apps.a]\nstream_body = 'yes'") ==
        Lines{R"(2:15 `stream_body` must be true or false, not "yes")"});
  CHECK(problems_of("[apps.a]\nwsgi = ['a:b']") == Lines{"2:8 `wsgi` must be a string, not a list"});
  CHECK(problems_of("[apps.a]\ncommand = 'node x.js'") ==
        Lines{R"(2:11 `command` must be a list of strings, not "node x.js")"});
  CHECK(problems_of("[apps.a]\ncommand = ['node', 3]") ==
        Lines{"2:20 `command` must be a list of strings, not 3"});
  CHECK(problems_of("[apps.a]\nenv = { A = 1 }") == Lines{"2:13 `env` must have a string for `A`, not 1"});
  CHECK(problems_of("[apps.a]\nhealth = '/healthz'") ==
        Lines{R"(2:10 `health` must be a table, not "/healthz")"});
  CHECK(problems_of("[tls]\nmin_version = 1.2") ==
        Lines{R"(2:15 `min_version` must be "1.2" or "1.3", not a number with a fraction)"});
  CHECK(problems_of("[apps.a]\nboot_timeout = 1979-05-27") ==
        Lines{"2:16 `boot_timeout` must be a duration with its unit from \"1ms\" to \"24h\", such as \"30s\" "
              "or \"500ms\", "
              "not a date or time"});
  CHECK(problems_of("listen = 80") == Lines{"1:10 `listen` must be a table, not 80"});
  CHECK(problems_of("apps = 1") == Lines{"1:1 `apps` must be tables `[apps.NAME]`"});
  CHECK(problems_of("[apps]\nshop = 1") == Lines{"2:1 `shop` must be a table `[apps.shop]`"});
}

TEST_CASE("a bad unit or a value out of range is reported with the bounds") {
  CHECK(
      problems_of("[front]\nmax_head = 32768") ==
      Lines{
          R"(2:12 `max_head` must be a size with its unit from "1KiB" to "1MiB", such as "64KiB", not 32768)"});
  CHECK(
      problems_of("[front]\nmax_head = '2MiB'") ==
      Lines{
          R"(2:12 `max_head` must be a size with its unit from "1KiB" to "1MiB", such as "64KiB", not "2MiB")"});
  CHECK(problems_of("[apps.a]\nworkers = 0") ==
        Lines{R"(2:11 `workers` must be "auto", a number from 1 to 1024, or { min = 1, max = 8 }, not 0)"});
  CHECK(problems_of("[apps.a]\nworkers = -1") ==
        Lines{R"(2:11 `workers` must be "auto", a number from 1 to 1024, or { min = 1, max = 8 }, not -1)"});
  CHECK(problems_of("[front]\nthreads = 'all'") ==
        Lines{R"(2:11 `threads` must be "auto" or a number from 1 to 64, not "all")"});
  CHECK(problems_of("[apps.a]\numask = 27") ==
        Lines{"2:9 `umask` must be octal digits in quotes, such as \"027\", not 27"});
  CHECK(problems_of("[apps.a]\numask = '1777'").size() == 1);
  CHECK(problems_of("[apps.a]\numask = '089'").size() == 1);
  CHECK(
      problems_of("[apps.a]\nstop_signal = 'SIGKILL'") ==
      Lines{
          R"(2:15 `stop_signal` must be "TERM", "INT", "QUIT", "HUP", "USR1", "USR2" or "WINCH", not "SIGKILL")"});
}

TEST_CASE("what is wrong with a limit is said where it stands") {
  std::string const table = "[apps.a]\nrlimits = ";
  CHECK(problems_of(table + "4096") ==
        Lines{R"(2:11 `rlimits` must be a table of limits, such as { nofile = 4096, as = "1GiB" }, not 4096)"});
  CHECK(problems_of(table + "{ core = 0, nofiles = 1 }") == Lines{"2:23 `rlimits` has no limit `nofiles`; did you mean `nofile`?"});
  CHECK(problems_of(table + "{ rss = '1GiB' }") ==
        Lines{"2:13 `rlimits` has no limit `rss`; there are as, core, cpu, data, fsize, memlock, msgqueue, nofile, nproc, sigpending, stack"});
  CHECK(problems_of(table + "{ nofile = 3 }") ==
        Lines{R"(2:22 `rlimits` must have a number of at least 16, or "infinity" for `nofile`, not 3)"});
  CHECK(problems_of(table + "{ nofile = -1 }").size() == 1);
  CHECK(problems_of(table + "{ nofile = '1KiB' }").size() == 1);
  CHECK(problems_of(table + "{ nofile = 99999999999 }").size() == 1);
  CHECK(problems_of(table + "{ as = 1073741824 }") ==
        Lines{R"(2:18 `rlimits` must have a size of at least "16MiB", such as "64MiB", or "infinity" for `as`, not 1073741824)"});
  CHECK(problems_of(table + "{ cpu = '1500ms' }") ==
        Lines{R"(2:19 `rlimits` must have whole seconds, such as "30s", or "infinity" for `cpu`, not "1500ms")"});
  CHECK(problems_of(table + "{ nofile = { soft = 100 } }") ==
        Lines{"2:22 `rlimits` needs both `soft` and `hard` for `nofile`, or one value that is both"});
  CHECK(problems_of(table + "{ nofile = { soft = 100, hard = 50 } }") ==
        Lines{"2:22 `rlimits` has a `soft` limit for `nofile` of 100, more than its `hard` one of 50"});
  CHECK(problems_of(table + "{ nofile = { soft = 100, heart = 50 } }") ==
        Lines{"2:36 `rlimits` has `soft` and `hard` for `nofile`, and no `heart`"});
  CHECK(problems_of(table + "{ nofile = { soft = 1, hard = 50 } }") ==
        Lines{R"(2:31 `rlimits` must have a number of at least 16, or "infinity" for `soft`, not 1)"});
  CHECK(problems_of("[apps.a]\nnice = 20") == Lines{"2:8 `nice` must be a number from -20 to 19, not 20"});
  CHECK(problems_of("[apps.a]\ncpu_max = 1.5") ==
        Lines{R"(2:11 `cpu_max` must be a share of one CPU from "1%" to "102400%", such as "50%" or "200%", not a number with a fraction)"});
  CHECK(problems_of("[apps.a]\ncpu_max = '0%'").size() == 1);
  CHECK(problems_of("[apps.a]\ncpu_max = '%'").size() == 1);
  CHECK(problems_of("[apps.a]\nmemory_max = '1KiB'").size() == 1);
  CHECK(problems_of("[apps.a]\npids_max = 0").size() == 1);
}

TEST_CASE("workers is a number, auto, or two bounds") {
  auto const workers = [](std::string const& value) {
    conf::Loaded const loaded = conf::load_text("[apps.a]\nworkers = " + value, "f");
    return loaded.problems.empty() ? std::optional(loaded.settings.apps.at(0).workers) : std::nullopt;
  };
  CHECK(workers("3") == conf::Workers{.min = 3, .max = 3});
  CHECK(workers("'auto'") == conf::Workers{.is_auto = true});
  CHECK(workers("{ min = 1, max = 8 }") == conf::Workers{.min = 1, .max = 8});
  CHECK(workers("{ min = 0, max = 1 }") == conf::Workers{.min = 0, .max = 1});
  CHECK(workers("{ max = 8 }") == conf::Workers{.min = 1, .max = 8});
  CHECK(workers("{ min = 2, max = 2 }") == conf::Workers::fixed(2));
}

TEST_CASE("what is wrong with the bounds of workers is said where it stands") {
  std::string const table = "[apps.a]\nworkers = ";
  CHECK(problems_of(table + "{ min = 1 }") == Lines{"2:11 `workers` with bounds needs `max`, as in { min = 1, max = 8 }"});
  CHECK(problems_of(table + "{ min = 3, max = 2 }") == Lines{"2:11 `workers` has a `min` of 3, more than its `max` of 2"});
  CHECK(problems_of(table + "{ min = -1, max = 2 }") ==
        Lines{"2:19 `workers` must have a number from 0 to 1024 for `min`, not -1"});
  CHECK(problems_of(table + "{ min = 0, max = 0 }") ==
        Lines{"2:28 `workers` must have a number from 1 to 1024 for `max`, not 0"});
  CHECK(problems_of(table + "{ max = 2000 }") ==
        Lines{"2:19 `workers` must have a number from 1 to 1024 for `max`, not 2000"});
  CHECK(problems_of(table + "{ max = 2, step = 1 }") == Lines{"2:22 `workers` has `min` and `max`, and no `step`"});
}

TEST_CASE("an item of a list has its own place") {
  CHECK(
      problems_of("[listen]\nhttp = [\n  '*:80',\n  'localhost:81',\n]") ==
      Lines{
          R"(4:3 `http` has "localhost:81": the host must be `*` or an IP address; names are not looked up)"});
  CHECK(
      problems_of("[front]\ntrusted_proxies = ['10.0.0.0/99']") ==
      Lines{R"(2:20 `trusted_proxies` has "10.0.0.0/99": the prefix length must be a number from 0 to 32)"});
  CHECK(problems_of("[apps.a]\nproxy = ['127.0.0.1:80']") ==
        Lines{R"(2:10 `proxy` must be a list of "unix:PATH", not "127.0.0.1:80")"});
}

TEST_CASE("hosts are names without scheme, port and wildcard") {
  for (char const* host : {"https://a.example", "a.example:80", "*.example.com", "a..b", "-a.example", "a b",
                           "", ".", "a.example.", "[::1", "[127.0.0.1]", "münchen.example"}) {
    CAPTURE(host);
    CHECK(problems_of("[apps.a]\nhosts = ['" + std::string(host) + "']").size() == 1);
  }
  CHECK(problems_of(
            "[apps.a]\nhosts = ['localhost', '127.0.0.1', '[::1]', 'a_b.example', 'xn--mnchen-3ya.example']")
            .empty());
}

TEST_CASE("a path of a URL begins with a slash") {
  CHECK(problems_of("[apps.a]\nhealth = { path = 'healthz' }") ==
        Lines{R"(2:19 `path` must be a path that begins with `/`, percent-encoded, not "healthz")"});
  CHECK(problems_of("[apps.a]\nhealth = { path = '/a b' }").size() == 1);
}

TEST_CASE("names that could be read as something else are refused") {
  CHECK(problems_of("[front]\nuser = 'root;rm'").size() == 1);
  CHECK(problems_of("[front]\nuser = '-x'").size() == 1);
  CHECK(problems_of("[apps.'my shop']\nwsgi = 'a:b'") ==
        Lines{R"(1:7 an app's name is up to 32 letters, digits, `-` and `_`, not "my shop")"});
  CHECK(problems_of("[apps.'../x']").size() == 1);
  CHECK(problems_of("[apps.-x]").size() == 1);
  CHECK(problems_of("[apps." + std::string(33, 'a') + "]").size() == 1);
}

TEST_CASE("all problems are found, in the order of the lines, not only the first") {
  CHECK(problems_of("[apps.a]\nworker = 1\n[front]\nthreads = 0\nmax_head = 1\n[listen]\nhttp = 'x'\n")
            .size() == 4);
  std::vector<conf::Problem> const problems =
      conf::load_text("[apps.a]\nworker = 1\n[front]\nmax_head = 1\nthreads = 0\n", "f").problems;
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].line == 2);
  CHECK(problems[1].line == 4);
  CHECK(problems[2].line == 5);
}

TEST_CASE("a problem is shown with its file, its line and a mark below the column") {
  std::vector<conf::Problem> const problems =
      conf::load_text("[front]\n\tthread = 2  # two\n", "site.toml").problems;
  REQUIRE(problems.size() == 1);
  CHECK(text(problems[0]) ==
        "site.toml:2:2: unknown key `thread`; did you mean `threads`?\n    \tthread = 2  # two\n    \t^");
}

TEST_CASE("a mistake of TOML is a problem with its place") {
  std::vector<conf::Problem> const problems = conf::load_text("[front]\nthreads = \n", "f.toml").problems;
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].line == 2);
  CHECK(problems[0].sentence.starts_with("not TOML: "));
  CHECK(problems_of("a = 1\na = 2").size() == 1);
  CHECK(problems_of("[front]\n[front]").size() == 1);
}

TEST_CASE("each setting remembers where it is from") {
  conf::Loaded const loaded =
      conf::load_text("[front.clocks]\nhead = '1s'\n[apps.a]\nhosts = ['a', 'b']\n", "f.toml");
  CHECK(loaded.origins.at("front.clocks.head").line == 2);
  CHECK(loaded.origins.at("front.clocks.head").line_text == "head = '1s'");
  CHECK(loaded.origins.at("apps.a").line == 3);
  CHECK(loaded.origins.at("apps.a.hosts").file == "f.toml");
  CHECK(loaded.origins.at("apps.a.hosts[1]").column == 15);
  CHECK_FALSE(loaded.origins.contains("front.clocks.handshake"));
}

TEST_CASE("apps stand in the main file and in apps.d, sorted by name") {
  Folder const folder;
  std::string const main = folder.write("portherd.toml", "[apps.middle]\nwsgi = 'm:app'\n");
  folder.write("apps.d/zebra.toml", "wsgi = 'z:app'\n");
  folder.write("apps.d/ant.toml", "directory = '/srv/ant'\ncommand = ['bin/ant', 'bin/ant']\n");
  folder.write("apps.d/.ant.toml.swp", "garbage");
  folder.write("apps.d/.hidden.toml", "garbage");
  folder.write("apps.d/README", "garbage");

  conf::Loaded const loaded = conf::load(main);
  for (conf::Problem const& problem : loaded.problems) FAIL_CHECK(text(problem));
  REQUIRE(loaded.settings.apps.size() == 3);
  CHECK(loaded.settings.apps[0].name == "ant");
  CHECK(loaded.settings.apps[0].command == Lines{"/srv/ant/bin/ant", "bin/ant"});
  CHECK(loaded.settings.apps[1].name == "middle");
  CHECK(loaded.settings.apps[1].directory == folder.path());
  CHECK(loaded.settings.apps[2].name == "zebra");
  CHECK(loaded.settings.apps[2].directory == folder / "apps.d");
  CHECK(loaded.origins.at("apps.zebra.wsgi").file == folder / "apps.d/zebra.toml");
}

TEST_CASE("relative paths are against the file, an app's against its directory") {
  Folder const folder;
  std::string const main = folder.write("portherd.toml", R"(
[listen]
http = ["unix:front.sock"]
[tls]
certificates = "./tls"
[log]
error = { path = "error.log" }
[apps.a]
directory = "site"
proxy = ["unix:run/a.sock"]
env_file = "../a.env"
)");
  conf::Loaded const loaded = conf::load(main);
  CHECK(loaded.problems.empty());
  CHECK(loaded.settings.listen.http.at(0).path == folder / "front.sock");
  CHECK(loaded.settings.listen.http.at(0).text == "unix:" + (folder / "front.sock"));
  CHECK(loaded.settings.tls.certificates == folder / "tls");
  CHECK(loaded.settings.log.error.path == folder / "error.log");
  CHECK(loaded.settings.apps.at(0).directory == folder / "site");
  CHECK(loaded.settings.apps.at(0).proxy.at(0).path == folder / "site/run/a.sock");
  CHECK(loaded.settings.apps.at(0).env_file == folder / "site/../a.env");
  CHECK(loaded.settings.apps.at(0).python == "python3");
}

TEST_CASE("the control socket is beside the file where the file does not say") {
  Folder const folder;
  CHECK(conf::load(folder.write("portherd.toml", "")).settings.control.socket == folder / "portherd.sock");
  CHECK(conf::load(folder.write("other.toml", "[control]\nsocket = 'run/c'")).settings.control.socket ==
        folder / "run/c");
}

TEST_CASE("an app may not be defined twice") {
  Folder const folder;
  std::string const main = folder.write("portherd.toml", "\n[apps.shop]\nwsgi = 's:app'\n");
  folder.write("apps.d/shop.toml", "wsgi = 's:app'\n");
  conf::Loaded const loaded = conf::load(main);
  REQUIRE(loaded.problems.size() == 1);
  CHECK(loaded.problems[0].file == folder / "apps.d/shop.toml");
  CHECK(loaded.problems[0].sentence == "app `shop` is already at " + main + ":2");
}

TEST_CASE("a problem in apps.d names that file") {
  Folder const folder;
  std::string const main = folder.write("portherd.toml", "[front]\nthread = 1\n");
  folder.write("apps.d/a.toml", "wsgi = 'a:b'\nworker = 1\n");
  folder.write("apps.d/b.toml", "wsgi = \n");
  conf::Loaded const loaded = conf::load(main);
  REQUIRE(loaded.problems.size() == 3);
  CHECK(text(loaded.problems[0]).starts_with(main + ":2:1: unknown key `thread`"));
  CHECK(text(loaded.problems[1]).starts_with((folder / "apps.d/a.toml") + ":2:1: unknown key `worker`"));
  CHECK(text(loaded.problems[2]).starts_with((folder / "apps.d/b.toml") + ":1:"));
}

TEST_CASE("an empty string is the same as no line, where there need not be one") {
  CHECK(problems_of("[front]\nuser = ''\n[apps.a]\nwsgi = ''").empty());
  CHECK(problems_of("[apps.a]\npython = ''") == Lines{"2:10 `python` must not be empty"});
}

TEST_CASE("routes stand in tables of their own, and their folders are the app's") {
  conf::Loaded const loaded = conf::load_text(R"(
[apps.shop]
directory = "/srv/shop"
proxy = ["unix:shop.sock"]
[[apps.shop.routes]]
path = "/static/"
files = "static/"
[[apps.shop.routes]]
path = "/old"
redirect = "https://new.example/?a"
status = 308
keep_path = false
)",
                                              "portherd.toml");
  REQUIRE(loaded.problems.empty());
  std::vector<conf::Route> const& routes = loaded.settings.apps.at(0).routes;
  REQUIRE(routes.size() == 2);
  CHECK(routes[0] == conf::Route{.path = "/static/", .files = "/srv/shop/static/"});
  CHECK(routes[1] ==
        conf::Route{.path = "/old", .redirect = "https://new.example/?a", .status = 308, .keep_path = false});
  CHECK(loaded.origins.at("apps.shop.routes[1].status").line == 11);
}

TEST_CASE("a route has the rules of the app that answers, but for its own") {
  conf::Loaded const loaded = conf::load_text(R"(
[apps.shop]
proxy = ["unix:/shop.sock"]
max_body = "1MiB"
request_timeout = "5s"
[[apps.shop.routes]]
path = "/up"
max_body = "1GiB"
stream_body = true
on_abandon = "finish"
[[apps.shop.routes]]
path = "/api"
app = "api"
queue_timeout = "0s"
[apps.api]
hosts = ["api.example"]
proxy = ["unix:/api.sock"]
request_timeout = "7s"
)",
                                              "portherd.toml");
  REQUIRE(loaded.problems.empty());
  conf::App const& shop = loaded.settings.apps.at(1);
  CHECK(shop.rules == conf::Rules{.max_body = 1_MiB, .request_timeout = 5s});
  CHECK(shop.routes.at(0).rules == conf::Rules{.max_body = 1_GiB,
                                               .stream_body = true,
                                               .on_abandon = conf::OnAbandon::kFinish,
                                               .request_timeout = 5s});
  CHECK_FALSE(shop.routes.at(0).to);
  CHECK(shop.routes.at(1).rules == conf::Rules{.queue_timeout = 0s, .request_timeout = 7s});
  CHECK(shop.routes.at(1).to == 0);
}

TEST_CASE("what is an app's as a whole is no rule of a route") {
  CHECK(problems_of("[[apps.a.routes]]\nboot_timeout = '5s'\n") ==
        Lines{"2:1 unknown key `boot_timeout`; it belongs in `[apps.NAME]`"});
  CHECK(problems_of("[[apps.a.routes]]\nmax_body = 1\ngraceful_timeout = '5s'\n") ==
        Lines{R"(2:12 `max_body` must be a size with its unit from "0B" to "1TiB", such as "64KiB", not 1)",
              "3:1 unknown key `graceful_timeout`; it belongs in `[apps.NAME]`"});
  CHECK(problems_of("[front]\nmax_body = '1MiB'\n") == Lines{"2:1 unknown key `max_body`; it belongs in `[apps.NAME]`"});
}

TEST_CASE("what is no route is said where it stands") {
  CHECK(problems_of("[apps.a]\nroutes = 1\n") == Lines{"2:10 `routes` must be tables `[[routes]]`"});
  CHECK(problems_of("[apps.a]\nroutes = ['/']\n") == Lines{"2:10 `routes` must be tables `[[routes]]`"});
  CHECK(problems_of("[apps.a.routes]\npath = '/'\n").size() == 1);
  CHECK(problems_of("[[apps.a.routes]]\nfile = 'x'\n") == Lines{"2:1 unknown key `file`; did you mean `files`?"});
  CHECK(problems_of("[[apps.a.routes]]\npath = 'x'\n") ==
        Lines{R"(2:8 `path` must be a path that begins with `/`, percent-encoded, not "x")"});
  for (std::string_view const bad :
       {"x", "//evil.example/", "javascript:alert(1)", "https://", "http:///", "ftp://a.example/", "https://a b"}) {
    CAPTURE(bad);
    CHECK(problems_of("[[apps.a.routes]]\nredirect = '" + std::string(bad) + "'\n").size() == 1);
  }
  std::string many;
  for (int i = 0; i < 101; ++i) many += "[[apps.a.routes]]\n";
  CHECK(problems_of(many) == Lines{"1:1 `routes` has more than 100 items"});
}

TEST_CASE("a service takes from its app what it does not say") {
  Folder const folder;
  conf::Loaded const loaded = conf::load(folder.write("portherd.toml", R"(
[apps.shop]
directory = "/srv/shop"
command = ["serve"]
user = "shop"
group = "web"
umask = "027"
env = { A = "app", B = "app" }
env_file = ".env"
rlimits = { nofile = 100, core = 0 }
nice = 5
no_new_privs = false
strict = true
stop_signal = "QUIT"
graceful_timeout = "9s"
[[apps.shop.services]]
name = "queue"
command = ["bin/queue"]
env = { B = "service", C = "service" }
[[apps.shop.services]]
name = "cron"
command = ["cron"]
directory = "jobs"
user = "cron"
umask = "077"
env_file = "cron.env"
rlimits = { nofile = 200 }
nice = 19
no_new_privs = true
stop_signal = "INT"
graceful_timeout = "1m"
)"));
  for (conf::Problem const& problem : loaded.problems) FAIL_CHECK(text(problem));
  conf::App const& shop = loaded.settings.apps.at(0);
  REQUIRE(shop.services.size() == 2);

  conf::App const queue = service_app(shop, shop.services[0]);
  CHECK(queue.name == "shop.queue");
  CHECK(queue.command == Lines{"/srv/shop/bin/queue"});
  CHECK(queue.directory == "/srv/shop");
  CHECK(queue.user == "shop");
  CHECK(queue.group == "web");
  CHECK(queue.umask == conf::Umask{027});
  CHECK(queue.env == std::map<std::string, std::string>{{"A", "app"}, {"B", "service"}, {"C", "service"}});
  CHECK(queue.env_file == "/srv/shop/.env");
  CHECK(queue.rlimits == shop.rlimits);
  CHECK(queue.nice == conf::Nice{5});
  CHECK_FALSE(queue.no_new_privs);
  CHECK(queue.strict);
  CHECK(queue.stop_signal.number == SIGQUIT);
  CHECK(queue.graceful_timeout == 9s);

  conf::App const cron = service_app(shop, shop.services[1]);
  CHECK(cron.command == Lines{"cron"});
  CHECK(cron.directory == "/srv/shop/jobs");
  CHECK(cron.user == "cron");
  CHECK(cron.group.empty());
  CHECK(cron.umask == conf::Umask{077});
  CHECK(cron.env_file == "/srv/shop/cron.env");
  CHECK(cron.rlimits == conf::Rlimits{{"nofile", {200, 200}}, {"core", {0, 0}}});
  CHECK(cron.nice == conf::Nice{19});
  CHECK(cron.no_new_privs);
  CHECK(cron.stop_signal.number == SIGINT);
  CHECK(cron.graceful_timeout == 1min);
}

TEST_CASE("what stands in an env_file is part of the settings, although it is not printed") {
  Folder const folder;
  folder.write("a.env", "A=1\n");
  folder.write("b.env", "A=1\n");
  std::string const file = folder.write(
      "portherd.toml", "[apps.a]\ncommand = ['sh']\nenv_file = 'a.env'\n"
                       "[[apps.a.services]]\nname = 'q'\ncommand = ['sh']\nenv_file = 'b.env'\n");
  conf::Settings const before = conf::load(file).settings;
  CHECK(before.apps.at(0).env_file_digest != 0);
  CHECK(conf::load(file).settings == before);
  folder.write("a.env", "A=2\n");
  CHECK(conf::load(file).settings.apps.at(0).env_file_digest != before.apps[0].env_file_digest);
  folder.write("a.env", "A=1\n");
  folder.write("b.env", "A=2\n");
  conf::App const after = conf::load(file).settings.apps.at(0);
  CHECK(after.env_file_digest == before.apps[0].env_file_digest);
  CHECK(after.services.at(0).env_file_digest != before.apps[0].services.at(0).env_file_digest);
}

TEST_CASE("the example of an app file in docs/design.md is read as it stands there") {
  std::ostringstream page;
  page << std::ifstream(SOURCE_DIR "/docs/design.md").rdbuf();
  std::string text = page.str();
  text = text.substr(text.find("# /etc/portherd/apps.d/shop.toml"));
  text = text.substr(0, text.find("```"));

  Folder const folder;
  folder.write("portherd.toml", "");
  folder.write("apps.d/shop.toml", text);
  conf::Loaded const loaded = conf::load(folder / "portherd.toml");
  for (conf::Problem const& problem : loaded.problems) FAIL_CHECK(conf::text(problem));
  REQUIRE(loaded.settings.apps.size() == 1);
  conf::App const& shop = loaded.settings.apps[0];
  CHECK(shop.routes == std::vector<conf::Route>{{.path = "/static/", .files = "/srv/shop/static/"}});
  CHECK(shop.hosts.size() == 2);
  CHECK(shop.services.at(0).command == Lines{"/srv/shop/venv/bin/celery", "-A", "shop", "worker"});
  CHECK(shop.workers == conf::Workers{.min = 2, .max = 8});
}
