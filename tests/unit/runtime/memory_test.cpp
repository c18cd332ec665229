#include "runtime/memory.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <vector>

#include "runtime/clock.h"
#include "runtime/machine.h"

extern "C" [[gnu::weak]] int mallctl(const char* name, void* old, std::size_t* old_size, void* value, std::size_t size);

TEST_CASE("freed memory goes back to the machine though nobody allocates any more") {
  constexpr std::size_t kBlock = 1 << 20, kBlocks = 100;
  if (mallctl == nullptr) {
    MESSAGE("another allocator than jemalloc: nothing to try");
    return;
  }
  ssize_t decay = 100;  // milliseconds
  unsigned arena = 0;
  std::size_t size = sizeof arena;
  REQUIRE(mallctl("thread.arena", &arena, &size, nullptr, 0) == 0);
  const std::string name = fmt::format("arena.{}.dirty_decay_ms", arena);
  REQUIRE(mallctl(name.c_str(), nullptr, nullptr, &decay, sizeof decay) == 0);
  std::vector<std::unique_ptr<char[]>> blocks;
  for (std::size_t i = 0; i < kBlocks; ++i) {
    blocks.push_back(std::make_unique_for_overwrite<char[]>(kBlock));
    std::memset(blocks.back().get(), 'x', kBlock);
  }
  const auto held = runtime::resident_memory(::getpid()).value();
  for (auto& block : blocks) block.reset();
  const auto until = runtime::Clock::now() + std::chrono::seconds(30);
  while (runtime::resident_memory(::getpid()).value() + kBlocks / 2 * kBlock > held && runtime::Clock::now() < until) {
    runtime::give_back_memory();
  }
  CHECK(runtime::resident_memory(::getpid()).value() + kBlocks / 2 * kBlock <= held);
}
