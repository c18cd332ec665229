#include "conf/powers.h"

#include <sys/resource.h>
#include <unistd.h>

#include "doctest_precompiled.h"

using namespace runtime::literals;
using conf::App;
using conf::Powers;
using conf::Withheld;

namespace {

Powers of_root() {
  return {.is_root = true, .user = "root", .group = "root", .most = {{"nofile", 1000}, {"nproc", conf::kNoLimit}, {"as", conf::kNoLimit}}, .least_nice = -20};
}
Powers of_nobody() {
  Powers powers = of_root();
  powers.is_root = false;
  powers.user = powers.group = "www";
  powers.least_nice = 0;
  return powers;
}

}  // namespace

TEST_CASE("root can give all but what the kernel or its own hard limits bound") {
  App app;
  app.user = "shop";
  app.group = "web";
  app.nice = conf::Nice{-20};
  app.rlimits = {{"nofile", {500, 1000}}, {"nproc", {10, 10}}, {"as", {1_GiB, conf::kNoLimit}}};
  CHECK(withheld(app, of_root()).empty());
  CHECK(given_rlimits(app, of_root()) == app.rlimits);

  app.rlimits["nofile"] = {conf::kNoLimit, conf::kNoLimit};
  CHECK(withheld(app, of_root()) ==
        std::vector<Withheld>{{"rlimits", "`nofile` is \"infinity\", and 1000 is the most that can be given here: raise our own hard limit (`ulimit -H`; "
                                          "LimitNOFILE= of a systemd unit)"}});
  CHECK(given_rlimits(app, of_root()).at("nofile") == conf::Rlimit{1000, 1000});
}

TEST_CASE("who is not root becomes nobody else, and is not nicer to an app than to itself") {
  App app;
  app.user = "shop";
  app.group = "web";
  app.nice = conf::Nice{-1};
  CHECK(withheld(app, of_nobody()) ==
        std::vector<Withheld>{{"user", "`user` is \"shop\", and only root can become another than \"www\""},
                              {"group", "`group` is \"web\", and only root can become another than \"www\""},
                              {"nice", "`nice` is -1, and 0 is the least that can be given here: it takes root's CAP_SYS_NICE"}});
  CHECK(given_nice(app, of_nobody()) == conf::Nice{0});
  app.user = app.group = "www";  // who it is
  app.nice = conf::Nice{7};
  CHECK(withheld(app, of_nobody()).empty());
  CHECK(given_nice(app, of_nobody()) == conf::Nice{7});
  CHECK_FALSE(given_nice(App(), of_nobody()));
}

TEST_CASE("time on the CPU that is over is said before it is too late") {
  App app;
  Powers powers = of_root();
  powers.most["cpu"] = conf::kNoLimit;
  app.rlimits = {{"cpu", {60, 60}}};
  CHECK(given_rlimits(app, powers).at("cpu") == conf::Rlimit{60, 61});
  app.rlimits = {{"cpu", {60, 90}}};
  CHECK(given_rlimits(app, powers).at("cpu") == conf::Rlimit{60, 90});
  app.rlimits = {{"cpu", {conf::kNoLimit, conf::kNoLimit}}};
  CHECK(given_rlimits(app, powers).at("cpu") == conf::Rlimit{});
}

TEST_CASE("that the number of processes is not bounded for root is said") {
  App app;
  app.rlimits = {{"nproc", {10, 10}}};
  CHECK(withheld(app, of_root()).size() == 1);
  app.user = "root";
  CHECK(withheld(app, of_root()).size() == 1);
  app.user = "shop";
  CHECK(withheld(app, of_root()).empty());
  app.user = "";
  CHECK(withheld(app, of_nobody()).empty());
}

TEST_CASE("looking at what we may do changes nothing of ours") {
  rlimit before{}, after{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const int nice = ::getpriority(PRIO_PROCESS, 0);
  const Powers powers = conf::own_powers();
  ::getrlimit(RLIMIT_NOFILE, &after);
  CHECK(before.rlim_cur == after.rlim_cur);
  CHECK(before.rlim_max == after.rlim_max);
  CHECK(::getpriority(PRIO_PROCESS, 0) == nice);
  CHECK(powers.most.at("nofile") >= before.rlim_max);
  CHECK(powers.least_nice <= nice);
  CHECK(powers.is_root == (::geteuid() == 0));
}
