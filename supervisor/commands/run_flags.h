// The flags of `run` that gunicorn's and uvicorn's users bring along: what has an equal becomes it, what needs none is taken
// with a sentence, and what cannot be done is refused with what to do instead. What the equals mean: supervisor/gunicorn.h.
#pragma once
#include <CLI/CLI.hpp>

#include "supervisor/commands/run_settings.h"

namespace supervisor {

/// `into` outlives the parsing: its `gunicorn`, `said` and `refused` are filled by it.
void describe_known_flags(CLI::App& line, RunArguments& into);

}  // namespace supervisor
