#include "supervisor/plan.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "doctest_precompiled.h"

using namespace supervisor;

namespace {

bool has(const std::vector<std::string>& list, const std::string& text) {
  return std::ranges::find(list, text) != list.end();
}

bool has_name(const std::vector<std::string>& list, std::string_view name) {
  return std::ranges::any_of(
      list, [&](const std::string& text) { return text.starts_with(std::string(name) + "="); });
}

conf::App command(std::vector<std::string> words) {
  conf::App app;
  app.name = "shop";
  app.directory = "/";
  app.command = std::move(words);
  return app;
}

const Variables kBase{{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}};
const Account kNobody{.name = "nobody", .home = "/", .uid = 65534, .gid = 65534, .groups = {65534}};
const Seat kSeat{.socket = "/run/x/shop.7.sock",
                 .notify = "/run/x/shop.7.notify",
                 .port = 4711,
                 .socket_fd = 10,
                 .blob_fd = 11,
                 .out = 12,
                 .err = 13,
                 .stack = 14};

SpawnPlan plan(const conf::App& app) {
  auto made = plan_worker(app, kSeat, app_environment(app, kBase, {}), kNobody);
  REQUIRE(made.has_value());
  return std::move(*made);
}

}  // namespace

TEST_CASE("a command that names {fd} is told of its socket by that alone") {
  const SpawnPlan made = plan(command({"sh", "-c", "serve --fd {fd}"}));
  CHECK(made.arguments == std::vector<std::string>{"sh", "-c", "serve --fd 3"});
  CHECK_FALSE(has_name(made.environment, "LISTEN_FDS"));
  CHECK_FALSE(made.wants_listen_pid);
}

TEST_CASE("a command gets its listening socket as descriptor 3, and its own pid in LISTEN_PID") {
  const SpawnPlan made = plan(command({"sh", "-c", "serve"}));
  CHECK(made.program == "/usr/bin/sh");
  CHECK(has(made.environment, "LISTEN_FDS=1"));
  CHECK(made.wants_listen_pid);
  CHECK(has(made.environment, "NOTIFY_SOCKET=/run/x/shop.7.notify"));
  CHECK_FALSE(has_name(made.environment, "PORT"));
  CHECK_FALSE(has_name(made.environment, "PORTHERD_SOCKET"));
  REQUIRE(made.fds.size() == 3);
  CHECK((made.fds[0].fd == 12 && made.fds[0].as == 1));
  CHECK((made.fds[1].fd == 13 && made.fds[1].as == 2));
  CHECK((made.fds[2].fd == 10 && made.fds[2].as == 3));
}

TEST_CASE("{socket} is a path that the program binds itself; it gets no descriptor") {
  const SpawnPlan made = plan(command({"sh", "--bind", "unix:{socket}"}));
  CHECK(made.arguments.back() == "unix:/run/x/shop.7.sock");
  CHECK(has(made.environment, "PORTHERD_SOCKET=/run/x/shop.7.sock"));
  CHECK_FALSE(has_name(made.environment, "LISTEN_FDS"));
  CHECK_FALSE(made.wants_listen_pid);
  CHECK(made.fds.size() == 2);
}

TEST_CASE("{port} is a port on loopback, in the command and as PORT") {
  const SpawnPlan made = plan(command({"sh", "--port={port}"}));
  CHECK(made.arguments.back() == "--port=4711");
  CHECK(has(made.environment, "PORT=4711"));
  CHECK_FALSE(has_name(made.environment, "LISTEN_FDS"));
}

TEST_CASE("the word may stand in env instead of the command") {
  conf::App app = command({"sh", "server.js"});
  app.env["PORT"] = "{port}";
  app.env["URL"] = "http://127.0.0.1:{port}/";
  CHECK(handover_of(app) == Handover::kPort);
  const SpawnPlan made = plan(app);
  CHECK(has(made.environment, "PORT=4711"));
  CHECK(has(made.environment, "URL=http://127.0.0.1:4711/"));
}

TEST_CASE("a shell's line that names our variable chooses the handover; the shell puts it in") {
  for (const char* line : {"exec serve --port $PORT", "exec serve --port=\"${PORT}\"", "serve ${PORT:-80}"}) {
    CAPTURE(line);
    const SpawnPlan made = plan(command({"sh", "-c", line}));
    CHECK(made.arguments.back() == line);
    CHECK(has(made.environment, "PORT=4711"));
    CHECK_FALSE(has_name(made.environment, "LISTEN_FDS"));
  }
  const SpawnPlan made = plan(command({"sh", "-c", "exec serve --unix $PORTHERD_SOCKET"}));
  CHECK(has(made.environment, "PORTHERD_SOCKET=/run/x/shop.7.sock"));
  CHECK_FALSE(has_name(made.environment, "PORT"));
  for (const char* line : {"serve $PORTAL", "serve PORT", "serve --port $PORT --fd {fd}", "$", "${"}) {
    CAPTURE(line);
    CHECK(handover_of(command({"sh", "-c", line})) == Handover::kListenFds);
  }
}

TEST_CASE("a variable that env sets is the app's own; one of its env_file gives way to ours") {
  conf::App app = command({"sh", "-c", "serve --port $PORT"});
  app.env["PORT"] = "9000";
  CHECK(handover_of(app) == Handover::kListenFds);
  CHECK(has(plan(app).environment, "PORT=9000"));

  app.env.clear();
  std::string file = "/tmp/portherd-plan-XXXXXX";
  const int fd = ::mkstemp(file.data());
  REQUIRE(fd >= 0);
  REQUIRE(::write(fd, "PORT=3000\n", 10) == 10);
  ::close(fd);
  app.env_file = file;
  CHECK(has(plan(app).environment, "PORT=4711"));
  ::unlink(file.c_str());
}

TEST_CASE("a wsgi app is its interpreter with our bootstrap, told by environment what to run") {
  conf::App app;
  app.name = "shop";
  app.directory = "/";
  app.wsgi = "shop.wsgi:application";
  app.python = "/bin/sh";
  app.threads = 3;
  const SpawnPlan made = plan(app);
  CHECK(made.program == "/bin/sh");
  REQUIRE(made.arguments.size() == 3);
  CHECK(made.arguments[0] == "/bin/sh");
  CHECK(made.arguments[1] == "-c");
  CHECK(made.arguments[2].find("n=4;") != std::string::npos);
  CHECK(has(made.environment, "PORTHERD_WSGI=shop.wsgi:application"));
  CHECK(has(made.environment, "PORTHERD_THREADS=3"));
  CHECK(made.wants_listen_pid);
  REQUIRE(made.fds.size() == 5);
  CHECK((made.fds[3].fd == 11 && made.fds[3].as == 4));
  CHECK((made.fds[4].fd == 14 && made.fds[4].as == 5));
}

TEST_CASE("an asgi app is started as a wsgi app is, and named by another variable") {
  conf::App app;
  app.name = "shop";
  app.directory = "/";
  app.asgi = "shop.asgi:application";
  app.python = "/bin/sh";
  const SpawnPlan made = plan(app);
  CHECK(made.arguments.at(1) == "-c");
  CHECK(has(made.environment, "PORTHERD_ASGI=shop.asgi:application"));
  CHECK_FALSE(has_name(made.environment, "PORTHERD_WSGI"));
  CHECK_FALSE(has_name(made.environment, "PORTHERD_THREADS"));
  CHECK(has_name(made.environment, "PORTHERD_STACK_SIGNAL"));
}

TEST_CASE("a zygote is the same interpreter, told that it is one; what is a worker's own it does not get") {
  conf::App app;
  app.name = "shop";
  app.directory = "/";
  app.wsgi = "shop.wsgi:application";
  app.python = "/bin/sh";
  app.preload = true;
  app.post_fork = "shop.hooks:post_fork";
  app.env["WHERE"] = "on {fd}";
  const auto made = plan_zygote(app, kSeat, /*control=*/20, app_environment(app, kBase, {}), kNobody);
  REQUIRE(made.has_value());
  CHECK(made->arguments == plan(app).arguments);
  CHECK(has(made->environment, "PORTHERD_WSGI=shop.wsgi:application"));
  CHECK(has(made->environment, "PORTHERD_PRELOAD=1"));
  CHECK(has(made->environment, "PORTHERD_POST_FORK=shop.hooks:post_fork"));
  CHECK(has(made->environment, "WHERE=on 3"));
  for (const char* const name : {"LISTEN_FDS", "NOTIFY_SOCKET", "PORTHERD_STACK_FD"}) CHECK_FALSE(has_name(made->environment, name));
  CHECK_FALSE(made->wants_listen_pid);
  CHECK(made->death_signal == SIGTERM);
  REQUIRE(made->fds.size() == 4);
  CHECK((made->fds[2].fd == 20 && made->fds[2].as == 3));
  CHECK((made->fds[3].fd == 11 && made->fds[3].as == 4));
}

TEST_CASE("a wsgi worker prints its stacks to a pipe of its own, on a real-time signal; a command when it says on which") {
  conf::App app;
  app.name = "shop";
  app.directory = "/";
  app.wsgi = "shop.wsgi:application";
  app.python = "/bin/sh";
  const auto number = stack_signal_of(app);
  REQUIRE(number.has_value());
  CHECK((*number >= SIGRTMIN && *number <= SIGRTMAX));
  CHECK(has(plan(app).environment, "PORTHERD_STACK_SIGNAL=" + std::to_string(*number)));
  CHECK(has(plan(app).environment, "PORTHERD_STACK_FD=5"));

  app = command({"sh"});
  CHECK_FALSE(stack_signal_of(app).has_value());
  app.stack_signal = conf::Signal{SIGUSR2};
  CHECK(stack_signal_of(app) == SIGUSR2);
  CHECK_FALSE(has_name(plan(app).environment, "PORTHERD_STACK_SIGNAL"));
}

TEST_CASE("a worker gets TERM when the supervisor dies, its umask, its directory, and as root its user") {
  conf::App app = command({"sh"});
  app.directory = "/tmp";
  app.umask = conf::Umask{027};
  const SpawnPlan made = plan(app);
  CHECK(made.death_signal == SIGTERM);
  CHECK(made.directory == "/tmp");
  CHECK(made.umask == mode_t{027});
  CHECK(made.account.has_value() == is_root());
}

TEST_CASE("limits and niceness are given as far as may be, and no rights are gained unless that is said") {
  conf::Powers powers{.most = {{"nofile", 1000}, {"core", conf::kNoLimit}}, .least_nice = 0};
  conf::App app = command({"sh"});
  SpawnPlan made = plan(app);
  bound(made, app, powers);
  CHECK(made.bounds.empty());
  CHECK_FALSE(made.nice);
  CHECK_FALSE(made.may_gain_privileges);

  app.no_new_privs = false;
  app.nice = conf::Nice{-5};
  app.rlimits = {{"core", {0, 0}}, {"nofile", {500, 5000}}};
  made = plan(app);
  bound(made, app, powers);
  CHECK(made.may_gain_privileges);
  CHECK(made.nice == 0);
  REQUIRE(made.bounds.size() == 2);
  CHECK(made.bounds[0].resource == RLIMIT_CORE);
  CHECK(made.bounds[1].resource == RLIMIT_NOFILE);
  CHECK(made.bounds[1].limit.rlim_cur == 500);
  CHECK(made.bounds[1].limit.rlim_max == 1000);
}

TEST_CASE("a program that is not there is said by name, before anything is forked") {
  const auto made = plan_worker(command({"no-such-program"}), kSeat, kBase, kNobody);
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().sentence.find("no-such-program") != std::string::npos);
}

TEST_CASE("a service gets its output and a notify socket, and nothing to listen on") {
  conf::App shop = command({"sh"});
  shop.name = "shop";
  shop.env["QUEUE"] = "{port}";
  const conf::App queue = conf::service_app(shop, {.name = "queue", .command = {"sh", "-c", "{socket} $PORT"}});
  const auto plan = supervisor::plan_service(queue, {.notify = "/n", .out = 7, .err = 8}, app_environment(queue, {{"PATH", "/bin:/usr/bin"}}, {}), kNobody);
  REQUIRE(plan.has_value());
  CHECK(plan->arguments == std::vector<std::string>{"sh", "-c", "{socket} $PORT"});
  CHECK(plan->fds.size() == 2);
  CHECK_FALSE(plan->wants_listen_pid);
  CHECK(std::ranges::count(plan->environment, "NOTIFY_SOCKET=/n") == 1);
  CHECK(std::ranges::count(plan->environment, "QUEUE={port}") == 1);
  for (const std::string& variable : plan->environment) {
    CHECK_FALSE(variable.starts_with("LISTEN_"));
    CHECK_FALSE(variable.starts_with("PORT"));
  }
}

TEST_CASE("env wins over env_file, and both over the base") {
  conf::App app = command({"sh"});
  app.env["LANG"] = "de_DE.UTF-8";
  const Variables made = app_environment(app, {{"LANG", "C"}, {"TZ", "UTC"}, {"A", "base"}}, {{"LANG", "fr"}, {"A", "file"}});
  CHECK(made.at("LANG") == "de_DE.UTF-8");
  CHECK(made.at("A") == "file");
  CHECK(made.at("TZ") == "UTC");
  CHECK(made.at("PYTHONUNBUFFERED") == "1");
}

TEST_CASE("an env_file that cannot be read is an error, and no env_file says nothing") {
  conf::App app = command({"sh"});
  CHECK(supervisor::file_environment(app)->empty());
  app.env_file = "/no/such/file";
  CHECK_FALSE(supervisor::file_environment(app).has_value());
}

TEST_CASE("serve gives an app a clean environment") {
  const Variables own{{"PATH", "/opt/bin"}, {"SECRET", "x"}, {"TZ", "Europe/Berlin"}, {"HOME", "/root"}};
  CHECK(clean_environment(own, kNobody) == Variables{{"HOME", "/"},
                                                     {"LANG", "C.UTF-8"},
                                                     {"PATH", "/opt/bin"},
                                                     {"PYTHONUNBUFFERED", "1"},
                                                     {"TZ", "Europe/Berlin"},
                                                     {"USER", "nobody"}});
}

TEST_CASE("run hands its environment on, but for what was meant for us") {
  constexpr const char* kOurs[] = {
      "PORT",         "WEB_CONCURRENCY", "PORTHERD_SOCKET", "NOTIFY_SOCKET",  "LISTEN_FDS", "LISTEN_PID",       "LISTEN_FDNAMES",
      "WATCHDOG_PID", "WATCHDOG_USEC",   "INVOCATION_ID",   "JOURNAL_STREAM", "MANAGERPID", "SYSTEMD_EXEC_PID", "MAINPID"};
  constexpr const char* kTheApps[] = {"MINE", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "PORTAL"};
  for (const char* name : kOurs) ::setenv(name, "1", 1);
  for (const char* name : kTheApps) ::setenv(name, "a=b", 1);
  const Variables own = own_environment();
  for (const char* name : kTheApps) {
    CAPTURE(name);
    REQUIRE(own.contains(name));
    CHECK(own.at(name) == "a=b");
    ::unsetenv(name);
  }
  for (const char* name : kOurs) {
    CAPTURE(name);
    CHECK_FALSE(own.contains(name));
    ::unsetenv(name);
  }
}

TEST_CASE("the front gets no secret of ours") {
  CHECK(front_environment({{"PATH", "/bin"}, {"SECRET", "x"}, {"MALLOC_CONF", "y"}}) ==
        Variables{{"PATH", "/bin"}, {"MALLOC_CONF", "y"}});
  CHECK(front_environment({}).contains("MALLOC_CONF"));
}
