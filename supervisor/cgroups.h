// The tree of cgroups (v2, cgroups(7)) that is ours, where a service manager or a container has delegated one: each app that
// has limits for all its processes together has a group `app-NAME` in it. Nothing is made before the first of them starts.
// Then we, and all else that is in our group, move down into `supervisor`, for a group that has groups below it may hold no
// process. What is written there: share.h. What our own group allows us: runtime/machine.h.
#pragma once
#include <string>
#include <vector>

#include "conf/powers.h"
#include "runtime/fd.h"
#include "runtime/machine.h"
#include "runtime/result.h"
#include "supervisor/share.h"

namespace supervisor {

class Cgroups {
 public:
  explicit Cgroups(runtime::Cgroups where = {}) : where_(std::move(where)) {}
  /// The groups of apps go, those that nobody is in, and who is in `supervisor` moves up again.
  ~Cgroups();
  Cgroups(const Cgroups&) = delete;
  Cgroups& operator=(const Cgroups&) = delete;

  struct Entry {
    runtime::Fd procs;                     ///< `cgroup.procs`, where a process writes itself in; empty: nothing can be limited
    std::vector<conf::Withheld> withheld;  ///< limits that are not in force, and why
  };
  /// The group of an app, which is made, with these limits from now on.
  Entry enter(const std::string& app, const Share& share);
  /// Its limits are others now. Those of a group that is not there are nobody's.
  void limit(const std::string& app, const Share& share) const;
  /// The app has gone. A group that somebody is still in stays until all of us end.
  void remove(const std::string& app) const;

  /// How often the OOM killer has taken somebody in it; nothing: there is no such group.
  std::optional<std::uint64_t> oom_kills(const std::string& app) const;
  /// Memory that is left below its limit; nothing: it has none.
  std::optional<runtime::Bytes> memory_left(const std::string& app) const;

  /// Where the tree is; empty: nothing was made. For the program that follows us, which finds itself below it.
  const std::string& root() const { return root_; }
  void adopt(std::string root) { root_ = std::move(root); }

 private:
  runtime::Result<std::string> find_own() const;
  runtime::Result<void> begin(const std::string& root);
  std::string path_of(const std::string& app) const { return root_ + "/app-" + app; }

  const runtime::Cgroups where_;
  std::string root_;  // of the tree, once it has been begun
};

}  // namespace supervisor
