// Not for people: what a program does that was executed in the place of another. Its arguments are those of the one
// before: they say no more than where a reload finds the settings.
#include <string_view>

#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/supervise.h"
#include "supervisor/handover.h"
#include "supervisor/held_signals.h"

namespace supervisor {
namespace {

using runtime::Error;
using runtime::Result;

// Nothing has been taken, so the program before can go on. Returns only if it cannot either.
Error give_back(const Handed& handed, const std::string& text, const Error& why) {
  if (!handed.refused.empty()) return why;  // that is us
  const auto program = saved::read_program(text);
  if (!program) return program.error();
  complain("the program before goes on: " + why.text());
  return hand_back(*program, handed.memory, why.text());
}

Reread source_of(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "serve") return source_of_serve(argc - 1, argv + 1);
  return verb == "run" ? source_of_run(argc - 1, argv + 1) : nullptr;
}

Result<std::unique_ptr<Supervisor>> adopted(Reread load) {
  const HeldSignals held;  // by the program before, until now
  TRY(const Handed handed, take_handed());
  TRY(const std::string text, read_all(handed.memory));
  auto made = adopt(text, handed.refused, std::move(load));
  if (!made) return std::unexpected(give_back(handed, text, made.error()));
  return made;
}

}  // namespace

// Without one the fronts drain and the workers end, for their parent has gone.
int adopt_command(int argc, char** argv) {
  const auto made = adopted(source_of(argc, argv));
  if (made) return (*made)->run();
  complain("cannot go on in the place of the program before; everything ends: " + made.error().text());
  return kExitFailed;
}

}  // namespace supervisor
