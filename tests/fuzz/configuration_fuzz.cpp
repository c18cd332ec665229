// An operator's file: every text is either read or refused with a sentence that can be shown, and what was
// read is the same when it is printed and read again. Nothing of the machine is asked.
#include "conf/load.h"
#include "conf/print.h"
#include "fuzz/expect.h"

namespace {

bool is_printable(std::string_view text) {
  return std::ranges::none_of(
      text, [](unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const conf::Loaded loaded = conf::load_text(fuzz::text_of(data, size), "fuzz.toml");
  fuzz::expect(loaded.problems.size() <= conf::kMostProblems + 1, "problems are bounded");
  for (const conf::Problem& problem : loaded.problems) {
    fuzz::expect(!problem.sentence.empty(), "a problem has a sentence");
    fuzz::expect(is_printable(conf::text(problem)), "a problem can be shown on a terminal");
  }
  if (!loaded.problems.empty()) return 0;
  const conf::Loaded again = conf::load_text(conf::print(loaded.settings), "again.toml");
  fuzz::expect(again.problems.empty(), "what was read can be read again");
  fuzz::expect(again.settings == loaded.settings, "what was printed is what was read");
  return 0;
}
