#include "supervisor/fence.h"

#include "doctest_precompiled.h"

namespace {

conf::Settings of(std::vector<std::string> command, const std::string& files = {}) {
  conf::Settings settings;
  conf::App& app = settings.apps.emplace_back();
  app.command = std::move(command);
  if (!files.empty()) app.routes.push_back({.files = files});
  return settings;
}

}  // namespace

TEST_CASE("only an app that is told a port is reached by TCP") {
  CHECK(supervisor::needs_tcp(of({"serve", "--port", "{port}"})));
  CHECK_FALSE(supervisor::needs_tcp(of({"serve"})));
  CHECK_FALSE(supervisor::needs_tcp({}));
}

TEST_CASE("what the front was not let do when it began takes a wider fence, and less does not") {
  using supervisor::needs_wider_fence;
  CHECK(needs_wider_fence(of({"serve"}), of({"serve", "{port}"})));
  CHECK_FALSE(needs_wider_fence(of({"serve", "{port}"}), of({"serve"})));
  CHECK(needs_wider_fence(of({"serve"}), of({"serve"}, "/srv/static")));
  CHECK(needs_wider_fence(of({"serve"}, "/srv/static"), of({"serve"}, "/srv/other")));
  CHECK_FALSE(needs_wider_fence(of({"serve"}, "/srv/static"), of({"serve"}, "/srv/static")));
  CHECK_FALSE(needs_wider_fence(of({"serve"}, "/srv/static"), of({"serve"})));
}
