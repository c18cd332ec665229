#include "supervisor/runtime_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "conf/address.h"
#include "supervisor/privileges.h"

namespace supervisor {
namespace {

using Json = nlohmann::json;
using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

constexpr const char* kLock = "lock";
constexpr const char* kHere = "here";
// "/NAME/" and the longest "APP.ID.sock".
constexpr std::size_t kLongestInside = 12 + 32 + 1 + 10 + 5;

// As root the front and the apps' users must come through to their own sockets, each of which has its own
// mode; they cannot list what is there. Not as root all of us are one user.
mode_t folder_mode() {
  return is_root() ? 0711 : 0700;
}

Result<void> make_folder(const std::string& path, mode_t mode) {
  const bool is_new = ::mkdir(path.c_str(), mode) == 0;
  if (!is_new && errno != EEXIST) {
    return fail(Code::kSystem, fmt::format("cannot make the folder {}", path), errno);
  }
  // Somebody else may have been there first (/tmp is everybody's): ours, a folder and no link, or nothing.
  const Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat about{};
  if (!folder || ::fstat(folder.get(), &about) != 0) return fail(Code::kSystem, "cannot open " + path, errno);
  if (about.st_uid != ::geteuid())
    return fail(Code::kSystem, fmt::format("{} belongs to somebody else", path));
  if ((about.st_mode & 022) != 0) return fail(Code::kSystem, fmt::format("others may write to {}", path));
  // Whatever the umask is: the front and the apps' users come through here to their sockets.
  if (is_new && ::fchmod(folder.get(), mode) != 0)
    return fail(Code::kSystem, "cannot set the mode of " + path, errno);
  return {};
}

std::vector<std::string> entries(const std::string& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> list(::opendir(folder.c_str()), ::closedir);
  while (const dirent* entry = list ? ::readdir(list.get()) : nullptr) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  return names;
}

// Whoever lives holds the lock. Empty: somebody does, or there is none.
Fd lock_of_the_dead(const std::string& folder) {
  Fd lock(::open(fmt::format("{}/{}", folder, kLock).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) lock.reset();
  return lock;
}

// Held before it has its name: another start that saw it free would take us for dead.
Result<Fd> make_lock(const std::string& folder) {
  const std::string name = fmt::format("{}/{}", folder, kLock), draft = name + ".new";
  Fd lock(::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || ::rename(draft.c_str(), name.c_str()) != 0)
    return fail(Code::kSystem, "cannot lock " + folder, errno);
  return lock;
}

// One folder deep, two for the sockets that programs bind themselves. Links are removed, never followed.
void remove(const std::string& folder, int depth = 2) {
  for (const std::string& name : entries(folder)) {
    const std::string path = fmt::format("{}/{}", folder, name);
    if (::unlink(path.c_str()) != 0 && depth > 1) remove(path, depth - 1);
  }
  ::rmdir(folder.c_str());
}

void remove_stale(const std::string& base) {
  for (const std::string& name : entries(base)) {
    if (name.front() < '0' || name.front() > '9') continue;
    const std::string folder = fmt::format("{}/{}", base, name);
    if (lock_of_the_dead(folder)) remove(folder);
  }
}

Result<std::pair<std::string, Fd>> make_own(const std::string& base) {
  TRY_VOID(make_folder(base, is_root() ? 0755 : 0700));
  remove_stale(base);
  // Another PID namespace may share the base, and have our number.
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::string path = attempt == 0 ? fmt::format("{}/{}", base, ::getpid())
                                          : fmt::format("{}/{}-{}", base, ::getpid(), attempt);
    if (::mkdir(path.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;
      return fail(Code::kSystem, "cannot make the folder " + path, errno);
    }
    ::chmod(path.c_str(), folder_mode());  // whatever the umask is
    TRY(Fd lock, make_lock(path));
    return std::pair(path, std::move(lock));
  }
  return fail(Code::kSystem, fmt::format("no free name in {}", base));
}

std::optional<Instance> read_instance(const std::string& folder) {
  const Fd fd(::open(fmt::format("{}/{}", folder, kHere).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string text(8192, '\0');
  const auto n = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  if (n <= 0) return std::nullopt;
  const Json json = Json::parse(text.substr(0, static_cast<std::size_t>(n)), nullptr, false);
  if (!json.is_object() || !json.contains("pid") || !json["pid"].is_number_integer()) return std::nullopt;
  const auto word = [&](const char* key) {
    return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : std::string();
  };
  return Instance{json["pid"].get<pid_t>(), word("directory"), word("control")};
}

}  // namespace

std::string working_folder() {
  const std::unique_ptr<char, void (*)(void*)> here(::get_current_dir_name(), std::free);
  return here ? here.get() : "";
}

std::vector<std::string> runtime_bases() {
  std::vector<std::string> bases;
  if (is_root()) bases.emplace_back("/run/portherd");
  const char* xdg = std::getenv("XDG_RUNTIME_DIR");
  if (!is_root() && xdg != nullptr && *xdg == '/') bases.push_back(fmt::format("{}/portherd", xdg));
  bases.push_back(fmt::format("/tmp/portherd-{}", ::geteuid()));
  std::erase_if(
      bases, [](const std::string& base) { return base.size() + kLongestInside > conf::kLongestSocketPath; });
  return bases;
}

std::vector<Instance> living_instances() {
  std::vector<Instance> living;
  for (const std::string& base : runtime_bases()) {
    for (const std::string& name : entries(base)) {
      const std::string folder = fmt::format("{}/{}", base, name);
      const auto instance = read_instance(folder);
      if (instance && !lock_of_the_dead(folder)) living.push_back(*instance);
    }
  }
  return living;
}

Result<RuntimeFolder> RuntimeFolder::make() {
  Result<std::pair<std::string, Fd>> made = fail(Code::kSystem, "no place for sockets");
  for (const std::string& base : runtime_bases()) {
    made = make_own(base);
    if (made) return RuntimeFolder(std::move(made->first), std::move(made->second));
  }
  return std::unexpected(made.error());
}

RuntimeFolder::~RuntimeFolder() {
  if (lock_) remove(path_);
}

void RuntimeFolder::announce(const Instance& self) const {
  const std::string text =
      Json{{"pid", self.pid}, {"directory", self.directory}, {"control", self.control}}.dump(
          -1, ' ', false, Json::error_handler_t::replace) +
      "\n";
  const Fd fd(::open((*this / kHere).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  [[maybe_unused]] const auto n = ::write(fd.get(), text.data(), text.size());
}

}  // namespace supervisor
