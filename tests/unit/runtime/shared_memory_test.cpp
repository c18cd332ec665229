#include "runtime/shared_memory.h"

#include <sys/mman.h>

#include "doctest_precompiled.h"

using runtime::SharedMemory;

namespace {
struct Pair {
  int first, second;
};
}  // namespace

TEST_CASE("what one mapping writes, another reads") {
  const auto made = SharedMemory<Pair>::make("test", /*others_may_write=*/true);
  REQUIRE(made.has_value());
  CHECK((*made)->first == 0);
  const auto other = SharedMemory<Pair>::adopt(runtime::duplicate(made->fd()));
  REQUIRE(other.has_value());
  (*other)->second = 7;
  CHECK((*made)->second == 7);
}

TEST_CASE("what is ours alone can be mapped by others only to read") {
  const auto made = SharedMemory<Pair>::make("test", /*others_may_write=*/false);
  REQUIRE(made.has_value());
  (*made)->first = 3;
  CHECK_FALSE(SharedMemory<Pair>::adopt(runtime::duplicate(made->fd())).has_value());
  CHECK(::pwrite(made->fd(), "x", 1, 0) == -1);
  const auto reader = SharedMemory<const Pair>::adopt(runtime::duplicate(made->fd()));
  REQUIRE(reader.has_value());
  CHECK((*reader)->first == 3);
  CHECK(::mprotect(const_cast<Pair*>(&**reader), sizeof(Pair), PROT_READ | PROT_WRITE) != 0);
  (*made)->first = 4;
  CHECK((*reader)->first == 4);
}

TEST_CASE("memory of another size is of another version") {
  const auto made = SharedMemory<Pair>::make("test", true);
  REQUIRE(made.has_value());
  const auto other = SharedMemory<int>::adopt(runtime::duplicate(made->fd()));
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().code == runtime::Code::kProtocol);
}
