// Which names decide what a path leads to: change the folder of one of them there, and it may be another file. For who wants
// to hear of that (inotify(7) watches folders, not paths).
#pragma once
#include <compare>
#include <string>
#include <vector>

namespace runtime {

/// A name, and the folder that it stands in: absolute, without a link.
struct Signpost {
  std::string folder, name;
  auto operator<=>(const Signpost&) const = default;
};

/// Of an absolute path, in the order in which they are met: each link, and the end of the way, which is the last name or the
/// first that is not there. Like path_resolution(7) at most 40 links; a longer way ends there.
std::vector<Signpost> signposts(const std::string& path);

}  // namespace runtime
