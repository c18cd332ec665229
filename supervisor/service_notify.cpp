#include "supervisor/service_notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "runtime/fd.h"

namespace supervisor {

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
