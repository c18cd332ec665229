#include "runtime/memory_text.h"

#include <unistd.h>

#include "doctest_precompiled.h"

using namespace runtime;

TEST_CASE("a text comes out of memory as it went in, as often as it is asked for, and nobody changes it") {
  for (const std::string& text : {std::string(), std::string("a\0b", 3), std::string(300'000, 'x')}) {
    const auto memory = to_memory("test", text);
    REQUIRE(memory.has_value());
    CHECK(from_memory(memory->get(), 300'000) == text);
    CHECK(from_memory(memory->get(), 300'000) == text);
    CHECK(::pwrite(memory->get(), "y", 1, 0) == -1);
    CHECK(::ftruncate(memory->get(), 1'000'000) == -1);
  }
}

TEST_CASE("more than is allowed is not read, and what is no file neither") {
  const auto memory = to_memory("test", "four");
  REQUIRE(memory.has_value());
  CHECK(from_memory(memory->get(), 4).has_value());
  CHECK(from_memory(memory->get(), 3).error().code == Code::kProtocol);
  CHECK(from_memory(-1, 4).error().code == Code::kSystem);
}
