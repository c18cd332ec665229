// The grammar of strings in a file, by their Form: host names, user names, URL paths. Pure questions about
// text. Whether a path or a user exists is not asked here: see conf/check.h.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "conf/keys.h"

namespace conf {

/// What `text` must be beyond a string, as in "`key` " + sentence; nothing when it is.
std::optional<std::string> refusal(std::string_view text, Form form);

/// May stand as a TOML key without quotes.
bool is_bare_key(std::string_view text);

/// An app's name: it is part of socket paths, log lines and metric labels.
bool is_app_name(std::string_view name);

/// "module:attr" of a Python app: dotted names on both sides; the attr may be a call without arguments,
/// `make_app()`.
bool is_module_attr(std::string_view text);

}  // namespace conf
