// Settings as TOML text: what `check --print` shows, and what the supervisor hands to the front. Every
// setting is in it, so load_text(print(s)) gives s again; a setting at its "unset" stands as a comment, since
// TOML has no word for nothing.
#pragma once
#include <map>
#include <string>

#include "conf/origin.h"
#include "conf/settings.h"

namespace conf {

/// With `origins`, each line says where its value is from. The settings are settled (conf/settings.h), their
/// text is UTF-8.
std::string print(Settings const& settings, Origins const* origins = nullptr);

/// By full key, as Origins: what is to be said about a setting.
using Notes = std::map<std::string, std::string, std::less<>>;

/// Only what is not as it would be without a word, as an operator would write it, each with its note above it. The settings
/// need not be settled; they take that, and their paths, from where the text is put.
std::string print_changed(Settings const& settings, Notes const& notes);

}  // namespace conf
