// Settings as TOML text: what `check --print` shows, and what the supervisor hands to the front. Every
// setting is in it, so load_text(print(s)) gives s again; a setting at its "unset" stands as a comment, since
// TOML has no word for nothing.
#pragma once
#include <string>

#include "conf/origin.h"
#include "conf/settings.h"

namespace conf {

/// With `origins`, each line says where its value is from. The settings are settled (conf/settings.h), their
/// text is UTF-8.
std::string print(Settings const& settings, Origins const* origins = nullptr);

}  // namespace conf
