// What a fuzz target holds to be true of every input. A breach ends the program, as a sanitizer's report
// would.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "unit/feed.h"
#include "upstream/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

inline void expect(bool is_true, const char* sentence) {
  if (is_true) return;
  std::fprintf(stderr, "not true: %s\n", sentence);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {static_cast<const char*>(static_cast<const void*>(data)), size};
}

/// `wire` in pieces whose sizes are made from `seed`; 0: whole.
inline std::vector<std::string_view> pieces_of(std::string_view wire, unsigned seed) {
  std::vector<std::string_view> pieces;
  for (unsigned state = seed; !wire.empty();) {
    state = state * 1103515245 + 12345;
    const std::size_t n = seed == 0 ? wire.size() : 1 + (state >> 16) % (seed % 32 + 1);
    pieces.push_back(wire.substr(0, n));
    wire.remove_prefix(pieces.back().size());
  }
  return pieces;
}

/// A view of a head lies in the memory that the caller keeps, or is a literal of one character ("*", "/").
inline void expect_inside(std::string_view view, const runtime::Chunk& chunk) {
  const char* const begin = chunk.data();
  const bool is_inside = view.data() >= begin && view.data() + view.size() <= begin + chunk.capacity();
  expect(view.size() <= 1 || is_inside, "a view of a head looks into the chunk");
}

inline void append(std::string& text, const upstream::Fields& fields) {
  for (const upstream::Field& field : fields) {
    text.append(field.name).append(": ").append(field.value).append("\n");
  }
}

}  // namespace fuzz
