// https://www.w3.org/TR/trace-context/, 3.2.
#include "proxy/traceparent.h"

#include <doctest/doctest.h>

#include <string>

using proxy::is_traceparent;

TEST_CASE("a traceparent is version, trace-id, parent-id and flags") {
  CHECK(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  CHECK(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"));
}

TEST_CASE("one of a version that is not known yet may have more behind its flags") {
  CHECK(is_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  CHECK(is_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes"));
  CHECK_FALSE(is_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what"));
  CHECK_FALSE(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes"));
  CHECK_FALSE(is_traceparent("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
}

TEST_CASE("what is none") {
  for (const char* const text : {"",
                                 "00",
                                 "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                 "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                 "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                 "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                                 "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
                                 "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-701",
                                 "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                 "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
                                 "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01-"}) {
    CAPTURE(text);
    CHECK_FALSE(is_traceparent(text));
  }
}

TEST_CASE("one that we make is one") {
  char text[proxy::kTraceparent];
  char* const end = proxy::put_traceparent(text, "4bf92f3577b34da6a3ce929d0e0e4736", 0x00f067aa0ba902b7);
  REQUIRE(end == text + sizeof text);
  CHECK(std::string(text, end) == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  CHECK(is_traceparent({text, sizeof text}));
}
