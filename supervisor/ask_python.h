// Has a short-lived process of the app's own interpreter answer a question that only Python can: what a
// project's app is, what a gunicorn configuration says. The questions are supervisor/python/, carried in this
// binary. Nothing of an app runs in the supervisor; the process is waited for, so this is for before a
// supervisor begins.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.h"

namespace supervisor {

struct Errand {
  std::string_view script;  ///< a file of supervisor/python/
  std::vector<std::string> arguments;
  std::string python;     ///< a name for PATH, or a path
  std::string directory;  ///< where it is asked
};

/// What the script wrote to its descriptor 3. What it prints goes to our stderr. Errors: no such interpreter
/// (kConfig); it ended with another status than 0, having said why; it was not done in a minute, or wrote
/// more than 1 MiB (kSystem).
runtime::Result<std::string> ask_python(const Errand& errand);

}  // namespace supervisor
