// From what stands after `portherd run` to settings: made in code for a module or a command, loaded for a
// folder. Nothing is started here.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "conf/load.h"
#include "runtime/result.h"

namespace supervisor {

struct RunArguments {
  std::string target;                // "module:attr" or a folder; empty: not given
  std::vector<std::string> command;  // after "--"
  std::vector<std::string> bind;
  std::vector<std::string> tls_bind;
  bool tls = false;
  std::string workers;  // a number, or "auto"; empty: not given
  std::optional<std::size_t> threads;
  std::string python;
};

/// What the environment says about `run` (docs/design.md, "The command line"). Empty: nothing.
struct RunEnvironment {
  std::string port;             // PORT
  std::string web_concurrency;  // WEB_CONCURRENCY
};

/// Settled and checked; to be used only if it has no problems. `here` is the working folder. `certificates`
/// is the folder of the local certificate, used if `tls`. Errors: nothing to run was given, or an address is
/// none.
runtime::Result<conf::Loaded> run_settings(const RunArguments& arguments, const RunEnvironment& environment,
                                           const std::string& here, const std::string& certificates);

/// "shop" for "shop.wsgi:application", "server" for "./bin/server.py": fit for the name of an app.
std::string app_name(std::string_view target);

}  // namespace supervisor
