#include "proxy/path_match.h"

#include "doctest_precompiled.h"

namespace {

const std::vector<conf::Route> kRoutes = [] {
  std::vector<conf::Route> routes(5);
  routes[0].path = "/static/";
  routes[1].path = "/old";
  routes[2].path = "/static/deep/";
  routes[3].path = "/a%20b/";
  routes[4].path = "/favicon.ico";
  return routes;
}();

// "route's path | what is below it", or nothing.
std::string matched(std::string_view path) {
  const auto match = proxy::match_route(kRoutes, path);
  return match ? match->route->path + "|" + std::string(match->below()) : "";
}

}  // namespace

TEST_CASE("the longest route that fits has the path") {
  CHECK(matched("/static/a.css") == "/static/|a.css");
  CHECK(matched("/static/") == "/static/|");
  CHECK(matched("/static/deep/a") == "/static/deep/|a");
  CHECK(matched("/static/deeper") == "/static/|deeper");
  CHECK(matched("/old") == "/old|");
  CHECK(matched("/old/") == "/old|");
  CHECK(matched("/old/a") == "/old|a");
  CHECK(matched("/favicon.ico") == "/favicon.ico|");
}

TEST_CASE("a path that only looks alike is the app's") {
  for (const std::string_view path : {"/", "/static", "/staticx", "/older", "/Static/a", "/static%2Fa",
                                      "//static/a", "/x/static/", "/./static/a", "*", ""}) {
    CAPTURE(path);
    CHECK(matched(path).empty());
  }
}

TEST_CASE("percent-encoding makes no other path of one") {
  CHECK(matched("/%73tatic/a") == "/static/|a");
  CHECK(matched("/stati%63/%61") == "/static/|%61");
  CHECK(matched("/a%20b/c") == "/a%20b/|c");
  CHECK(matched("/%6fld") == "/old|");
  CHECK(matched("/old%2Fa").empty());
  CHECK(matched("/stati%").empty());
  CHECK(matched("/stati%6").empty());
}

TEST_CASE("a second slash belongs to what is below") {
  CHECK(matched("/static//a") == "/static/|/a");
  CHECK(matched("/old//a") == "/old|/a");
}
