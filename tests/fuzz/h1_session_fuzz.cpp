// A whole HTTP/1.1 connection and the app behind it: whatever a client says, nothing is left of it. First
// byte: how the bytes are cut; second: how the app behaves; third: 1: the client takes nothing, 2: it closes
// its side before it leaves.
#include "fuzz/front.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view said = fuzz::text_of(data + 3, size - 3);
  const fuzz::Script& script = fuzz::scripts()[data[1] % fuzz::scripts().size()];
  const std::string received =
      fuzz::Front::get().play(fuzz::pieces_of(said, data[0]), script, (data[2] & 1) == 0, (data[2] & 2) != 0);
  if (said.starts_with("PRI ")) return 0;
  fuzz::expect(received.empty() || received.starts_with("HTTP/1.1 "), "what a client hears is an answer");
  return 0;
}
