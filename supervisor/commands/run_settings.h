// From what stands after `portherd run` to settings: made in code for a module or a command, loaded for a
// folder. Nothing is started here.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "conf/load.h"
#include "runtime/result.h"
#include "supervisor/gunicorn.h"

namespace supervisor {

struct RunArguments {
  std::string target;                // "module:attr" or a folder; empty: not given
  std::vector<std::string> command;  // after "--"
  std::vector<std::string> bind;
  std::vector<std::string> tls_bind;
  bool tls = false;
  std::string workers;  // a number, or "auto"; empty: not given
  std::optional<std::size_t> threads;
  std::optional<std::size_t> concurrency;
  std::string python;
  std::string chdir;               // empty: not given
  std::string host, port;          // in the place of `bind`; empty: not given
  std::string env_file;
  bool is_factory = false;         // `target` is to be called
  bool has_access_log = true;
  bool reload = false;
  bool preload = false;
  std::vector<gunicorn::Setting> gunicorn;  // what its users know by other names, in the order given
  std::vector<std::string> said;            // sentences about flags that mean nothing here
  std::string refused;                      // a sentence about one that cannot be obeyed; empty: none
};

/// What the environment says about `run` (docs/design.md, "The command line"). Empty: nothing.
struct RunEnvironment {
  std::string port;             // PORT
  std::string web_concurrency;  // WEB_CONCURRENCY
  std::string forwarded_allow_ips;  // FORWARDED_ALLOW_IPS
  std::string virtual_env;          // VIRTUAL_ENV
};

/// Settled and checked; to be used only if it has no problems. `here` is the working folder. `certificates`
/// is the folder of the local certificate, used if `tls`. `found`: what the target or the folder came to, see
/// discover.h. Errors: nothing to run was given, or an address or another value is none.
runtime::Result<conf::Loaded> run_settings(const RunArguments& arguments, const RunEnvironment& environment,
                                           const std::string& here, const std::string& certificates,
                                           const std::optional<conf::App>& found = std::nullopt);

/// The portherd.toml that the command line means; empty: none.
std::string file_of_run(const RunArguments& arguments, const std::string& here);
/// The folder in which an app is to be found; empty: a target or a command was given.
std::string folder_of_run(const RunArguments& arguments, const std::string& here);

/// "shop" for "shop.wsgi:application", "server" for "./bin/server.py": fit for the name of an app.
std::string app_name(std::string_view target);

}  // namespace supervisor
