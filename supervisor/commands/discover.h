// What `run` finds in a project, in the order that a person would look: a Procfile; Django's manage.py;
// app.py, main.py, wsgi.py, asgi.py; the same in src/ or in a package. (A portherd.toml comes before all:
// run_settings.h.) Nothing of the app runs in this process, see ask_python.h.
#pragma once
#include <string>
#include <vector>

#include "conf/settings.h"
#include "runtime/result.h"
#include "supervisor/commands/run_settings.h"

namespace supervisor {

struct Discovery {
  conf::App app;
  std::vector<std::string> said;  ///< sentences: what was chosen, and how to choose otherwise
};

/// The interpreter for a project: --python, else that of $VIRTUAL_ENV, of `.venv` or of `venv` in the folder,
/// else python3.
std::string interpreter_for(const RunArguments& arguments, const RunEnvironment& environment,
                            const std::string& folder);

/// Errors: nothing was found; more than one, all named with the command for each; a Procfile with a mistake
/// in it (kConfig); the app cannot be imported (kSystem).
runtime::Result<Discovery> discover(const std::string& folder, const std::string& python);

/// For a "module:attr" that was given: of which kind it is.
runtime::Result<Discovery> look_at(const std::string& target, const std::string& folder,
                                   const std::string& python);

}  // namespace supervisor
