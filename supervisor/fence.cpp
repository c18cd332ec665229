#include "supervisor/fence.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "conf/origin.h"
#include "runtime/digest.h"
#include "runtime/signposts.h"
#include "supervisor/plan.h"

namespace supervisor {
namespace {

bool holds_too_much(const std::string& folder) {
  return std::ranges::count(folder, '/') < 2;
}

std::string readable_for(const runtime::Signpost& signpost) {
  const auto& [folder, name] = signpost;
  if (!holds_too_much(folder)) return folder;
  return folder == "/" ? "/" + name : folder + "/" + name;
}

// By its birth, too: a file system may give the number of one that has gone to the next.
std::uint64_t number_of(const std::string& folder) {
  struct statx about{};
  const bool is_there = ::statx(AT_FDCWD, folder.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO | STATX_BTIME, &about) == 0;
  if (!is_there || S_ISLNK(about.stx_mode)) return 0;
  return runtime::Digest()
      .add({about.stx_dev_major, about.stx_dev_minor, about.stx_ino, static_cast<std::uint64_t>(about.stx_btime.tv_sec), about.stx_btime.tv_nsec})
      .value();
}

void add_files(const conf::App& app, Fence& fence) {
  for (const conf::Route& route : app.routes) {
    if (route.files.empty()) continue;
    for (const runtime::Signpost& signpost : runtime::signposts(route.files)) fence.readable.insert(readable_for(signpost));
  }
}

bool is_another(const std::string& folder, const Fence& old, const Fence& fresh) {
  const auto before = old.numbers.find(folder), now = fresh.numbers.find(folder);
  return before != old.numbers.end() && now != fresh.numbers.end() && before->second != now->second;
}

}  // namespace

Fence fence_for(const conf::Settings& settings) {
  Fence fence;
  for (const conf::App& app : settings.apps) {
    add_files(app, fence);
    fence.has_ports |= handover_of(app) == Handover::kPort;
    fence.has_sockets |= !app.proxy.empty();
  }
  for (const std::string& folder : fence.readable) fence.numbers[folder] = number_of(folder);
  return fence;
}

std::vector<conf::Change> widenings(const Fence& old, const Fence& fresh) {
  std::vector<conf::Change> changes;
  const auto add = [&changes](std::string what) {
    changes.push_back({.key = "front", .what = std::move(what), .cost = conf::Cost::kFront, .app = {}});
  };
  for (const std::string& folder : fresh.readable) {
    if (!old.readable.contains(folder)) add(fmt::format("has to read files in {}", conf::printable(folder)));
    else if (is_another(folder, old, fresh)) add(fmt::format("has to read files in {}, which is another folder now", conf::printable(folder)));
  }
  if (fresh.has_ports && !old.has_ports) add("has to reach workers by ports");
  if (fresh.has_sockets && !old.has_sockets) add("has to reach sockets of `proxy`");
  return changes;
}

}  // namespace supervisor
