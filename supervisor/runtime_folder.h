// The folder in which one supervisor's sockets lie: /run/portherd/NAME for root, else in $XDG_RUNTIME_DIR,
// else under /tmp. NAME is unique among those who live. Gone with its owner; what a dead one left is removed
// at the next start.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/fd.h"
#include "runtime/result.h"
#include "supervisor/saved.h"

namespace supervisor {

/// What an instance says about itself in its folder, for `status` without a file.
struct Instance {
  pid_t pid = 0;
  std::string directory;  ///< it was started in
  std::string control;    ///< its control socket
};

/// Ours, absolute. Empty if it is gone.
std::string working_folder();

/// Where folders of this user may be, best first.
std::vector<std::string> runtime_bases();

/// All that live now and are ours to see.
std::vector<Instance> living_instances();

class RuntimeFolder {
 public:
  /// Makes one. Every folder on the way below the system's own is ours, and no link.
  static runtime::Result<RuntimeFolder> make();
  explicit RuntimeFolder(const saved::Folder& saved) : RuntimeFolder(saved.path, saved::take(saved.lock)) {}
  saved::Folder save() const { return {path_, {lock_.get()}}; }
  ~RuntimeFolder();
  RuntimeFolder(RuntimeFolder&&) noexcept = default;
  RuntimeFolder& operator=(RuntimeFolder&&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /// Writes `here`, so that living_instances() finds us.
  void announce(const Instance& self) const;

 private:
  RuntimeFolder(std::string path, runtime::Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;  // empty: moved from
  runtime::Fd lock_;  // held as long as we live: how others know that we do
};

}  // namespace supervisor
