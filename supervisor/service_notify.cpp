#include "supervisor/service_notify.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "runtime/fd.h"

namespace supervisor {

std::string stopping(const conf::Settings& settings) {
  constexpr conf::milliseconds kSlack{15'000};  // for what is killed when its clock has run out
  conf::milliseconds workers{0}, services{0};   // those come after these
  for (const conf::App& app : settings.apps) {
    workers = std::max(workers, app.graceful_timeout);
    for (const conf::Service& service : app.services) {
      services = std::max(services, conf::service_app(app, service).graceful_timeout);
    }
  }
  const conf::Front& front = settings.front;
  const auto most = front.shutdown_delay + front.drain_timeout + workers + services + kSlack;
  return fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", std::chrono::microseconds(most).count());
}

ServiceNotify::ServiceNotify() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path != nullptr && (*path == '/' || *path == '@')) path_ = path;
  ::unsetenv("NOTIFY_SOCKET");
}

void ServiceNotify::say(std::string_view text) const {
  sockaddr_un to{};
  if (path_.empty() || path_.size() >= sizeof to.sun_path) return;
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path_.data(), path_.size());
  if (path_.front() == '@') to.sun_path[0] = '\0';
  const runtime::Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  ::sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL,
           static_cast<const sockaddr*>(static_cast<const void*>(&to)), length);
}

}  // namespace supervisor
