// What a front of these settings has to be let reach. It shuts itself in when it begins (proxy/fence.h) and no change of the
// settings lets it out: where the new ones need more, another front takes its place.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "conf/diff.h"
#include "conf/settings.h"

namespace supervisor {

struct Fence {
  std::set<std::string> readable;  ///< folders of files, absolute, without a link
  bool has_ports = false;          ///< workers are reached by a port
  bool has_sockets = false;        ///< `proxy`: who is reached by a Unix socket may stand anywhere
  /// Of each folder that is readable a number: what is let be read is the folder, not its name, and another one there has another
  /// number. 0: there is none, or it is a link, whose end is readable by itself.
  std::map<std::string, std::uint64_t> numbers = {};
  bool operator==(const Fence&) const = default;
};

/// As links lead now. Where a folder of `files` is, or a link that leads to it, another one may be put in its place (a release does that),
/// so it is the folder that holds the name that can be read; but "/" and what stands in it hold too much, and there it is what is named.
Fence fence_for(const conf::Settings& settings);

/// What `old` does not let do and `fresh` does, as changes that take another front. Pure.
std::vector<conf::Change> widenings(const Fence& old, const Fence& fresh);

}  // namespace supervisor
