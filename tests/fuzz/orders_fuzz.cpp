// What supervisor and front say to each other, each of which may have lost its mind: a text is an order or it is not, and
// what was read is said again in words that fit into a message and are read as the same.
#include "fuzz/expect.h"
#include "upstream/orders.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto order = upstream::decode(std::string(fuzz::text_of(data, size)));
  if (!order) {
    fuzz::expect(!order.error().sentence.empty(), "a refusal has a sentence");
    return 0;
  }
  const std::string text = upstream::encode(*order);
  const auto again = upstream::decode(text);
  fuzz::expect(again.has_value(), "what is said can be read");
  fuzz::expect(again->index() == order->index(), "it is read as the same order");
  if (std::holds_alternative<upstream::Stack>(*again)) {
    fuzz::expect(text.size() <= runtime::Channel::kMaxText, "a stack fits into a message");
    fuzz::expect(std::get<upstream::Stack>(*again).text.size() <= upstream::kMostStack, "a stack is bounded");
  }
  return 0;
}
