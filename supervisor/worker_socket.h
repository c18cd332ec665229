// The private socket of one worker process: bound and listening before the process exists, or a place where
// the process binds one itself. Never used again. Removed with this object. How the process receives it:
// plan.h.
#pragma once
#include <string>

#include "runtime/fd.h"
#include "runtime/result.h"
#include "supervisor/plan.h"
#include "supervisor/privileges.h"
#include "supervisor/saved.h"

namespace supervisor {

class WorkerSocket {
 public:
  /// `stem`: "/run/portherd/812/shop.12". As root what is made belongs to `owner`, and `front` may connect.
  static runtime::Result<WorkerSocket> make(Handover how, const std::string& stem, const Account& owner,
                                            const Account& front);
  /// Of a process that has its copy.
  explicit WorkerSocket(const saved::Socket& saved) : path_(saved.path), folder_(saved.folder), port_(saved.port) {}
  saved::Socket save() const { return {path_, folder_, port_}; }
  ~WorkerSocket();
  WorkerSocket(WorkerSocket&&) noexcept = default;
  WorkerSocket& operator=(WorkerSocket&&) = delete;

  /// How the front reaches it: a path, or "port:8001".
  std::string address() const;
  const std::string& path() const { return path_; }
  std::uint16_t port() const { return port_; }
  int fd() const { return listening_.get(); }

  /// The process has its own copy: ours must go, or clients of a dead worker would wait for ever.
  void close() { listening_.reset(); }
  /// kPath, as root: if the program has bound its socket by now, lets the front connect. False: not yet.
  bool admit(const Account& front) const;

 private:
  WorkerSocket() = default;
  std::string path_;    // empty: a port
  std::string folder_;  // around path_, for kPath
  std::uint16_t port_ = 0;
  runtime::Fd listening_;
};

/// As root: gives the file to `owner` and the group of `front`.
runtime::Result<void> give(const std::string& path, const Account& owner, const Account& front);

}  // namespace supervisor
