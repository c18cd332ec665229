// What this process may give to those that it starts: another user, limits above its own, a niceness below its own; and what
// of an app's settings is therefore not to be had. Looking asks the kernel; deciding is pure. What cgroups give is not
// here: supervisor/cgroups.h.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "conf/settings.h"

namespace conf {

struct Powers {
  bool is_root = false;
  std::string user, group;                  ///< ours, by name; empty: it has none
  std::map<std::string, std::uint64_t> most;  ///< that a hard limit can be, by its name
  int least_nice = 0;
};

/// Ours, by trying: for a moment our own hard limits and niceness are others. So what a container, a user namespace or the
/// kernel's own bounds (fs.nr_open) take away is known, too.
Powers own_powers();

/// Something that is set and would not be in force.
struct Withheld {
  std::string key;  ///< of the app or the service, "rlimits"
  std::string why;  ///< "`nofile` is 65536, and 20000 is the most that ...": with what to do
  bool operator==(Withheld const&) const = default;
};
/// Empty: all is to be had. `process`: an app, or what service_app() has made.
std::vector<Withheld> withheld(App const& process, Powers const& powers);

/// As near to `process` as it can be given: limits and niceness.
Rlimits given_rlimits(App const& process, Powers const& powers);
std::optional<Nice> given_nice(App const& process, Powers const& powers);

}  // namespace conf
