#include "supervisor/readiness.h"

#include <sys/socket.h>
#include <unistd.h>

#include "runtime/socket.h"
#include "runtime/text.h"

namespace supervisor {

Proof proof_for(const conf::App& app) {
  const bool has_path = !app.health.path.empty();
  switch (app.kind()) {
    case conf::AppKind::kWsgi:
      if (has_path) return {.probe = true, .probe_after = true, .path = app.health.path};
      return {.notify = true};
    case conf::AppKind::kCommand:
      if (has_path) return {.probe = true, .path = app.health.path};
      return {.notify = true, .probe = true};
    case conf::AppKind::kProxy:
    case conf::AppKind::kNone:
      return {};
  }
  return {};
}

Proof proof_for_service() {
  constexpr runtime::Milliseconds kLongEnough{1000};
  return {.notify = true, .runs_for = kLongEnough};
}

bool says_ready(std::string_view datagram) {
  if (datagram.ends_with('\0')) datagram.remove_suffix(1);  // a C program that sent its string whole
  for (const std::string_view line : runtime::split(datagram, '\n')) {
    if (line == "READY=1") return true;
  }
  return false;
}

runtime::Result<runtime::Fd> NotifySocket::bind(const std::string& path) {
  return runtime::bind_unix_datagram(path, 0600);
}

NotifySocket::NotifySocket(runtime::Loop& loop, runtime::Fd socket, std::string path,
                           runtime::Call<> on_ready)
    : fd_(std::move(socket)),
      path_(std::move(path)),
      on_ready_(on_ready),
      watch_(loop, fd_.get(), runtime::bind<&NotifySocket::on_readable>(this)) {
  watch_.want_read(true);
}

NotifySocket::~NotifySocket() {
  ::unlink(path_.c_str());
}

// One a turn: a worker that floods us gets no more than its share. Descriptors that come with it are closed by the
// kernel, for we have no room for any; that is all that sd_notify_barrier(3) waits for. One that does not fit is no
// word, as with systemd: its last line could be half of another.
void NotifySocket::on_readable() {
  char buffer[kMostNotified];
  const auto n = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT | MSG_TRUNC);
  if (n <= 0 || static_cast<std::size_t>(n) > sizeof buffer) return;
  if (says_ready({buffer, static_cast<std::size_t>(n)})) on_ready_();
}

}  // namespace supervisor
