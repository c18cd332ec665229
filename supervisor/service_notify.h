// Tells the service manager that started us (systemd, sd_notify(3)) how we are. Without NOTIFY_SOCKET nobody
// is told.
#pragma once
#include <string>
#include <string_view>

#include "conf/settings.h"

namespace supervisor {

/// STOPPING=1, and by when the end is over at the latest, by the clocks of `settings`: the service manager is to wait so
/// long, whatever it would have waited.
std::string stopping(const conf::Settings& settings);

class ServiceNotify {
 public:
  /// Takes NOTIFY_SOCKET out of our environment: no child may speak in our name.
  ServiceNotify();
  /// "READY=1", "STOPPING=1". Never blocks, never fails loudly.
  void say(std::string_view text) const;
  /// For the program that follows in our place.
  const std::string& path() const { return path_; }

 private:
  std::string path_;  // empty: nobody asked; "@..." is the abstract name space
};

}  // namespace supervisor
