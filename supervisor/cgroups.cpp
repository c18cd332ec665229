#include "supervisor/cgroups.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "runtime/text.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

constexpr std::string_view kLeaf = "/supervisor";
constexpr std::string_view kOfApps = "app-";
constexpr int kMostRounds = 100;  // of who forks while he is moved

// Files of the kernel are small; a list of processes may be longer, and then what is left is read in the next round.
std::string read_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(65536, '\0');
  const auto n = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

Result<void> write_file(const std::string& path, std::string_view text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return {};
  return fail(Code::kSystem, fmt::format("cannot write \"{}\" to {}", text, path), errno);
}

std::vector<std::string_view> words(std::string_view text) { return runtime::split(runtime::trim(text.substr(0, text.find('\n'))), ' '); }

bool has(const std::vector<std::string_view>& words, std::string_view word) { return std::ranges::find(words, word) != words.end(); }

// systemd says of a unit with Delegate=yes that it is delegated: to root by one name, since 251 to all by the other. That somebody
// owns it says too little: so he does the one of his terminal, with his shell in it.
bool is_delegated(const std::string& folder) {
  for (const char* const name : {"user.delegate", "trusted.delegate"}) {
    char value = 0;
    if (::getxattr(folder.c_str(), name, &value, 1) == 1 && value == '1') return true;
  }
  return false;
}

// Nobody is in the one afterwards. Kernel threads, and who has just ended, cannot be moved, and need not be.
Result<void> move_all(const std::string& from, const std::string& to) {
  for (int round = 0; round < kMostRounds; ++round) {
    const std::string text = read_file(from + "/cgroup.procs");
    const auto pids = runtime::split(text, '\n');
    if (pids.size() < 2) return {};
    for (const std::string_view pid : pids) {
      if (pid.empty()) continue;
      const auto moved = write_file(to + "/cgroup.procs", pid);
      if (!moved && moved.error().number != ESRCH) return moved;
    }
  }
  return fail(Code::kSystem, fmt::format("processes come to {} faster than they can be moved", from));
}

std::vector<std::string> groups_of_apps(const std::string& root) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> list(::opendir(root.c_str()), ::closedir);
  while (const dirent* entry = list ? ::readdir(list.get()) : nullptr) {
    if (std::string_view(entry->d_name).starts_with(kOfApps)) names.emplace_back(entry->d_name);
  }
  return names;
}

// "+memory +pids": all that there is of what a share may limit.
std::string switches(const std::vector<std::string_view>& controllers, char sign) {
  std::string text;
  for (const Limit& limit : limits_of({})) {
    if (has(controllers, limit.controller)) text += fmt::format("{}{}{}", text.empty() ? "" : " ", sign, limit.controller);
  }
  return text;
}

}  // namespace

Cgroups::~Cgroups() {
  if (root_.empty()) return;
  for (const std::string& name : groups_of_apps(root_)) ::rmdir(fmt::format("{}/{}", root_, name).c_str());
  const std::string control = root_ + "/cgroup.subtree_control", text = read_file(control);
  const bool is_off = write_file(control, switches(words(text), '-')).has_value();
  const std::string leaf = root_ + std::string(kLeaf);
  if (is_off && move_all(leaf, root_)) ::rmdir(leaf.c_str());
}

Cgroups::Entry Cgroups::enter(const std::string& app, const Share& share) {
  Entry entry;
  const auto withhold_all = [&](const std::string& why) {
    for (const Limit& limit : limits_of(share)) {
      if (limit.is_set()) entry.withheld.push_back({std::string(limit.key), fmt::format("`{}` needs a cgroup of our own: {}", limit.key, why)});
    }
    entry.procs.reset();
    return std::move(entry);
  };
  const auto own = root_.empty() ? find_own() : root_;
  if (!own) return withhold_all(own.error().text());
  const std::string text = read_file(*own + "/cgroup.controllers");
  const std::vector<std::string_view> controllers = words(text);
  if (switches(controllers, '+').empty()) return withhold_all(fmt::format("{} has none of the controllers memory, cpu and pids", *own));
  if (const auto begun = begin(*own); !begun) return withhold_all(begun.error().text());
  const std::string path = path_of(app);
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    return withhold_all(runtime::Error{Code::kSystem, fmt::format("cannot make {}", path), errno}.text());
  }
  for (const Limit& limit : limits_of(share)) {
    const bool is_there = has(controllers, limit.controller);
    if (!is_there && !limit.is_set()) continue;
    const auto written = is_there ? write_file(fmt::format("{}/{}", path, limit.file), limit.text)
                                  : fail(Code::kSystem, fmt::format("{} has no controller {}", *own, limit.controller));
    if (!written) entry.withheld.push_back({std::string(limit.key), fmt::format("`{}`: {}", limit.key, written.error().text())});
  }
  entry.procs.reset(::open((path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  if (!entry.procs) return withhold_all(runtime::Error{Code::kSystem, fmt::format("cannot open {}/cgroup.procs", path), errno}.text());
  return entry;
}

void Cgroups::limit(const std::string& app, const Share& share) const {
  if (root_.empty()) return;
  for (const Limit& limit : limits_of(share)) (void)write_file(fmt::format("{}/{}", path_of(app), limit.file), limit.text);
}

void Cgroups::remove(const std::string& app) const {
  if (!root_.empty()) ::rmdir(path_of(app).c_str());
}

std::optional<std::uint64_t> Cgroups::oom_kills(const std::string& app) const {
  if (root_.empty()) return std::nullopt;
  return runtime::number_of(read_file(path_of(app) + "/memory.events"), "oom_kill");
}

std::optional<runtime::Bytes> Cgroups::memory_left(const std::string& app) const {
  if (root_.empty()) return std::nullopt;
  const std::string path = path_of(app);
  const auto limit = runtime::bytes_of_limit(read_file(path + "/memory.max"));
  const auto used = runtime::bytes_of_limit(read_file(path + "/memory.current"));
  if (!limit || !used) return std::nullopt;
  return runtime::left_below(*limit, *used, read_file(path + "/memory.stat"));
}

// A container's is its root, as it sees it. The root of all has no cgroup.type: whose processes those are, nobody knows.
Result<std::string> Cgroups::find_own() const {
  if (read_file(where_.mount + "/cgroup.controllers").empty())
    return fail(Code::kSystem, fmt::format("there is none of version 2 at {}", where_.mount));
  std::optional<std::string> path;
  const std::string list = read_file(where_.list);
  for (const std::string_view line : runtime::split(list, '\n')) {
    if (line.starts_with("0::/")) path = line.substr(3);
  }
  if (!path) return fail(Code::kSystem, fmt::format("{} names none of version 2", where_.list));
  const bool is_top = *path == "/";
  std::string folder = where_.mount + (is_top ? "" : *path);
  const bool is_ours = is_top ? ::access((folder + "/cgroup.type").c_str(), F_OK) == 0 : is_delegated(folder);
  if (!is_ours) return fail(Code::kSystem, fmt::format("{} is not delegated to us (Delegate=yes of a systemd unit)", folder));
  for (const char* const file : {"/cgroup.procs", "/cgroup.subtree_control"}) {
    const std::string written = folder + file;
    if (::access(written.c_str(), W_OK) != 0) return fail(Code::kSystem, fmt::format("{} cannot be written to", written), errno);
  }
  return folder;
}

// No process may be in a group whose controllers are handed down, so all that is there moves first: it is ours.
Result<void> Cgroups::begin(const std::string& root) {
  if (root == root_) return {};
  const std::string leaf = root + std::string(kLeaf), control = root + "/cgroup.subtree_control";
  if (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return fail(Code::kSystem, fmt::format("cannot make {}", leaf), errno);
  auto begun = move_all(root, leaf);
  const std::string text = read_file(root + "/cgroup.controllers");
  if (begun) begun = write_file(control, switches(words(text), '+'));
  if (begun) root_ = root;
  else if (move_all(leaf, root)) ::rmdir(leaf.c_str());
  return begun;
}

}  // namespace supervisor
