#include "conf/path_match.h"

#include <doctest/doctest.h>

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
  const auto match = conf::match_route(kRoutes, path);
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

TEST_CASE("a path that no client asks for is known") {
  for (const std::string_view path : {"/", "/a", "/a/", "//a", "/a%20b", "/.well-known/x", "/...", "/a..", "/%2F"}) {
    CAPTURE(path);
    CHECK(conf::why_unmatchable(path).empty());
  }
  for (const std::string_view path : {"/%zz", "/a%", "/%4", "/a/../b", "/./a", "/a/..", "/%2e%2E/a", "/.%2e"}) {
    CAPTURE(path);
    CHECK_FALSE(conf::why_unmatchable(path).empty());
  }
}

TEST_CASE("a redirect that comes back to its own route is known") {
  const auto leads_to_itself = [](std::string path, std::string redirect, bool keep_path, std::string other = "/other") {
    const std::vector<conf::Route> routes{{.path = std::move(path), .redirect = std::move(redirect), .keep_path = keep_path},
                                          {.path = std::move(other), .files = "/srv"}};
    return conf::leads_to_itself(routes, routes[0]);
  };
  CHECK(leads_to_itself("/a", "/a", true));
  CHECK(leads_to_itself("/a", "/a", false));
  CHECK(leads_to_itself("/a", "/a/b", true));
  CHECK(leads_to_itself("/a", "/%61/b?x", false));
  CHECK(leads_to_itself("/", "/b", false));
  CHECK(leads_to_itself("/a/", "/a", true));  // "/a/x" is sent to "/a/x"
  CHECK_FALSE(leads_to_itself("/a/", "/a", false));
  CHECK_FALSE(leads_to_itself("/a", "/b", true));
  CHECK_FALSE(leads_to_itself("/a", "/ab", true));
  CHECK_FALSE(leads_to_itself("/", "/other/", true, "/other/"));
  CHECK_FALSE(leads_to_itself("/a", "/a/b", true, "/a/b"));
  CHECK_FALSE(leads_to_itself("/a", "https://a.example/a", true));
}
