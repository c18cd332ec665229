// Where the frames of a WebSocket end: it is the same however the bytes come, and where one ends a plain reading of RFC 6455 5.2
// ends one, too. First byte: how they are cut.
#include "fuzz/expect.h"
#include "proxy/websocket_frames.h"

namespace {

/// Every place behind which a frame has ended, and how it stands at the end: nothing is known, Close has come, or neither.
struct Ends {
  std::vector<std::size_t> at;
  bool is_counting = true, has_closed = false;
  bool operator==(const Ends&) const = default;
};

Ends count(const std::vector<std::string_view>& pieces) {
  proxy::WebsocketFrames frames;
  frames.begin();
  Ends ends;
  std::size_t counted = 0;
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      const bool had_closed = frames.has_closed();
      const std::size_t n = frames.next(piece);
      fuzz::expect(n > 0 && n <= piece.size(), "it goes on, and not beyond what there is");
      counted += n;
      piece.remove_prefix(n);
      fuzz::expect(frames.is_counting() || piece.empty(), "what is no frame goes through as it is");
      fuzz::expect(!had_closed || frames.has_closed(), "Close is the last word");
      if (frames.is_between_frames() && !had_closed) ends.at.push_back(counted);
    }
  }
  ends.is_counting = frames.is_counting();
  ends.has_closed = frames.has_closed();
  return ends;
}

/// All at once, with the whole of a head in hand.
Ends read(std::string_view wire) {
  Ends ends;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(wire[i]); };
  for (std::size_t at = 0; at < wire.size();) {
    const bool is_control = (byte(at) & 8) != 0;
    ends.is_counting = (byte(at) & 7) < 3 && (!is_control || byte(at) >= 128);
    if (!ends.is_counting || at + 1 == wire.size()) return ends;
    const std::uint8_t said = byte(at + 1);
    ends.is_counting = said < 128 && (!is_control || said < 126);
    if (!ends.is_counting) return ends;
    const std::size_t more = said < 126 ? 0 : said == 126 ? 2 : 8;
    if (at + 2 + more > wire.size()) return ends;
    std::uint64_t length = more == 0 ? said : 0;
    for (std::size_t i = 0; i < more; ++i) length = length * 256 + byte(at + 2 + i);
    ends.is_counting = (more != 2 || length > 125) && (more != 8 || (length > 65535 && length >> 63 == 0));
    if (!ends.is_counting || length > wire.size() - at - 2 - more) return ends;
    ends.has_closed = (byte(at) & 15) == 8;
    at += 2 + more + length;
    ends.at.push_back(at);
    if (ends.has_closed) return ends;
  }
  return ends;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view wire = fuzz::text_of(data + 1, size - 1);
  const Ends whole = count(fuzz::pieces_of(wire, 0));
  fuzz::expect(whole == count(fuzz::pieces_of(wire, data[0])), "how bytes come does not matter");
  fuzz::expect(whole == read(wire), "frames end where RFC 6455 says");
  return 0;
}
