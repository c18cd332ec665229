// A whole HTTP/2 connection, from its preface to its end, and the app behind it: whatever a client says,
// nothing is left of it, and what it hears is made of frames. First byte: how the bytes are cut; second: how
// the app behaves; third: 1: the client takes nothing, 2: it closes its side before it leaves, 4: the fuzzer
// says the preface, too.
#include "fuzz/front.h"

namespace {

constexpr std::string_view kPreface{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
                                    33};                      // and empty SETTINGS
constexpr std::size_t kFrameHead = 9, kLargestFrame = 16384;  // RFC 9113 4.1, 4.2

void expect_frames(std::string_view bytes) {
  while (bytes.size() >= kFrameHead) {
    const auto byte = [&bytes](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    const std::size_t size =
        static_cast<std::size_t>(byte(0)) << 16 | static_cast<std::size_t>(byte(1)) << 8 | byte(2);
    fuzz::expect(size <= kLargestFrame, "a frame is not larger than the client has allowed");
    fuzz::expect(byte(3) <= 0x9 && (byte(5) & 0x80) == 0, "a frame is of a known type, on a stream");
    if (bytes.size() < kFrameHead + size) return;
    bytes.remove_prefix(kFrameHead + size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view said = fuzz::text_of(data + 3, size - 3);
  std::vector<std::string_view> pieces = fuzz::pieces_of(said, data[0]);
  const bool has_preface = (data[2] & 4) == 0;
  if (has_preface) pieces.insert(pieces.begin(), kPreface);
  const fuzz::Script& script = fuzz::scripts()[data[1] % fuzz::scripts().size()];
  const std::string received =
      fuzz::Front::get().play(pieces, script, (data[2] & 1) == 0, (data[2] & 2) != 0);
  if (has_preface) expect_frames(received);
  return 0;
}
