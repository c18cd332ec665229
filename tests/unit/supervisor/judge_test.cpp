#include "supervisor/judge.h"

#include <csignal>

#include "doctest_precompiled.h"

using namespace supervisor;

namespace {

std::string refusal(const Exit& exit, std::string_view out, std::string_view err) {
  const auto verdict = verdict_of("/opt/portherd", exit, out, err);
  return verdict ? "" : verdict.error().text();
}

}  // namespace

TEST_CASE("a program that says its version and ends well can go on") {
  CHECK(verdict_of("/opt/portherd", {}, "portherd 0.1.1\n", "") == "0.1.1");
}

TEST_CASE("a program that ends well and does not say who it is is another one") {
  CHECK(refusal({}, "", "") == "/opt/portherd is not portherd: it does not say so when it is asked");
  CHECK(refusal({}, "hello\n", "portherd 0.1.1\n") == refusal({}, "", ""));
}

TEST_CASE("a program that ends otherwise cannot, for the reason that it gives, or without one") {
  CHECK(refusal({.number = 1}, "portherd 0.1.1\n", "portherd: the moon is full\n") ==
        "/opt/portherd cannot go on here: the moon is full");
  CHECK(refusal({.number = 3}, "", "") == "/opt/portherd cannot go on here: exit status 3 without a word");
  CHECK(refusal({.is_signal = true, .number = SIGSEGV}, "", "\n") ==
        "/opt/portherd cannot go on here: crashed (SIGSEGV) without a word");
}
