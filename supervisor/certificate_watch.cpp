#include "supervisor/certificate_watch.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "runtime/log.h"
#include "runtime/signposts.h"

namespace supervisor {
namespace {

// Files written, renamed or linked into their places, removed, or made readable; and the folder itself gone.
constexpr std::uint32_t kChanges = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_MOVE_SELF |
                                   IN_DELETE_SELF | IN_ONLYDIR;

constexpr std::size_t kMostFiles = 1024;  // more than can be used

}  // namespace

CertificateWatch::CertificateWatch(runtime::Loop& loop, runtime::Call<> on_changed)
    : on_changed_(on_changed),
      events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      settled_(loop, runtime::bind<&CertificateWatch::on_settled>(this)),
      watch_(loop, events_.get(), runtime::bind<&CertificateWatch::on_events>(this)) {
  if (events_) watch_.want_read(true);
}

void CertificateWatch::look_at(const std::string& folder) {
  folder_ = folder;
  watch_anew();
}

// The same path may be another folder by now; of one that is the same the kernel gives the same watch again.
void CertificateWatch::watch_anew() {
  const std::map<int, Names> before = std::exchange(watched_, {});
  const std::string trouble_before = std::exchange(trouble_, {});
  if (!folder_.empty()) {
    watch_way(folder_);
    std::error_code why_not;
    std::size_t files = 0;
    for (std::filesystem::directory_iterator file(folder_, why_not), end; !why_not && file != end && files < kMostFiles;
         file.increment(why_not), ++files)
      watch_way(file->path().string());
    watch(folder_, {});
  }
  for (const auto& [watch, names] : before) {
    if (!watched_.contains(watch)) ::inotify_rm_watch(events_.get(), watch);
  }
  if (trouble_.empty() || trouble_ == trouble_before) return;
  runtime::log(runtime::Level::kWarning, "certificates that change may be seen by a reload only: a folder cannot be watched",
               {{"folder", folder_}, {"error", trouble_}});
}

void CertificateWatch::watch_way(const std::string& path) {
  for (const runtime::Signpost& one : runtime::signposts(path)) watch(one.folder, one.name);
}

// `name`: that matters there; empty: all do. What is not there is decided by a folder above it.
void CertificateWatch::watch(const std::string& folder, const std::string& name) {
  const int watch = ::inotify_add_watch(events_.get(), folder.c_str(), kChanges);
  if (watch < 0 && errno != ENOENT && errno != ENOTDIR) trouble_ = fmt::format("{}: {}", folder, std::strerror(errno));
  if (watch < 0) return;
  const auto [at, is_new] = watched_.try_emplace(watch);
  if (name.empty()) {
    at->second.clear();
  } else if (is_new || !at->second.empty()) {
    at->second.insert(name);
  }
}

// An event without a name is about the folder itself; the kernel tells of lost ones without a watch.
bool CertificateWatch::is_ours(int watch, std::string_view name) const {
  if (watch < 0) return true;
  const auto found = watched_.find(watch);
  if (found == watched_.end()) return false;
  return name.empty() || found->second.empty() || found->second.contains(name);
}

void CertificateWatch::on_events() {
  alignas(inotify_event) std::array<char, 4096> events;
  for (ssize_t n = 0; (n = ::read(events_.get(), events.data(), events.size())) > 0;) {
    for (std::size_t at = 0; at < static_cast<std::size_t>(n);) {
      inotify_event event{};
      std::memcpy(&event, &events[at], sizeof event);
      const std::string_view name = event.len != 0 ? &events[at + sizeof event] : "";
      if (is_ours(event.wd, name) && !settled_.is_armed() && !folder_.empty()) settled_.arm(kSettled);
      at += sizeof event + event.len;
    }
  }
}

// Before anybody looks: what changes from now on will be heard of.
void CertificateWatch::on_settled() {
  watch_anew();
  on_changed_();
}

}  // namespace supervisor
