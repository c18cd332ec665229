// What `run` says when it serves: where, what, and what is unsafe about it. Pure.
#pragma once
#include <string>
#include <vector>

#include "conf/settings.h"
#include "supervisor/privileges.h"

namespace supervisor {

/// Lines, each with its end. `urls` as Listener::url() gives them.
std::string banner(const conf::Settings& settings, const std::vector<std::string>& urls);

/// A sentence for each thing that is unsafe about these settings. `accounts`: of each app, in their order.
std::vector<std::string> warnings(const conf::Settings& settings, bool is_root, const std::vector<Account>& accounts,
                                  const Account& front);

}  // namespace supervisor
