// What a change of a setting costs. Which cost a setting has stands in its row, conf/keys.h; which settings have changed is
// conf/diff.h's to say.
#pragma once
#include <string_view>

namespace conf {

/// From what nobody notices to what ends everything.
enum class Cost {
  kNone,     ///< the running front and the supervisor take it over
  kReopen,   ///< an address, a log, certificates or a folder is opened or closed
  kScale,    ///< workers are added or stopped, none is replaced
  kService,  ///< a service is started, stopped or replaced
  kRolling,  ///< the app's workers, and its services, are replaced, one after the other
  kStart,    ///< an app comes
  kStop,     ///< an app goes
  kFront,    ///< another front takes over, the old one drains
  kRestart,  ///< only a restart of Portherd can do it
};

/// As it is said to people: "workers are replaced one after the other".
std::string_view words(Cost cost);

}  // namespace conf
