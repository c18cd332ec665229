#include "proxy/file_path.h"

#include "doctest_precompiled.h"

using proxy::file_path;
using namespace std::string_view_literals;

TEST_CASE("a name is the path, percent-decoded") {
  CHECK(file_path("") == "");
  CHECK(file_path("a.css") == "a.css");
  CHECK(file_path("a/b/c.css") == "a/b/c.css");
  CHECK(file_path("a/") == "a");
  CHECK(file_path("%61%2ecss") == "a.css");
  CHECK(file_path("gr%C3%BC%C3%9Fe%20.txt") == "grüße .txt");
  CHECK(file_path("100%25") == "100%");
  CHECK(file_path("a%252e") == "a%2e");           // decoded once
  CHECK(file_path("a..b/...c") == std::nullopt);  // "...c" begins with a dot
  CHECK(file_path("a..b/c...") == "a..b/c...");
  CHECK(file_path("a?b") == "a?b");  // there is none in a path; were there one, it would be part of a name
  CHECK(file_path("a\\b") == "a\\b");
}

TEST_CASE("no file is meant by a path that tries to leave, or to be taken for another") {
  for (const std::string_view hostile : {
           "..",       "../a",       "a/..", "a/../b",   "a/../../b", "%2e%2e",     "%2E%2e/a",
           ".%2e/a",   "a/%2e%2e/b", ".",    "./a",      "a/./b",     "%2e/a",      "/",
           "/a",       "//a",        "a//b", "a//",      "a%2fb",     "a%2F..%2Fb", "%2fetc%2fpasswd",
           "%2F",      "a%00",       "%00",  "a%00.css", "a%",        "a%2",        "a%g0",
           "%%61",
           "..%c0%af",  // UTF-8 in more bytes than it needs is no slash to us
       }) {
    CAPTURE(hostile);
    CHECK(file_path(hostile) == std::nullopt);
  }
  CHECK(file_path("a\0b"sv) == std::nullopt);
}

TEST_CASE("names that begin with a dot are hidden, but for /.well-known/") {
  for (const std::string_view hidden : {".git", ".git/config", "a/.htaccess", "a/.b/c", "%2egit/config",
                                        "a/%2Eenv", ".well-known2", "a/.well-known/x"}) {
    CAPTURE(hidden);
    CHECK(file_path(hidden) == std::nullopt);
  }
  CHECK(file_path(".well-known/security.txt") == ".well-known/security.txt");  // RFC 9116 3
  CHECK(file_path("%2ewell-known/x") == ".well-known/x");
  CHECK(file_path(".well-known/.git") == std::nullopt);
}

TEST_CASE("a path longer than any file's is no name") {
  CHECK(file_path(std::string(4000, 'a')).has_value());
  CHECK(file_path(std::string(4096, 'a')) == std::nullopt);
}
