#include "proxy/h2_memory.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

using namespace proxy;

namespace {

constexpr std::size_t kFrameBuffer = 16'394;  // nghttp2's: 9 bytes of frame header, one of padding's length, 16 KiB

/// How many of its whole pages are there; mincore(2).
std::size_t resident_pages(void* made, std::size_t size) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::array<unsigned char, 16> pages{};
  REQUIRE(::mincore(made, size, pages.data()) == 0);
  std::size_t there = 0;
  for (std::size_t i = 0; i < (size + page - 1) / page; ++i) there += pages[i] & 1;
  return there;
}

}  // namespace

TEST_CASE("a buffer for frames begins untouched, whoever had its memory before") {
  nghttp2_mem& memory = *h2_memory();
  std::vector<void*> used;
  for (int i = 0; i < 50; ++i) {
    used.push_back(memory.malloc(kFrameBuffer, nullptr));
    REQUIRE(used.back() != nullptr);
    std::memset(used.back(), 'x', kFrameBuffer);
    CHECK(resident_pages(used.back(), kFrameBuffer) == 5);
  }
  for (void* const one : used) memory.free(one, nullptr);
  for (void*& one : used) {
    one = memory.realloc(nullptr, kFrameBuffer, nullptr);
    CHECK(resident_pages(one, kFrameBuffer) == 0);
    std::memset(one, 'y', 100);
    CHECK(resident_pages(one, kFrameBuffer) == 1);
  }
  for (void* const one : used) memory.free(one, nullptr);
}

TEST_CASE("anything smaller is the allocator's, and what grows keeps its bytes") {
  nghttp2_mem& memory = *h2_memory();
  auto* grown = static_cast<char*>(memory.malloc(100, nullptr));
  std::memset(grown, 'x', 100);
  grown = static_cast<char*>(memory.realloc(grown, 100'000, nullptr));
  CHECK(std::string_view(grown, 100) == std::string(100, 'x'));
  memory.free(grown, nullptr);
  auto* const zeroed = static_cast<char*>(memory.calloc(30, 10, nullptr));
  CHECK(std::string_view(zeroed, 300) == std::string(300, '\0'));
  memory.free(zeroed, nullptr);
}
