// What a front can still do once it has all it needs: the fence that it enters before its first thread and its first client, and
// never leaves. Its user, no_new_privs and the empty bounding set are there from its start (supervisor/front_process), and the
// folder that it stands in, where the sockets of workers are. A part that the kernel does not offer is left out, and told.
#pragma once
#include <string>
#include <vector>

namespace proxy {

struct Fence {
  std::vector<std::string> readable;  ///< folders of files, absolute
  int spool = -1;                     ///< the folder of temporary files
  bool has_ports = false;             ///< workers are reached by TCP
  bool has_sockets = false;           ///< workers are reached by Unix sockets that stand anywhere
  bool is_from_root = false;          ///< root has started us: a root of our own is to be had
};

struct Entered {
  int landlock = 0;                  ///< its version; 0: none
  std::vector<std::string> missing;  ///< what could not be had, in sentences for the operator
};

/// Called while there is one thread. What is opened already stays usable. Where the process has CAP_SYS_CHROOT (supervisor/spawn
/// leaves it that, if it is root) and nobody is to be reached elsewhere, the folder that it stands in is its root from now on.
Entered enter(const Fence& fence);

}  // namespace proxy
