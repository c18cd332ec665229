#include "runtime/buffer.h"

#include <array>
#include <string>

#include "doctest_precompiled.h"

namespace {

using runtime::ByteQueue;
using runtime::Chunk;
using runtime::InBuffer;
using runtime::Slice;

void put(InBuffer& in, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = in.room();
    const std::size_t n = std::min(room.size(), bytes.size());
    std::copy_n(bytes.data(), n, room.data());
    in.added(n);
    bytes.remove_prefix(n);
  }
}

std::string all(const ByteQueue& queue) {
  std::string text(queue.size(), '\0');
  queue.peek(text.data(), text.size());
  return text;
}

}  // namespace

TEST_CASE("input stays contiguous however long it grows") {
  InBuffer in;
  std::string text;
  for (int i = 0; i < 20000; ++i) text += static_cast<char>('a' + i % 26);
  for (std::size_t i = 0; i < text.size(); i += 777) put(in, std::string_view(text).substr(i, 777));
  CHECK(in.bytes() == text);
}

TEST_CASE("a slice keeps its bytes whatever the buffer does next") {
  InBuffer in;
  put(in, "head and body");
  const Slice head = in.take(4);
  in.consume(5);
  const std::string more(Chunk::kBlock * 2, 'x');
  put(in, more);
  CHECK(head.view() == "head");
  CHECK(in.bytes() == "body" + more);
}

TEST_CASE("an empty buffer holds no memory after rest()") {
  const auto before = runtime::buffered_bytes();
  {
    InBuffer in;
    put(in, "x");
    CHECK(runtime::buffered_bytes() > before);
    in.consume(1);
    in.rest();
    CHECK(runtime::buffered_bytes() == before);
  }
  CHECK(runtime::buffered_bytes() == before);
}

TEST_CASE("a queue gives back what was put in, in order, small and large, and counts it") {
  ByteQueue queue;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string small(static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
    queue.append_copy(small);
    expected += small;
    Chunk chunk = Chunk::make();
    std::fill_n(chunk.data(), 2000, 'L');
    queue.append({chunk, chunk.data(), 2000});
    expected += std::string(2000, 'L');
  }
  CHECK(queue.size() == expected.size());
  CHECK(all(queue) == expected);
  for (std::size_t dropped = 0; dropped < expected.size();) {
    std::array<iovec, 3> parts;
    const std::size_t filled = queue.front(parts, 5000);
    std::size_t n = 0;
    for (std::size_t i = 0; i < filled; ++i) {
      CHECK(std::string_view(static_cast<char*>(parts[i].iov_base), parts[i].iov_len) ==
            std::string_view(expected).substr(dropped + n, parts[i].iov_len));
      n += parts[i].iov_len;
    }
    REQUIRE(n > 0);
    n = std::max<std::size_t>(1, n / 2 + 1);
    queue.drop(n);
    dropped += n;
  }
  CHECK(queue.is_empty());
}

TEST_CASE("at() finds the byte at an offset") {
  ByteQueue queue;
  Chunk chunk = Chunk::make();
  std::fill_n(chunk.data(), 1500, 'L');
  queue.append_copy("abc");
  queue.append({chunk, chunk.data(), 1500});
  queue.append_copy("xyz");
  CHECK(queue.at(1).view() == "bc");
  CHECK(queue.at(3).size == 1500);
  CHECK(queue.at(1504).view() == "yz");
  CHECK(queue.at(1506).size == 0);
}

TEST_CASE("chunks come from the pool and go back to it") {
  const char* first = nullptr;
  {
    const Chunk chunk = Chunk::make();
    first = chunk.data();
  }
  const Chunk again = Chunk::make();
  CHECK(again.data() == first);
  CHECK(Chunk::make(Chunk::kBlock * 3).capacity() >= Chunk::kBlock * 3);
}
