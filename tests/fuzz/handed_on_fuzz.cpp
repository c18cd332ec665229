// What one program hands to the next at an upgrade, which may be of another version: a text can be read or not; what was
// read is written as a text that is read as the same, and fits together or is refused with a sentence.
#include "fuzz/expect.h"
#include "supervisor/saved.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace saved = supervisor::saved;
  const std::string text(fuzz::text_of(data, size));
  const auto program = saved::read_program(text);
  const auto all = saved::read(text);
  if (!all) {
    fuzz::expect(!all.error().sentence.empty(), "a refusal has a sentence");
    return 0;
  }
  if (const auto checked = saved::check(*all); !checked) {
    fuzz::expect(!checked.error().sentence.empty(), "a refusal has a sentence");
  } else {
    fuzz::expect(program.has_value(), "what fits together names its program");
  }
  saved::Supervisor present = *all;
  present.format = saved::kFormat;
  const std::string written = saved::write(present);
  const auto again = saved::read(written);
  fuzz::expect(again.has_value(), "what is written can be read");
  fuzz::expect(saved::write(*again) == written, "it is read as the same");
  return 0;
}
