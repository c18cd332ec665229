#include "supervisor/reload.h"

#include "conf/load.h"
#include "doctest_precompiled.h"

using supervisor::AppStep;

namespace {

conf::Settings settings_of(std::string_view app) {
  conf::Loaded loaded = conf::load_text(app, "test");
  REQUIRE(loaded.problems.empty());
  return std::move(loaded.settings);
}

AppStep step(std::string_view now, std::string_view next) {
  const conf::Settings old = settings_of("[apps.a]\n" + std::string(now));
  const conf::Settings fresh = settings_of("[apps.a]\n" + std::string(next));
  return supervisor::step_for(old.apps.front(), fresh.apps.front(), conf::diff(old, fresh));
}

}  // namespace

TEST_CASE("an app is touched as little as its change allows") {
  CHECK(step("command = ['a']\n", "command = ['a']\n") == AppStep::kNothing);
  CHECK(step("command = ['a']\n", "command = ['a']\nqueue_timeout = '3s'\n") == AppStep::kAmend);
  CHECK(step("command = ['a']\n", "command = ['a']\nworkers = 3\n") == AppStep::kAmend);
  CHECK(step("command = ['a']\n", "command = ['a']\nroutes = [{ path = '/x', redirect = '/y' }]\n") == AppStep::kAmend);
  CHECK(step("command = ['a']\n", "command = ['a']\nenv = { A = 'b' }\n") == AppStep::kRelease);
  CHECK(step("command = ['a']\n", "wsgi = 'a:b'\n") == AppStep::kRelease);
  CHECK(step("proxy = ['unix:/a']\n", "proxy = ['unix:/a', 'unix:/b']\n") == AppStep::kRelease);
}

TEST_CASE("an app whose processes were ours, and are not, or the other way round, is another one by the same name") {
  CHECK(step("command = ['a']\n", "proxy = ['unix:/a']\n") == AppStep::kRenew);
  CHECK(step("proxy = ['unix:/a']\n", "command = ['a']\n") == AppStep::kRenew);
  CHECK(step("proxy = ['unix:/a']\n", "routes = [{ path = '/', redirect = '/y' }]\n") == AppStep::kRenew);
}

TEST_CASE("what only a restart can bring stays as it is") {
  const conf::Settings now = settings_of("[front]\nthreads = 2\nuser = 'web'\nmax_fields = 50\n[control]\ngroup = 'adm'\n");
  const conf::Settings next = settings_of("[front]\nthreads = 3\nmax_fields = 60\n[control]\nsocket = '/x'\n");
  const conf::Settings taken = supervisor::without_restart(next, now);
  CHECK(taken.front.threads == now.front.threads);
  CHECK(taken.front.user == "web");
  CHECK(taken.control == now.control);
  CHECK(taken.front.max_fields == 60);
}
