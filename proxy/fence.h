// What a front can still do once it has all it needs: the fence that it enters before its first thread and its first client, and
// never leaves. Its user, no_new_privs and the empty bounding set are there from its start (supervisor/front_process). A part that
// the kernel does not offer is left out, and told.
#pragma once
#include <string>
#include <vector>

#include "conf/settings.h"

namespace proxy {

struct Fence {
  std::vector<std::string> readable;  ///< folders, absolute; see readable_for()
  int spool = -1;                     ///< the folder of temporary files
  bool may_connect = false;           ///< an app is reached by TCP
};

/// The folders in which the files of all routes are, and in which they may be by a swap: where a folder of the settings is, or is led to by
/// a link, the name beside it may take its place (a release does that). So it is the folder that holds the name; but "/" and what
/// stands in it hold too much, and there it is what the name leads to now.
std::vector<std::string> readable_for(const conf::Settings& settings);

/// What of it could not be had, in sentences for the operator; none: all holds. Called while there is one thread.
std::vector<std::string> enter(const Fence& fence);

}  // namespace proxy
