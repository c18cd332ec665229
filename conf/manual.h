// The settings as the body of a manual page, from the rows of conf/keys.h, as docs/configuration.md is
// (conf/reference.h). What stands around it: packaging/man/portherd.toml.5.scd.
#pragma once
#include <string>

namespace conf {

/// In the language of scdoc(5): a section for each table, a paragraph for each key.
std::string settings_manual();

}  // namespace conf
