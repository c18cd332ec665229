// From the operator's files to Settings: portherd.toml and, beside it, apps.d/*.toml. Every mistake is
// collected, not only the first. The TOML library is met in load.cpp alone; which keys there are stands in
// conf/keys.h, how a table of them is read in conf/reader.h; rules across settings and questions to the
// machine come afterwards, in conf/check.h.
#pragma once
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conf/origin.h"
#include "conf/settings.h"

namespace conf {

/// Keys as in Origins.
using Keys = std::set<std::string, std::less<>>;

struct Loaded {
  Settings settings;  ///< to be used only if there is no problem
  Origins origins;
  std::vector<Problem> problems;  ///< file by file, in the order of their lines; at most kMostProblems and
                                  ///< one that counts the rest
  Keys broken;                    ///< the keys of what could not be read, "" is everything
};

/// Reads the main file and apps.d/*.toml beside it, in the order of their names. Paths become absolute, and
/// what stands in each env_file is noted.
Loaded load(std::string const& main_file);

/// Reads one text as a main file called `name` in messages. Relative paths stay as they are.
Loaded load_text(std::string_view toml, std::string name);

}  // namespace conf
