// What `run` says when it serves: where, what, and what is unsafe about it. Pure.
#pragma once
#include <string>
#include <vector>

#include "conf/settings.h"

namespace supervisor {

/// Lines, each with its end. `urls` as Listener::url() gives them.
std::string banner(const conf::Settings& settings, const std::vector<std::string>& urls);

/// A sentence for each thing that is unsafe about these settings.
std::vector<std::string> warnings(const conf::Settings& settings, bool is_root);

}  // namespace supervisor
