#include "supervisor/control_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>

#include "runtime/bytes.h"
#include "runtime/socket.h"

namespace supervisor {
namespace {

using namespace runtime::literals;
using Json = nlohmann::json;
using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

constexpr int kPatienceMs = 10'000;
constexpr runtime::Bytes kLongestAnswer = 16_MiB;  // 4096 workers are some 800 KiB

// Of a connected Unix socket: who called listen() (unix(7)).
pid_t peer_of(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.pid : 0;
}

Result<Fd> connect(const std::string& path) {
  Fd fd = runtime::connect_unix(path);
  if (fd) return fd;
  if (errno == EACCES || errno == EPERM) return fail(Code::kPermission, "you may not use " + path, errno);
  return fail(Code::kNotRunning, fmt::format("not running: nobody answers at {}", path));
}

// poll(2) is never restarted after a signal (signal(7)); then the patience begins anew.
bool is_readable(int fd) {
  pollfd ask{fd, POLLIN, 0};
  int n = 0;
  do n = ::poll(&ask, 1, kPatienceMs);
  while (n < 0 && errno == EINTR);
  return n > 0;
}

Result<std::string> read_line(int fd) {
  std::string text;
  while (!text.ends_with('\n')) {
    if (!is_readable(fd)) return fail(Code::kSystem, "the supervisor does not answer");
    char buffer[65536];
    const auto n = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) continue;
    if (n <= 0) return fail(Code::kProtocol, "the supervisor hung up");
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kLongestAnswer) return fail(Code::kProtocol, "the supervisor does not stop answering");
  }
  return text;
}

}  // namespace

std::optional<pid_t> who_answers(const std::string& path) {
  const Fd fd = runtime::connect_unix(path);
  if (!fd) return std::nullopt;
  return peer_of(fd.get());
}

Result<Reply> ask(const std::string& path, const std::string& verb) {
  TRY(Fd fd, connect(path));
  const std::string line = Json{{"verb", verb}}.dump() + "\n";
  if (::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    return fail(Code::kSystem, "cannot speak to the supervisor", errno);
  }
  TRY(std::string text, read_line(fd.get()));
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return fail(Code::kProtocol, "the supervisor's answer is not JSON");
  if (json.value("ok", true)) {
    const pid_t pid = peer_of(fd.get());
    return Reply{std::move(text), std::move(fd), pid};
  }
  const bool is_forbidden = json.value("code", "") == "permission";
  return fail(is_forbidden ? Code::kPermission : Code::kProtocol, json.value("sentence", "it says no"));
}

void wait_for_end(const Reply& reply) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, reply.pid, 0)));
  char byte = 0;
  pollfd connection{reply.connection.get(), POLLIN, 0};
  while (::poll(&connection, 1, -1) < 0 || ::recv(connection.fd, &byte, 1, MSG_DONTWAIT) > 0) {
  }
  // The connection is closed a moment before the process is gone.
  if (process) is_readable(process.get());
}

}  // namespace supervisor
