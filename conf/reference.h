// The pages that are made from the rows of conf/keys.h: docs/configuration.md and
// examples/every-setting/portherd.toml. A test compares the files with these
// (tests/unit/conf/reference_test.cpp) and can write them anew.
#pragma once
#include <string>

namespace conf {

/// docs/configuration.md.
std::string configuration_page();

/// examples/every-setting/portherd.toml: every key with its default, and what has none as a comment with an
/// example. `with_examples` takes those comments off, so that a test can read the examples too.
std::string every_setting(bool with_examples = false);

}  // namespace conf
