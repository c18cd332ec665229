// What stands in a folder in which `run` has found nothing to serve, in words that say what to type: a package.json, a project one
// folder down.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace supervisor {

/// One sentence for each thing: "package.json is there: `portherd run ... -- npm start`". Reads the folder, and the names one down;
/// five projects there at most. None: nothing that says what to do.
std::vector<std::string> seen_in(const std::string& folder);

/// The command that `npm start` would run, itself where that is one program of Node's without a shell's signs; else `npm start`.
/// Empty: neither says how it starts. PURE.
std::string start_of_package(std::string_view package_json);

}  // namespace supervisor
