// Tells the service manager that started us (systemd, sd_notify(3)) how we are. Without NOTIFY_SOCKET nobody
// is told.
#pragma once
#include <string>
#include <string_view>

namespace supervisor {

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
