#include "supervisor/certificate_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/log.h"

namespace supervisor {
namespace {

// Files written, renamed or linked into their places, removed, or made readable.
constexpr std::uint32_t kChanges =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

CertificateWatch::CertificateWatch(runtime::Loop& loop, runtime::Call<> on_changed)
    : events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      settled_(loop, on_changed),
      watch_(loop, events_.get(), runtime::bind<&CertificateWatch::on_events>(this)) {
  if (events_) watch_.want_read(true);
}

// The same path may be another folder by now; if it is not, the kernel gives the same watch again.
void CertificateWatch::look_at(const std::string& folder) {
  const int before = std::exchange(watched_, folder.empty() ? -1 : ::inotify_add_watch(events_.get(), folder.c_str(), kChanges));
  if (before >= 0 && before != watched_) ::inotify_rm_watch(events_.get(), before);
  const bool is_new = std::exchange(folder_, folder) != folder;
  if (folder.empty() || watched_ >= 0 || !is_new) return;
  runtime::log(runtime::Level::kWarning, "certificates that change are seen by a reload only: their folder cannot be watched",
               {{"folder", folder}, {"error", std::strerror(errno)}});
}

void CertificateWatch::on_events() {
  std::array<char, 4096> events{};
  while (::read(events_.get(), events.data(), events.size()) > 0) {
  }
  if (!settled_.is_armed() && !folder_.empty()) settled_.arm(kSettled);
}

}  // namespace supervisor
