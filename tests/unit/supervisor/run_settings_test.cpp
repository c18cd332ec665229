#include "supervisor/commands/run_settings.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "conf/forms.h"
#include "doctest_precompiled.h"
#include "supervisor/commands/instance.h"

using namespace supervisor;

namespace {

std::string texts(const std::vector<conf::Address>& addresses) {
  std::string all;
  for (const conf::Address& address : addresses) all += (all.empty() ? "" : " ") + address.text;
  return all;
}

RunArguments wsgi() {
  return {.target = "shop.wsgi:application", .python = "/bin/sh"};
}

conf::Settings settings(const RunArguments& arguments, const RunEnvironment& environment = {}) {
  const auto made = run_settings(arguments, environment, "/tmp", "/tmp");
  REQUIRE_MESSAGE(made.has_value(), made.error().text());
  return made->settings;
}

std::string refusal(const RunArguments& arguments, const RunEnvironment& environment = {}) {
  const auto made = run_settings(arguments, environment, "/tmp", "/tmp");
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code == runtime::Code::kConfig);
  return made.error().sentence;
}

}  // namespace

TEST_CASE("run serves a module on port 8000 of loopback, one worker of four threads") {
  const conf::Settings made = settings(wsgi());
  CHECK(texts(made.listen.http) == "127.0.0.1:8000");
  CHECK(made.listen.https.empty());
  REQUIRE(made.apps.size() == 1);
  CHECK(made.apps[0].name == "shop");
  CHECK(made.apps[0].wsgi == "shop.wsgi:application");
  CHECK(made.apps[0].directory == "/tmp");
  CHECK(made.apps[0].workers == conf::Workers::fixed(1));
  CHECK(made.apps[0].threads == 4);
  CHECK(made.apps[0].concurrency == 4);
  CHECK(made.log.access.is_on);
  CHECK(made.log.access.path.empty());
  CHECK(made.log.access.format == conf::AccessFormat::kCombined);
}

TEST_CASE("what is given on the command line wins over the environment") {
  RunArguments arguments = wsgi();
  CHECK(texts(settings(arguments, {.port = "5000"}).listen.http) == "*:5000");
  CHECK(settings(arguments, {.web_concurrency = "3"}).apps[0].workers == conf::Workers::fixed(3));
  arguments.bind = {"127.0.0.1:9000", "unix:x.sock"};
  CHECK(settings(arguments, {.web_concurrency = "auto"}).apps[0].workers.is_auto);
  arguments.workers = "2";
  arguments.threads = 8;
  const conf::Settings made = settings(arguments, {.port = "5000", .web_concurrency = "3"});
  CHECK(texts(made.listen.http) == "127.0.0.1:9000 unix:/tmp/x.sock");
  CHECK(made.apps[0].workers == conf::Workers::fixed(2));
  CHECK(made.apps[0].threads == 8);
  arguments.workers = "auto";
  CHECK(settings(arguments, {.web_concurrency = "3"}).apps[0].workers.is_auto);
  CHECK(made.apps[0].concurrency == 8);
}

TEST_CASE("--tls adds https on the next port, or where --tls-bind says") {
  RunArguments arguments = wsgi();
  arguments.tls = true;
  CHECK(texts(settings(arguments).listen.https) == "127.0.0.1:8001");
  CHECK(settings(arguments).tls.certificates == "/tmp");
  arguments.bind = {"[::1]:80"};
  CHECK(texts(settings(arguments).listen.https) == "[::1]:81");
  arguments.bind = {"127.0.0.1:0"};
  CHECK(texts(settings(arguments).listen.https) == "127.0.0.1:0");
  arguments.tls_bind = {"*:8443"};
  CHECK(texts(settings(arguments).listen.https) == "*:8443");
  arguments.tls_bind.clear();
  arguments.bind = {"127.0.0.1:65535"};
  CHECK(refusal(arguments) == "--tls needs --tls-bind: there is no port after 65535");
  arguments.bind = {"unix:x"};
  CHECK(refusal(arguments) == "--tls needs --tls-bind where --bind is a Unix socket");
}

TEST_CASE("a command after -- is run as it stands") {
  const conf::Settings made = settings({.command = {"/bin/sh", "-c", "x", "--bind", "y"}});
  CHECK(made.apps[0].command == std::vector<std::string>{"/bin/sh", "-c", "x", "--bind", "y"});
  CHECK(made.apps[0].name == "sh");
  CHECK(refusal({.target = "a:b", .command = {"sh"}}) == "either `a:b` or a command after `--`, not both");
}

TEST_CASE("without anything to run it says what to give") {
  std::string empty = "/tmp/portherd-run-XXXXXX";
  REQUIRE(::mkdtemp(empty.data()) != nullptr);
  const auto nothing = run_settings({}, {}, empty, "");
  REQUIRE_FALSE(nothing.has_value());
  CHECK(nothing.error().sentence.starts_with("say what to run: `portherd run module:attr`"));
  const auto folder = run_settings({.target = empty}, {}, "/tmp", "");
  REQUIRE_FALSE(folder.has_value());
  CHECK(folder.error().sentence.starts_with(empty + " has no portherd.toml; say what to run"));
  CHECK(refusal({.target = "nosuch"}).starts_with("`nosuch` is no folder and no module:attr; "));
  ::rmdir(empty.c_str());
}

TEST_CASE("an address may be written as gunicorn's users write it") {
  RunArguments arguments = wsgi();
  arguments.bind = {":8101", "localhost:8105", "unix:a.sock", "*:80"};
  const conf::Settings made = settings(arguments);
  REQUIRE(made.listen.http.size() == 4);
  CHECK(made.listen.http[0] == *conf::parse_address("0.0.0.0:8101"));
  CHECK(made.listen.http[1] == *conf::parse_address("127.0.0.1:8105"));
  CHECK(made.listen.http[2].kind == conf::Address::Kind::kUnix);
  CHECK(made.listen.http[3] == *conf::parse_address("*:80"));
}

TEST_CASE("a bad address, port or number is said by the option it stands in") {
  RunArguments arguments = wsgi();
  CHECK(refusal(arguments, {.port = "http"}) == "PORT *:http: the port must be a number from 0 to 65535");
  CHECK(refusal(arguments, {.web_concurrency = "many"}) ==
        "WEB_CONCURRENCY must be \"auto\" or a number from 1 to 1024, not `many`");
  arguments.workers = "0";
  CHECK(refusal(arguments) == "--workers must be \"auto\" or a number from 1 to 1024, not `0`");
  arguments.workers.clear();
  arguments.bind = {"8000"};
  CHECK(refusal(arguments).starts_with("--bind 8000: "));
}

TEST_CASE("a folder's own file says what runs, and the command line where") {
  std::string folder = "/tmp/portherd-run-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  std::ofstream(folder + "/portherd.toml")
      << "[listen]\nhttp = [\"127.0.0.1:7000\"]\n[apps.shop]\ncommand = [\"sh\"]\n"
         "directory = \"/tmp\"\nworkers = 3\n";
  const auto made = run_settings({.target = folder}, {}, "/", "");
  REQUIRE(made.has_value());
  CHECK(made->problems.empty());
  CHECK(texts(made->settings.listen.http) == "127.0.0.1:7000");
  CHECK(made->settings.apps[0].workers == conf::Workers::fixed(3));
  CHECK(made->settings.log.access.format == conf::AccessFormat::kCombined);
  CHECK(made->settings.control.socket == folder + "/portherd.sock");
  const auto bound = run_settings({.target = ".", .bind = {"127.0.0.1:0"}, .workers = "1"}, {}, folder, "");
  REQUIRE(bound.has_value());
  CHECK(texts(bound->settings.listen.http) == "127.0.0.1:0");
  CHECK(bound->settings.apps[0].workers == conf::Workers::fixed(1));
  std::filesystem::remove_all(folder);
}

TEST_CASE("--bind or PORT in place of a file's https: what nobody asked to redirect is served") {
  std::string folder = "/tmp/portherd-run-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  std::filesystem::create_directory(folder + "/tls");
  std::ofstream(folder + "/tls/a.crt");
  std::ofstream(folder + "/tls/a.key");
  std::ofstream(folder + "/portherd.toml")
      << "[listen]\nhttps = [\"127.0.0.1:7443\"]\n[tls]\ncertificates = \"tls\"\n"
         "[apps.shop]\ncommand = [\"sh\"]\n";
  const auto bound = run_settings({.target = folder, .bind = {"127.0.0.1:0"}}, {}, "/", "");
  REQUIRE(bound.has_value());
  CHECK(bound->problems.empty());
  CHECK(bound->settings.apps.at(0).plain_http == conf::PlainHttp::kServe);
  const auto by_port = run_settings({.target = folder}, {.port = "5000"}, "/", "");
  REQUIRE(by_port.has_value());
  CHECK(by_port->problems.empty());
  const auto as_it_is = run_settings({.target = folder}, {}, "/", "");
  REQUIRE(as_it_is.has_value());
  CHECK(as_it_is->settings.apps.at(0).plain_http == conf::PlainHttp::kRedirect);

  std::ofstream(folder + "/portherd.toml", std::ios::app) << "plain_http = \"redirect\"\n";
  const auto said = run_settings({.target = folder, .bind = {"127.0.0.1:0"}}, {}, "/", "");
  REQUIRE(said.has_value());
  REQUIRE(said->problems.size() == 1);
  CHECK(said->problems[0].line == 7);
  std::filesystem::remove_all(folder);
}

TEST_CASE("run of a folder shows what cannot be read and what is wrong with the rest") {
  std::string folder = "/tmp/portherd-run-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  std::ofstream(folder + "/portherd.toml") << "[apps.shop]\ncommand = [\"sh\"]\nworkers = 0\n"
                                              "directory = \"gone\"\n";
  const auto made = run_settings({.target = folder}, {}, "/", "");
  REQUIRE(made.has_value());
  REQUIRE(made->problems.size() == 2);
  CHECK(made->problems[0].line == 3);
  CHECK(made->problems[1].line == 4);
  std::filesystem::remove_all(folder);
}

TEST_CASE("an app is named after what it runs") {
  CHECK(app_name("shop.wsgi:application") == "shop");
  CHECK(app_name("./bin/server.py") == "server");
  CHECK(app_name("node") == "node");
  CHECK(app_name("...") == "app");
  CHECK(app_name(std::string(100, 'x')) == std::string(32, 'x'));
  CHECK(app_name("_server:app") == "server");
  CHECK(app_name("./-_my-app_2") == "my-app_2");
  CHECK(app_name("__") == "app");
  for (const char* target : {"_server:app", "./_server", "-x", "\u00e4pp", "_"}) {
    CAPTURE(target);
    CHECK(conf::is_app_name(app_name(target)));
  }
}

TEST_CASE("without a file a command means the supervisor of this folder, else the only one") {
  const Instance shop{1, "/srv/shop", "/run/1"}, blog{2, "/srv/blog", "/run/2"};
  CHECK(choose_instance({shop}, "/elsewhere").value() == "/run/1");
  CHECK(choose_instance({shop, blog}, "/srv/blog").value() == "/run/2");
  CHECK(choose_instance({}, "/").error().code == runtime::Code::kNotRunning);
  CHECK(choose_instance({shop, blog}, "/").error().sentence ==
        "2 supervisors run: say which one with -c FILE");
  CHECK(choose_instance({shop, shop, blog}, "/srv/shop").error().sentence ==
        "2 supervisors run in this folder: say which one with -c FILE");
}
