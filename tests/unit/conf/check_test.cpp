#include "conf/check.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"

namespace {

using Lines = std::vector<std::string>;

// "line:column sentence" of everything load_and_check() finds; $ stands for the folder.
Lines problems_of(Folder const& folder, std::string_view toml) {
  Lines out;
  for (conf::Problem const& problem : conf::load_and_check(folder.write("portherd.toml", toml)).problems) {
    std::string line =
        std::to_string(problem.line) + ":" + std::to_string(problem.column) + " " + problem.sentence;
    for (std::size_t at; (at = line.find(folder.path())) != std::string::npos;)
      line.replace(at, folder.path().size(), "$");
    out.push_back(std::move(line));
  }
  return out;
}

// Root may do everything; here it is nobody for a while. Another user stays who it is.
class AsNobody {
 public:
  AsNobody() {
    if (::geteuid() == 0) REQUIRE(::seteuid(65534) == 0);
  }
  AsNobody(AsNobody const&) = delete;
  AsNobody& operator=(AsNobody const&) = delete;
  ~AsNobody() {
    if (::getuid() == 0) (void)!::seteuid(0);
  }
};

}  // namespace

TEST_CASE("a sound configuration has no problem") {
  Folder const folder;
  folder.make_executable("bin/python");
  folder.write("tls/a.crt", "");
  folder.write("tls/a.key", "");
  folder.write(".env", "A=1\n");
  CHECK(problems_of(folder, R"toml(
[listen]
http = ["*:80", "unix:front.sock"]
https = ["*:443"]
[tls]
certificates = "tls"
[log]
access = { path = "access.log" }
[apps.a]
hosts = ["a.example"]
wsgi = "a.b:make_app()"
python = "bin/python"
env_file = ".env"
[apps.b]
hosts = ["b.example"]
command = ["sh", "-c", "true"]
[apps.c]
proxy = ["unix:c.sock"]
)toml") == Lines{});
}

TEST_CASE("an app is exactly one of wsgi, asgi, command and proxy") {
  Folder const folder;
  CHECK(problems_of(folder, "[apps.a]\nworkers = 1\n") ==
        Lines{"1:7 app `a` needs one of `wsgi`, `asgi`, `command` and `proxy`, or `routes` or `services`"});
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['sh']\nproxy = ['unix:x']\n") ==
        Lines{"3:1 app `a` has `command` and `proxy`; it can be only one"});
}

TEST_CASE("a host belongs to one app") {
  Folder const folder;
  CHECK(problems_of(folder,
                    "[apps.a]\nproxy = ['unix:a']\nhosts = ['x.example']\n"
                    "[apps.b]\nproxy = ['unix:b']\nhosts = ['y.example', 'X.example']\n") ==
        Lines{R"(6:23 host "x.example" is already of app `a`)"});
  CHECK(problems_of(folder, "[apps.a]\nproxy = ['unix:a']\n[apps.b]\nproxy = ['unix:b']\n") ==
        Lines{"3:7 apps `a` and `b` both take every host; give one of them `hosts`"});
  CHECK(problems_of(folder, "[apps.a]\nproxy = ['unix:a']\n[apps.b]\nproxy = ['unix:b']\nhosts = ['*']\n") ==
        Lines{"5:10 apps `a` and `b` both take every host; give one of them `hosts`"});
}

TEST_CASE("a missing directory is found") {
  Folder const folder;
  CHECK(problems_of(folder, "[apps.a]\nproxy = ['unix:a']\ndirectory = 'gone'\n") ==
        Lines{R"(3:1 `directory`: "$/gone": No such file or directory)"});
  folder.write("file", "");
  CHECK(problems_of(folder, "[apps.a]\nproxy = ['unix:a']\ndirectory = 'file'\n") ==
        Lines{R"(3:1 `directory`: "$/file": Not a directory)"});
}

TEST_CASE("a command that is not there, or is not executable, is found") {
  Folder const folder;
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['bin/gone']\n") ==
        Lines{"2:1 `command`: `$/bin/gone` cannot be executed: No such file or directory"});
  folder.write("bin/plain", "");
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['bin/plain']\n") ==
        Lines{"2:1 `command`: `$/bin/plain` cannot be executed: Permission denied"});
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['./bin']\n") ==
        Lines{"2:1 `command`: `$/bin` cannot be executed: Permission denied"});
  CHECK(problems_of(folder,
                    "[apps.a]\ncommand = ['no-such-program-here']\nenv = { PATH = '/usr/bin:/bin' }\n") ==
        Lines{"2:1 `command`: no program `no-such-program-here` in PATH (/usr/bin:/bin)"});
}

TEST_CASE("a command is looked for in the app's own PATH: env, then env_file") {
  Folder const folder;
  folder.make_executable("bin/only-here");
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['only-here']\nenv = { PATH = 'bin' }\n") == Lines{});
  folder.write(".env", "PATH=bin\n");
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['only-here']\nenv_file = '.env'\n") == Lines{});
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['only-here']\nenv_file = '.env'\nenv = { PATH = '/bin' }\n")
            .size() == 1);
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['only-here']\n").size() == 1);
}

TEST_CASE("wsgi is module:attr, and its interpreter is there") {
  Folder const folder;
  std::string const python = "\npython = '" + folder.make_executable("python") + "'\n";
  for (char const* good : {"a:app", "a.b.c:app", "a:app.wsgi", "a:make_app()", "_a1:_b2"}) {
    CAPTURE(good);
    CHECK(problems_of(folder, "[apps.a]\nwsgi = '" + std::string(good) + "'" + python) == Lines{});
  }
  for (char const* bad :
       {"a", "a:", ":b", "a:b:c", "a b:c", "a.py:app", "a/b:app", "a:app(", "a:app(1)", ".a:b", "1a:b"}) {
    if (std::string_view(bad) == "a.py:app")
      continue;  // a module named py in a package named a: only Python can tell
    CAPTURE(bad);
    CHECK(problems_of(folder, "[apps.a]\nwsgi = '" + std::string(bad) + "'" + python) ==
          Lines{"2:1 `wsgi` must be \"module:attr\", not \"" + std::string(bad) + "\""});
  }
  CHECK(problems_of(folder, "[apps.a]\nwsgi = 'a:b'\npython = 'venv/bin/python'\n") ==
        Lines{"3:1 `python`: `$/venv/bin/python` cannot be executed: No such file or directory"});
  CHECK(problems_of(folder, "[apps.a]\nwsgi = 'a:b'\npython = 'python9.9'\nenv = { PATH = '/bin' }\n") ==
        Lines{"3:1 `python`: no program `python9.9` in PATH (/bin)"});
}

TEST_CASE("asgi is held to the rules of wsgi, and has no threads") {
  Folder const folder;
  std::string const python = "python = '" + folder.make_executable("python") + "'\n";
  CHECK(problems_of(folder, "[apps.a]\nasgi = 'a.b:make_app()'\n" + python) == Lines{});
  CHECK(problems_of(folder, "[apps.a]\nasgi = 'a'\n" + python) == Lines{"2:1 `asgi` must be \"module:attr\", not \"a\""});
  CHECK(problems_of(folder, "[apps.a]\nasgi = 'a:b'\npython = 'python9.9'\nenv = { PATH = '/bin' }\n") ==
        Lines{"3:1 `python`: no program `python9.9` in PATH (/bin)"});
  CHECK(problems_of(folder, "[apps.a]\nasgi = 'a:b'\n" + python + "stop_signal = 'INT'\n") ==
        Lines{R"(4:1 an app by `asgi` drains on "TERM", not on "INT")"});
  CHECK(problems_of(folder, "[apps.a]\nasgi = 'a:b'\n" + python + "stack_signal = 'USR2'\n") ==
        Lines{"4:1 `stack_signal` is for a `command`: an app by `asgi` says its stacks without it"});
  CHECK(problems_of(folder, "[apps.a]\nasgi = 'a:b'\n" + python + "threads = 8\n") ==
        Lines{"4:1 `threads` is for a `wsgi` app: an `asgi` worker has one, and takes as many requests as `concurrency` says"});
  CHECK(problems_of(folder, "[apps.a]\nasgi = 'a:b'\nwsgi = 'a:b'\n" + python) ==
        Lines{"2:1 app `a` has `wsgi` and `asgi`; it can be only one"});
}

TEST_CASE("a wsgi app has no other stop_signal than TERM; a command may have any") {
  Folder const folder;
  std::string const python = "python = '" + folder.make_executable("python") + "'\n";
  CHECK(problems_of(folder, "[apps.a]\nwsgi = 'a:b'\n" + python + "stop_signal = 'INT'\n") ==
        Lines{R"(4:1 an app by `wsgi` drains on "TERM", not on "INT")"});
  CHECK(problems_of(folder, "[apps.a]\nwsgi = 'a:b'\n" + python + "stop_signal = 'TERM'\n") == Lines{});
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['sh']\nstop_signal = 'QUIT'\n") == Lines{});
}

TEST_CASE("https needs a folder of certificates with their keys") {
  Folder const folder;
  std::string const https = "[listen]\nhttps = ['*:443']\n";
  CHECK(problems_of(folder, https) ==
        Lines{"2:1 `https` needs `certificates` in `[tls]`, a folder of NAME.crt and NAME.key"});
  std::string const tls = https + "[tls]\ncertificates = 'tls'\n";
  CHECK(problems_of(folder, tls) == Lines{R"(4:1 `certificates`: "$/tls": No such file or directory)"});
  std::filesystem::create_directory(folder / "tls");
  CHECK(problems_of(folder, tls) == Lines{R"(4:1 no NAME.crt in "$/tls"; `https` needs one)"});
  folder.write("tls/a.crt", "");
  folder.write("tls/.b.crt", "");
  CHECK(problems_of(folder, tls) == Lines{"4:1 `$/tls/a.key` cannot be read: No such file or directory"});
  REQUIRE(::mkfifo((folder / "tls/a.key").c_str(), 0600) == 0);  // opening it would wait for a writer
  CHECK(problems_of(folder, tls) == Lines{"4:1 `$/tls/a.key` is not a regular file"});
  std::filesystem::remove(folder / "tls/a.key");
  folder.write("tls/a.key", "");
  CHECK(problems_of(folder, tls) == Lines{});
}

TEST_CASE("more certificates than one message to the front can carry are refused") {
  Folder const folder;
  auto const add = [&](int number) {
    folder.write("tls/" + std::to_string(number) + ".crt", "");
    folder.write("tls/" + std::to_string(number) + ".key", "");
  };
  for (int i = 0; i < 126; ++i) add(i);
  CHECK(problems_of(folder, "[tls]\ncertificates = 'tls'\n") == Lines{});
  add(126);
  CHECK(problems_of(folder, "[tls]\ncertificates = 'tls'\n") ==
        Lines{R"(2:1 127 certificates in "$/tls"; at most 126 can be used)"});
}

TEST_CASE("all apps together have no more workers than there are places") {
  Folder const folder;
  std::string toml;
  for (char const* name : {"a", "b", "c", "d"}) {
    toml += "[apps." + std::string(name) + "]\nhosts = ['" + name + "']\ncommand = ['sh']\nworkers = 1024\n";
  }
  CHECK(problems_of(folder, toml) == Lines{});
  CHECK(problems_of(folder, toml + "[apps.e]\nproxy = ['unix:e']\n") ==
        Lines{"18:1 more than 4096 workers, all apps together"});
}

TEST_CASE("what cannot be meant about preloading is found") {
  Folder const folder;
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['sh']\npreload = true\n") == Lines{"3:1 `preload` is for a `wsgi` or `asgi` app"});
  std::string const app = "[apps.a]\nwsgi = 'a:app'\npython = '/bin/sh'\n";
  CHECK(problems_of(folder, app + "preload = true\npost_fork = 'a.hooks:begin'\n") == Lines{});
  CHECK(problems_of(folder, app + "post_fork = 'a:begin'\n") ==
        Lines{"4:1 `post_fork` needs `preload = true`: without it no worker is forked"});
  CHECK(problems_of(folder, app + "preload = true\npost_fork = 'begin'\n") ==
        Lines{"5:1 `post_fork` must be \"module:function\", not \"begin\""});
}

TEST_CASE("all apps together have no more services than there are places") {
  Folder const folder;
  std::string toml;
  for (int i = 0; i < 1024; ++i) {
    std::string const app = "apps.a" + std::to_string(i / 100);
    toml += "[[" + app + ".services]]\nname = 'q" + std::to_string(i % 100) + "'\ncommand = ['sh']\n";
  }
  CHECK(problems_of(folder, toml) == Lines{});
  Lines const problems = problems_of(folder, toml + "[[apps.b.services]]\nname = 'q'\ncommand = ['sh']\n");
  REQUIRE(problems.size() == 1);
  CHECK(problems.front().ends_with("more than 1024 services, all apps together"));
}

TEST_CASE("what cannot be meant about replacing workers is found") {
  Folder const folder;
  std::string const app = "[apps.a]\ncommand = ['sh']\n";
  CHECK(problems_of(folder, app + "max_requests_jitter = 10\n") ==
        Lines{"3:1 `max_requests_jitter` needs `max_requests`, which it is added to"});
  CHECK(problems_of(folder, app + "max_requests_jitter = 10\nmax_requests = 1\n") == Lines{});
  CHECK(problems_of(folder, app + "max_memory = '1KiB'\n") ==
        Lines{R"(3:1 `max_memory` of "1KiB": no worker is that small)"});
  CHECK(problems_of(folder, app + "health = { interval = '1s' }\n") ==
        Lines{"3:1 `interval` of `health` needs `path`: what is to be asked for"});
  CHECK(problems_of(folder, "[apps.a]\nproxy = ['unix:a']\nmax_age = '1h'\nmax_requests = 5\n") ==
        Lines{"3:1 `max_age` is for workers that Portherd starts; app `a` has none",
              "4:1 `max_requests` is for workers that Portherd starts; app `a` has none"});
  CHECK(problems_of(folder, "[apps.a]\nproxy = ['unix:a']\nhealth = { path = '/up', interval = '1s' }\n") ==
        Lines{"3:1 `health` is for workers that Portherd starts; app `a` has none"});
}

TEST_CASE("of workers within bounds the most count among the places there are") {
  Folder const folder;
  std::string toml;
  for (char const* name : {"a", "b", "c", "d"}) {
    toml += "[apps." + std::string(name) + "]\nhosts = ['" + name + "']\ncommand = ['sh']\nworkers = { min = 0, max = 1024 }\n";
  }
  CHECK(problems_of(folder, toml) == Lines{});
  CHECK(problems_of(folder, toml + "[apps.e]\nhosts = ['e']\ncommand = ['sh']\nworkers = 'auto'\n") ==
        Lines{"20:1 more than 4096 workers, all apps together"});
}

TEST_CASE("a route that no request can have, and a redirect to itself, are found") {
  Folder const folder;
  CHECK(problems_of(folder, "[[apps.a.routes]]\npath = '/%zz'\nredirect = '/b'\n") ==
        Lines{"2:1 `path` has a `%` without two hexadecimal digits"});
  CHECK(problems_of(folder, "[[apps.a.routes]]\npath = '/a/../b'\nredirect = '/c'\n") ==
        Lines{"2:1 `path` has `.` or `..` for a segment: clients take them out before they ask"});
  CHECK(problems_of(folder, "[[apps.a.routes]]\npath = '/a'\nredirect = '/a/b'\n") ==
        Lines{R"(3:1 `redirect` leads to "/a/b", which is this route's again: no client would ever arrive)"});
}

TEST_CASE("a service has a name of its own, and a program that is there") {
  Folder const folder;
  folder.make_executable("bin/queue");
  std::string const app = "[apps.a]\ncommand = ['sh']\n[[apps.a.services]]\n";
  CHECK(problems_of(folder, app + "name = 'queue'\ncommand = ['bin/queue']\n") == Lines{});
  CHECK(problems_of(folder, app + "name = 'queue'\n") == Lines{"3:1 a service needs a `command`"});
  CHECK(problems_of(folder, app + "command = ['sh']\n") ==
        Lines{R"(3:1 a service needs a `name` of up to 32 letters, digits, `-` and `_`, not "")"});
  CHECK(problems_of(folder, app + "name = 'a b'\ncommand = ['sh']\n").size() == 1);
  CHECK(problems_of(folder, app + "name = 'q'\ncommand = ['sh']\n[[apps.a.services]]\nname = 'q'\ncommand = ['sh']\n") ==
        Lines{"7:1 app `a` has a service `q` already ($/portherd.toml:3)"});
  CHECK(problems_of(folder, app + "name = 'q'\ncommand = ['bin/gone']\n") ==
        Lines{"5:1 `command`: `$/bin/gone` cannot be executed: No such file or directory"});
  CHECK(problems_of(folder, app + "name = 'q'\ncommand = ['queue']\nenv = { PATH = 'bin' }\n") == Lines{});
  CHECK(problems_of(folder, app + "name = 'q'\ncommand = ['sh']\nuser = 'no-such-user'\n") ==
        Lines{R"(6:1 no user "no-such-user" on this machine)"});
  CHECK(problems_of(folder, app + "name = 'q'\ncommand = ['sh']\nenv_file = 'gone'\ndirectory = 'none'\n") ==
        Lines{R"(6:1 `env_file` "$/gone" cannot be opened: No such file or directory)",
              R"(7:1 `directory`: "$/none": No such file or directory)"});
}

TEST_CASE("an app may be services alone; then it takes no host") {
  Folder const folder;
  std::string const jobs = "[[apps.jobs.services]]\nname = 'queue'\ncommand = ['sh']\n";
  CHECK(problems_of(folder, jobs + "[apps.shop]\ncommand = ['sh']\n") == Lines{});
  CHECK(problems_of(folder, "[apps.jobs]\nhosts = ['a.example']\n" + jobs) ==
        Lines{"2:1 app `jobs` has only services, and nothing that answers"});
}

TEST_CASE("a key that we may not read is found") {
  Folder const folder;
  folder.write("tls/a.crt", "");
  REQUIRE(::chmod(folder.write("tls/a.key", "").c_str(), 0) == 0);
  folder.write("portherd.toml", "");
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  REQUIRE(::chmod((folder / "portherd.toml").c_str(), 0666) == 0);
  AsNobody const nobody;
  CHECK(problems_of(folder, "[tls]\ncertificates = 'tls'\n") ==
        Lines{"2:1 `$/tls/a.key` cannot be read: Permission denied"});
}

TEST_CASE("a redirect to https needs an https listener") {
  Folder const folder;
  CHECK(problems_of(folder, "[apps.a]\nproxy = ['unix:a']\nplain_http = 'redirect'\n") ==
        Lines{"3:1 `plain_http = \"redirect\"` needs an `https` address in `[listen]`"});
}

TEST_CASE("a socket path of more than 107 bytes is found wherever one stands") {
  Folder const folder;
  std::string const path = "/" + std::string(107, 'x');
  Lines const problems =
      problems_of(folder, "[listen]\nhttp = ['unix:" + path + "']\n[control]\nsocket = '" + path +
                              "'\n[apps.a]\nproxy = ['unix:/ok', 'unix:" + path + "']\n");
  REQUIRE(problems.size() == 3);
  CHECK(problems[0] == "2:9 a Unix socket's path has at most 107 bytes; \"" + path + "\" has 108");
  CHECK(problems[1].starts_with("4:1 a Unix socket's path"));
  CHECK(problems[2].starts_with("6:22 a Unix socket's path"));
  CHECK(problems_of(folder, "[control]\nsocket = '" + path.substr(0, 107) + "'\n") == Lines{});
}

TEST_CASE("a default socket path that is too long is a problem of the main file") {
  Folder const folder;
  std::string const file = folder.write(std::string(100, 'x') + "/portherd.toml", "");
  conf::Loaded const loaded = conf::load_and_check(file);
  REQUIRE(loaded.problems.size() == 1);
  CHECK(text(loaded.problems[0]).starts_with(file + ": a Unix socket's path has at most 107 bytes"));
}

TEST_CASE("two addresses that cannot be bound side by side are found") {
  Folder const folder;
  folder.write("tls/a.crt", "");
  folder.write("tls/a.key", "");
  auto const listen = [&](std::string_view http, std::string_view https) {
    return problems_of(folder, "[listen]\nhttp = " + std::string(http) + "\nhttps = " + std::string(https) +
                                   "\n[tls]\ncertificates = 'tls'\n");
  };
  CHECK(listen("['*:80', '*:80']", "[]") ==
        Lines{"2:17 `*:80` cannot be bound beside `*:80` ($/portherd.toml:2)"});
  CHECK(listen("['*:80']", "['127.0.0.1:80']") ==
        Lines{"3:10 `127.0.0.1:80` cannot be bound beside `*:80` ($/portherd.toml:2)"});
  CHECK(listen("['0.0.0.0:80']", "['127.0.0.1:80']").size() == 1);
  CHECK(listen("['[::]:80']", "['[::1]:80']").size() == 1);
  CHECK(listen("['unix:a']", "['unix:./a']").size() == 1);
  CHECK(listen("['127.0.0.1:80', '127.0.0.2:80', '[::1]:80']", "['*:443']") == Lines{});
  CHECK(listen("['0.0.0.0:80', '[::]:80']", "[]") == Lines{});
  CHECK(listen("['127.0.0.1:0', '127.0.0.1:0']", "[]") == Lines{});
}

TEST_CASE("the address of metrics is one, and nobody else's") {
  Folder const folder;
  auto const metrics = [&](std::string_view listen) {
    return problems_of(folder, "[listen]\nhttp = ['*:80', 'unix:a']\n[metrics]\nlisten = " + std::string(listen) + "\n");
  };
  CHECK(metrics("'127.0.0.1:9180'") == Lines{});
  CHECK(metrics("'unix:b'") == Lines{});
  CHECK(metrics("''") == Lines{});
  CHECK(metrics("'127.0.0.1:80'") ==
        Lines{"4:1 `127.0.0.1:80` cannot be bound beside `*:80` ($/portherd.toml:2)"});
  CHECK(metrics("'unix:./a'").size() == 1);
  CHECK(metrics("'nowhere'").size() == 1);
  CHECK(metrics("['127.0.0.1:9180']").size() == 1);
  CHECK(metrics("9180").size() == 1);
}

TEST_CASE("proxy_protocol is for addresses that we listen on, over TCP, and needs somebody to be trusted") {
  Folder const folder;
  auto const listen = [&](std::string_view list, std::string_view front) {
    return problems_of(folder, "[listen]\nhttp = ['*:80', 'unix:a']\nproxy_protocol = " + std::string(list) + "\n" +
                                   std::string(front));
  };
  std::string const trusted = "[front]\ntrusted_proxies = ['10.0.0.0/8']\n";
  CHECK(listen("['*:80']", trusted) == Lines{});
  CHECK(listen("['*:81']", trusted) == Lines{"3:19 `*:81` is none of the addresses of `http` and `https`"});
  CHECK(listen("['unix:a']", trusted) ==
        Lines{"3:19 `proxy_protocol` is for TCP: who connects to a Unix socket has no address to be trusted by"});
  CHECK(listen("['*:80']", "") ==
        Lines{"3:1 `proxy_protocol` needs `trusted_proxies` in `[front]`: nobody else is believed"});
  CHECK(listen("[]", "") == Lines{});
}

TEST_CASE("users and groups that are not there are found") {
  Folder const folder;
  CHECK(problems_of(folder,
                    "[front]\nuser = 'no-such-user'\n[control]\ngroup = 'no-such-group'\n"
                    "[apps.a]\nproxy = ['unix:a']\nuser = 'no-such-user'\ngroup = 'no-such-group'\n") ==
        Lines{R"(2:1 no user "no-such-user" on this machine)",
              R"(4:1 no group "no-such-group" on this machine)",
              R"(7:1 no user "no-such-user" on this machine)",
              R"(8:1 no group "no-such-group" on this machine)"});
  CHECK(problems_of(folder, "[front]\nuser = 'root'\n[control]\ngroup = 'root'\n") == Lines{});
}

TEST_CASE("an env_file that is not there, or not of its form, is found") {
  Folder const folder;
  std::string const app = "[apps.a]\nproxy = ['unix:a']\nenv_file = '.env'\n";
  CHECK(problems_of(folder, app) ==
        Lines{R"(3:1 `env_file` "$/.env" cannot be opened: No such file or directory)"});
  folder.write(".env", "A=1\nB\n");
  conf::Loaded const loaded = conf::load_and_check(folder.write("portherd.toml", app));
  REQUIRE(loaded.problems.size() == 1);
  CHECK(text(loaded.problems[0]) == (folder / ".env") + ":2:1: expected KEY=VALUE\n    B\n    ^");
}

TEST_CASE("a log goes to a file in a folder that is there") {
  Folder const folder;
  CHECK(problems_of(folder, "[log]\naccess = { path = 'gone/a.log' }\nerror.path = '.'\n") ==
        Lines{R"(2:12 `path`: "$/gone": No such file or directory)",
              R"(3:7 `path` "$" is a folder, not a file)"});
}

TEST_CASE("a log must be writable: the file, or the folder that it is to be made in") {
  Folder const folder;
  std::string const file =
      folder.write("portherd.toml", "[log]\naccess = { path = 'shut/a.log' }\nerror.path = 'old.log'\n");
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  REQUIRE(::mkdir((folder / "shut").c_str(), 0555) == 0);
  REQUIRE(::chmod(folder.write("old.log", "").c_str(), 0444) == 0);
  AsNobody const nobody;
  conf::Loaded const loaded = conf::load_and_check(file);
  REQUIRE(loaded.problems.size() == 2);
  CHECK(loaded.problems[0].sentence == "`path`: \"" + folder / "shut" + "\": Permission denied");
  CHECK(loaded.problems[1].sentence == "`path`: \"" + folder / "old.log" + "\": Permission denied");
}

TEST_CASE("a log that is there may stand in a folder in which none can be made") {
  Folder const folder;
  std::string const file = folder.write("portherd.toml", "[log]\nerror.path = 'shut/old.log'\n");
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  REQUIRE(::chmod(folder.write("shut/old.log", "").c_str(), 0666) == 0);
  REQUIRE(::chmod((folder / "shut").c_str(), 0555) == 0);
  AsNobody const nobody;
  CHECK(conf::load_and_check(file).problems.empty());
}

TEST_CASE("an app's directory need not be listed, only entered") {
  Folder const folder;
  std::string const file = folder.write("portherd.toml", "[apps.a]\nproxy = ['unix:a']\ndirectory = 'app'\n");
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  REQUIRE(::mkdir((folder / "app").c_str(), 0700) == 0);
  REQUIRE(::chmod((folder / "app").c_str(), 0311) == 0);
  {
    AsNobody const nobody;
    CHECK(conf::load_and_check(file).problems.empty());
  }
  REQUIRE(::chmod((folder / "app").c_str(), 0600) == 0);
  AsNobody const nobody;
  CHECK(conf::load_and_check(file).problems.size() == 1);
}

TEST_CASE("what could not be read is not asked for, and all else is: by file and line") {
  Folder const folder;
  // `wsgl` was meant to say what the app is; the directory is missing all the same.
  CHECK(problems_of(folder, "[apps.a]\nwsgl = 'a:b'\ndirectory = 'gone'\n") ==
        Lines{"2:1 unknown key `wsgl`; did you mean `wsgi`?",
              R"(3:1 `directory`: "$/gone": No such file or directory)"});
  CHECK(problems_of(folder, "[apps.a]\ncommand = 'sh'\nuser = 'no-such-user'\n[apps.b]\nworkers = 1\n") ==
        Lines{R"(2:11 `command` must be a list of strings, not "sh")",
              R"(3:1 no user "no-such-user" on this machine)",
              "4:7 app `b` needs one of `wsgi`, `asgi`, `command` and `proxy`, or `routes` or `services`"});
  folder.write("apps.d/a.toml", "proxy = ['unix:a']\nuser = 'no-such-user'\n");
  conf::Loaded const loaded =
      conf::load_and_check(folder.write("portherd.toml", "[front]\nthreads = 'x'\nuser = 'no-such-user'\n"));
  REQUIRE(loaded.problems.size() == 3);
  CHECK(loaded.problems[0].file == folder / "apps.d/a.toml");
  CHECK((loaded.problems[1].file == folder / "portherd.toml" && loaded.problems[1].line == 2));
  CHECK(loaded.problems[2].line == 3);
}

TEST_CASE("a rule that rests on several settings is silent while one of them is unknown") {
  Folder const folder;
  auto const count = [&](std::string_view toml) { return problems_of(folder, toml).size(); };
  CHECK(count("[listen]\nhttps = ['*:443']\n[tls]\ncertificate = 'tls'\n") == 1);
  CHECK(count("[listen]\nhttps = ['*:443']\n[tsl]\ncertificates = 'tls'\n") == 1);
  CHECK(count("[listen]\nhttps = '*:443'\n[apps.a]\nproxy = ['unix:a']\nplain_http = 'redirect'\n") == 1);
  CHECK(count("[apps.a]\nproxy = ['unix:a']\nhosts = 'a'\n[apps.b]\nproxy = ['unix:b']\n") == 1);
  CHECK(count("[apps.a]\nproxy = ['unix:a']\nhost = ['a']\n[apps.b]\nproxy = ['unix:b']\n") == 1);
  CHECK(count("[apps.a]\ncommand = ['bin/gone']\ndirectory = 1\n") == 1);
  CHECK(count("[apps.a]\ncommand = ['gone-too']\nenv = { PATH = 1 }\n") == 1);
  CHECK(count("[apps.a]\nproxy = ['unix:a']\nenv_file = '.env'\ndirectroy = 'x'\n") == 1);
  CHECK(count("apps = 1\n[listen]\nhttp = ['*:80', '*:80']\n") == 2);
}

TEST_CASE("of a main file that is not TOML nothing is asked") {
  Folder const folder;
  folder.write("apps.d/a.toml", "command = ['no-such-program-here']\n");
  CHECK(problems_of(folder, "[front\nuser = 'no-such-user'\n").size() == 1);
}

TEST_CASE("more problems than anybody reads are counted, wherever they were found") {
  Folder const folder;
  std::string toml = "[front]\nthreads = 'x'\n[listen]\nhttp = [";
  for (int i = 0; i < 121; ++i) toml += "'*:80', ";
  conf::Loaded const loaded = conf::load_and_check(folder.write("portherd.toml", toml + "]\n"));
  REQUIRE(loaded.problems.size() == conf::kMostProblems + 1);
  CHECK(loaded.problems.front().line == 2);
  CHECK(loaded.problems.back().sentence == "and 21 more problems");
}

TEST_CASE("settings made in code are checked too, and their problems stand alone") {
  conf::Loaded made;
  made.settings.apps.push_back(
      {.name = "run", .command = {"no-such-program-here"}, .env = {{"PATH", "/bin"}}, .workers = conf::Workers::fixed(0)});
  conf::check(made);
  REQUIRE(made.problems.size() == 2);
  CHECK(text(made.problems[0]) == "`command`: no program `no-such-program-here` in PATH (/bin)");
  CHECK(text(made.problems[1]) == "`workers` must be at least 1");
}

TEST_CASE("an app may be routes alone, and a route is one thing") {
  Folder const folder;
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  folder.write("static/a", "");
  CHECK(problems_of(folder, "[[apps.a.routes]]\nfiles = 'static'\n") == Lines{});
  CHECK(problems_of(folder, "[[apps.a.routes]]\npath = '/'\n") ==
        Lines{"1:1 a route needs one of `files`, `redirect` and `app`, or a rule for the app, such as `max_body`",
              "1:1 app `a` has only routes: this one needs `files`, `redirect` or `app`"});
  CHECK(problems_of(folder, "[[apps.a.routes]]\nfiles = 'static'\nredirect = 'http://c.example/x'\n") ==
        Lines{"1:1 a route needs only one of `files`, `redirect` and `app`"});
  CHECK(problems_of(folder, "[[apps.a.routes]]\nredirect = 'http://c.example/x'\nstatus = 303\n") ==
        Lines{"3:1 `status` must be 301, 302, 307 or 308"});
  CHECK(problems_of(folder, "[[apps.a.routes]]\nredirect = 'http://c.example/x?y'\n") ==
        Lines{"2:1 `redirect` with a query needs `keep_path = false`: nothing can be put behind a query"});
  CHECK(problems_of(folder, "[[apps.a.routes]]\nredirect = 'http://c.example/x'\npath = '/a?b'\n") ==
        Lines{"3:1 `path` of a route has no query: it is compared with what stands before the `?`"});
  CHECK(problems_of(folder, "[[apps.a.routes]]\nredirect = 'http://c.example/x'\n[[apps.a.routes]]\nredirect = 'http://c.example/y'\n") ==
        Lines{"3:1 path \"/\" has a route already ($/portherd.toml:1)"});
}

TEST_CASE("a route of rules alone is the app's, and one that leads to another app finds it") {
  Folder const folder;
  std::string const a = "[apps.a]\nproxy = ['unix:/a']\n[[apps.a.routes]]\n";
  std::string const b = "[apps.b]\nhosts = ['b']\n";
  CHECK(problems_of(folder, a + "max_body = '1KiB'\n") == Lines{});
  CHECK(problems_of(folder, a + "path = '/x'\n") ==
        Lines{"3:1 a route needs one of `files`, `redirect` and `app`, or a rule for the app, such as `max_body`"});
  CHECK(problems_of(folder, "[[apps.a.routes]]\nmax_body = '1KiB'\n") ==
        Lines{"1:1 app `a` has only routes: this one needs `files`, `redirect` or `app`"});
  CHECK(problems_of(folder, a + "redirect = 'http://c.example/x'\nqueue_timeout = '1s'\n") ==
        Lines{"5:1 `queue_timeout` is for what an app answers; here the front does"});
  CHECK(problems_of(folder, a + "app = 'b'\n" + b + "proxy = ['unix:/b']\n") == Lines{});
  CHECK(problems_of(folder, a + "app = 'b'\n") == Lines{"4:1 `app`: there is no app \"b\""});
  CHECK(problems_of(folder, a + "app = 'a'\n") == Lines{"4:1 `app` is for another app: this one answers without it"});
  CHECK(problems_of(folder, a + "app = 'b'\n" + b + "[[apps.b.routes]]\nredirect = 'http://c.example/x'\n") ==
        Lines{"4:1 `app`: \"b\" has only routes, and nothing that answers"});
  CHECK(problems_of(folder, a + "app = 'b'\nredirect = 'http://c.example/'\n" + b + "proxy = ['unix:/b']\n") ==
        Lines{"3:1 a route needs only one of `files`, `redirect` and `app`"});
}

TEST_CASE("the folder for temporary files is there, and the front's user can enter it") {
  Folder const folder;
  folder.write("file", "");
  std::string const app = "[apps.a]\nproxy = ['unix:/a']\n";
  CHECK(problems_of(folder, app) == Lines{});
  CHECK(problems_of(folder, "[front]\nspool = 'nowhere'\n" + app) ==
        Lines{"2:1 `spool` must be a folder that the front's user can write to: \"$/nowhere\": No such file or directory"});
  CHECK(problems_of(folder, "[front]\nspool = 'file'\n" + app) ==
        Lines{"2:1 `spool` must be a folder that the front's user can write to: \"$/file\": Not a directory"});
  if (::geteuid() != 0) return;  // then the front is who the test is
  CHECK(problems_of(folder, "[front]\nuser = 'nobody'\nspool = '.'\n" + app) ==
        Lines{"3:1 `spool`: the front's user `nobody` cannot enter \"$\""});
}

TEST_CASE("a signal for stacks is a command's, and does not end the worker") {
  Folder const folder;
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['/bin/true']\nstack_signal = 'QUIT'\n") == Lines{});
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['/bin/true']\nstack_signal = 'TERM'\n") ==
        Lines{"3:1 `stack_signal` and `stop_signal` are both \"TERM\": the worker would end"});
  CHECK(problems_of(folder, "[apps.a]\nwsgi = 'a:a'\npython = '/bin/true'\nstack_signal = 'USR2'\n") ==
        Lines{"4:1 `stack_signal` is for a `command`: an app by `wsgi` says its stacks without it"});
}

TEST_CASE("what bounds processes is for who has some") {
  Folder const folder;
  CHECK(problems_of(folder, "[apps.a]\nproxy = ['unix:/x']\nnice = 5\nrlimits = { core = 0 }\npids_max = 5\n") ==
        Lines{"3:1 `nice` is for processes that Portherd starts; app `a` has none",
              "4:1 `rlimits` is for processes that Portherd starts; app `a` has none",
              "5:1 `pids_max` is for processes that Portherd starts; app `a` has none"});
  CHECK(problems_of(folder, "[apps.a]\nnice = 5\n[[apps.a.services]]\nname = 'q'\ncommand = ['sh']\n") == Lines{});
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['sh']\nmax_memory = '2GiB'\nmemory_max = '1GiB'\n") ==
        Lines{"3:1 `max_memory` of \"2GiB\" is more than `memory_max`, which all of the app may have: the kernel would kill a worker before it is replaced"});
}

TEST_CASE("who is strict is told of each limit that cannot be had, where it stands, and once") {
  Folder const folder;
  std::string const impossible = "rlimits = { nofile = 2000000000 }\n";  // fs.nr_open, whoever asks
  std::string const toml = "[apps.a]\ncommand = ['sh']\n" + impossible + "[[apps.a.services]]\nname = 'q'\ncommand = ['sh']\n";
  CHECK(problems_of(folder, toml) == Lines{});
  Lines const told = problems_of(folder, "[apps.a]\nstrict = true\ncommand = ['sh']\n" + impossible + "[[apps.a.services]]\nname = 'q'\ncommand = ['sh']\n");
  REQUIRE(told.size() == 1);
  CHECK(told[0].starts_with("4:1 `nofile` is 2000000000, and "));
  CHECK(told[0].ends_with(" (and `strict` is on)"));
  Lines const of_service = problems_of(folder, "[apps.a]\nstrict = true\n[[apps.a.services]]\nname = 'q'\ncommand = ['sh']\n" + impossible);
  REQUIRE(of_service.size() == 1);
  CHECK(of_service[0].starts_with("6:1 `nofile` is "));
}

TEST_CASE("who is strict and not root cannot be another user") {
  Folder const folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  AsNobody const nobody;
  if (::geteuid() != 65534) return;
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['sh']\nuser = 'daemon'\n") == Lines{});
  CHECK(problems_of(folder, "[apps.a]\ncommand = ['sh']\nstrict = true\nuser = 'daemon'\n") ==
        Lines{"4:1 `user` is \"daemon\", and only root can become another than \"nobody\" (and `strict` is on)"});
}

TEST_CASE("the folder of a files route is there") {
  Folder const folder;
  folder.write("file", "");
  CHECK(problems_of(folder, "[[apps.a.routes]]\nfiles = 'nowhere'\n") ==
        Lines{"2:1 `files`: \"$/nowhere\": No such file or directory"});
  CHECK(problems_of(folder, "[[apps.a.routes]]\nfiles = 'file'\n") == Lines{"2:1 `files`: \"$/file\": Not a directory"});
}

TEST_CASE("the front's user can enter the folder of a files route") {
  if (::geteuid() != 0) return;  // then the front is who the test is
  Folder const folder;
  folder.write("a/b/file", "");
  std::string const toml = "[front]\nuser = 'nobody'\n[[apps.a.routes]]\nfiles = 'a/b'\n";
  auto const closed = [](std::string const& which) {
    return Lines{"4:1 `files`: the front's user `nobody` cannot enter \"" + which + "\""};
  };
  CHECK(problems_of(folder, toml) == closed("$"));
  REQUIRE(::chmod(folder.path().c_str(), 0711) == 0);
  CHECK(problems_of(folder, toml) == Lines{});
  REQUIRE(::chmod((folder.path() + "/a").c_str(), 0770) == 0);
  CHECK(problems_of(folder, toml) == closed("$/a"));
  REQUIRE(::chown((folder.path() + "/a").c_str(), 65534, 65534) == 0);
  CHECK(problems_of(folder, toml) == Lines{});
  REQUIRE(::chmod((folder.path() + "/a").c_str(), 0077) == 0);  // the owner's bits are the owner's
  CHECK(problems_of(folder, toml) == closed("$/a"));
}
