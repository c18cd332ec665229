// The environment of what we start. `run` hands its own on; `serve` gives an app a clean one (docs/design.md,
// "Identity").
#pragma once
#include <map>
#include <string>
#include <vector>

#include "conf/settings.h"
#include "runtime/result.h"
#include "supervisor/privileges.h"

namespace supervisor {

using Variables = std::map<std::string, std::string>;

/// Ours, without what was meant for us alone: what systemd says to a service's process (NOTIFY_SOCKET, LISTEN_*,
/// WATCHDOG_*, INVOCATION_ID, JOURNAL_STREAM ..), PORTHERD_*, PORT, WEB_CONCURRENCY.
Variables own_environment();

/// PATH, LANG, TZ, HOME, USER, PYTHONUNBUFFERED for a process of `account`. `own` is where PATH, LANG and TZ
/// are from.
Variables clean_environment(const Variables& own, const Account& account);

/// The front's: what its C library and a sanitizer look at, and nothing that an app was told.
Variables front_environment(const Variables& own);

/// What the app's env_file says now. Errors: it cannot be read.
runtime::Result<Variables> file_environment(const conf::App& app);

/// `base`, then what the env_file says (or said: see release.h), then env.
Variables app_environment(const conf::App& app, Variables base, const Variables& file);

std::vector<std::string> to_texts(const Variables& variables);

}  // namespace supervisor
