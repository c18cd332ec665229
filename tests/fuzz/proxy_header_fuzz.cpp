// The PROXY protocol's header: bounded, takes nothing of what follows, and the same however the bytes come.
// First byte: how they are cut.
#include "proxy/proxy_header.h"

#include "fuzz/expect.h"

namespace {

using proxy::ProxyHeader;
using Step = ProxyHeader::Step;

std::string read(const std::vector<std::string_view>& pieces) {
  ProxyHeader header;
  runtime::Bytes taken = 0;
  for (const std::string_view piece : pieces) {
    runtime::Bytes used = 0;
    const Step step = header.next(piece, used);
    taken += used;
    fuzz::expect(used <= piece.size(), "no more is taken than there is");
    fuzz::expect(taken <= ProxyHeader::kLongestBlock, "a header is bounded");
    if (step == Step::kMore) {
      fuzz::expect(used == piece.size(), "whoever wants more has taken all");
      continue;
    }
    if (step == Step::kBroken) {
      fuzz::expect(!header.complaint().empty(), "a refusal says why");
      return "broken: " + std::string(header.complaint());
    }
    const bool is_client = header.from() == ProxyHeader::From::kClient;
    return std::to_string(static_cast<int>(header.from())) + " " + std::to_string(taken) +
           (is_client ? " " + header.client().text() + " " + std::to_string(header.client().port) : "");
  }
  return "more";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view wire = fuzz::text_of(data + 1, size - 1);
  fuzz::expect(read(fuzz::pieces_of(wire, 0)) == read(fuzz::pieces_of(wire, data[0])),
               "how bytes come does not matter");
  return 0;
}
