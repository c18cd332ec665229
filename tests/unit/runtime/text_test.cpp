#include "runtime/text.h"

#include "doctest_precompiled.h"

using namespace runtime;

TEST_CASE("the nearest word has at most a third of its letters wrong") {
  const std::vector<std::string_view> known = {"restart", "reload", "status"};
  CHECK(nearest("relaod", known) == "reload");
  CHECK(nearest("restrat", known) == "restart");
  CHECK(nearest("stauts", known) == "status");
  CHECK(nearest("dance", known) == std::nullopt);
  CHECK(nearest("", known) == std::nullopt);
  CHECK(nearest("reload", {}) == std::nullopt);
  CHECK(nearest(std::string(1000, 'r'), known) == std::nullopt);
}

TEST_CASE("text for a manual page: what would be markup there is plain, what is code is bold") {
  CHECK(runtime::scdoc("plain, 1 < 2 [x]") == "plain, 1 < 2 [x]");
  CHECK(runtime::scdoc("max_head of *.example") == "max\\_head of \\*.example");
  CHECK(runtime::scdoc("see `max_head`") == "see *max\\_head*");
  CHECK(runtime::scdoc("C:\\") == "C:\\\\");
}
