#include "proxy/redirect.h"

#include "doctest_precompiled.h"

namespace {

std::string sent_to(std::string_view redirect, std::string_view rest, std::string_view query = "",
                    bool keep_path = true) {
  conf::Route route;
  route.redirect = redirect;
  route.keep_path = keep_path;
  return proxy::redirect_target(route, rest, query);
}

}  // namespace

TEST_CASE("what follows the route's path is put behind the redirect") {
  CHECK(sent_to("https://a.example/", "b/c") == "https://a.example/b/c");
  CHECK(sent_to("https://a.example/", "b/c", "d=e") == "https://a.example/b/c?d=e");
  CHECK(sent_to("https://a.example/new", "/b") == "https://a.example/new/b");
  CHECK(sent_to("https://a.example/new", "") == "https://a.example/new");
  CHECK(sent_to("https://a.example/new", "/") == "https://a.example/new/");
  CHECK(sent_to("/new/", "%C3%BC%2Fb") == "/new/%C3%BC%2Fb");  // as it came
  CHECK(sent_to("/new", "", "a=b") == "/new?a=b");
}

TEST_CASE("without keep_path all go to one place") {
  CHECK(sent_to("https://a.example/x?y=1", "b/c", "d=e", false) == "https://a.example/x?y=1");
}

TEST_CASE("a path never becomes a host") {
  CHECK(sent_to("https://a.example", ".evil.example/") == "https://a.example/.evil.example/");
  CHECK(sent_to("https://a.example", "@evil.example") == "https://a.example/@evil.example");
  CHECK(sent_to("https://a.example", ":8080/") == "https://a.example/:8080/");
  CHECK(sent_to("/", "/evil.example") == "/evil.example");
  CHECK(sent_to("/", "//evil.example") == "/evil.example");
  CHECK(sent_to("/", "\\evil.example") == "/evil.example");
  CHECK(sent_to("/", "/\\/evil.example") == "/evil.example");
}

TEST_CASE("a folder is asked for again with its slash") {
  CHECK(proxy::folder_target("/a/b", "") == "/a/b/");
  CHECK(proxy::folder_target("/a/b", "c=d") == "/a/b/?c=d");
}
