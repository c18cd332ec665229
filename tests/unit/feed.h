// Bytes for readers, in pieces: whole, cut once at every place, and one by one. What a reader makes of them
// must not depend on it.
#pragma once
#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/buffer.h"

namespace feed {

inline void fill(runtime::InBuffer& in, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = in.room();
    const std::size_t n = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), n);
    in.added(n);
    bytes.remove_prefix(n);
  }
}

/// Every way to cut `wire` in two, and into single bytes; at first not at all.
inline std::vector<std::vector<std::string_view>> cuts(std::string_view wire) {
  std::vector<std::vector<std::string_view>> all{{wire}};
  for (std::size_t i = 1; i < wire.size(); ++i) all.push_back({wire.substr(0, i), wire.substr(i)});
  all.emplace_back();
  for (std::size_t i = 0; i < wire.size(); ++i) all.back().push_back(wire.substr(i, 1));
  return all;
}

/// All the bytes of a queue.
inline std::string text_of(const runtime::ByteQueue& queue) {
  std::string text(queue.size(), '\0');
  queue.peek(text.data(), text.size());
  return text;
}

}  // namespace feed
