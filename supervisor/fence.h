// What a front of these settings has to be let do. It shuts itself in when it begins (proxy/fence.h) and no change of the settings
// lets it out: where the new ones need more, another front takes its place. Pure.
#pragma once
#include "conf/settings.h"

namespace supervisor {

/// An app's workers are reached by a port.
bool needs_tcp(const conf::Settings& settings);

/// What was let do for `old` is not enough for `fresh`: a port where there was none, files in a folder that was not named.
bool needs_wider_fence(const conf::Settings& old, const conf::Settings& fresh);

}  // namespace supervisor
