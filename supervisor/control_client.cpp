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
#include "supervisor/asker.h"

namespace supervisor {
namespace {

using namespace runtime::literals;
using Line = nlohmann::ordered_json;
using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

using Patience = std::optional<runtime::Milliseconds>;

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
bool is_readable(int fd, const Patience& patience) {
  pollfd ask{fd, POLLIN, 0};
  int n = 0;
  do n = ::poll(&ask, 1, patience ? static_cast<int>(patience->count()) : -1);
  while (n < 0 && errno == EINTR);
  return n > 0;
}

// The lines of an answer, one after the other.
class Lines {
 public:
  Lines(int fd, Patience patience) : fd_(fd), patience_(patience) {}

  Result<std::string> next() {
    std::size_t end = std::string::npos;
    while ((end = text_.find('\n', seen_)) == std::string::npos) {
      seen_ = text_.size();
      TRY_VOID(read_more());
    }
    std::string line = text_.substr(0, end);
    text_.erase(0, end + 1);
    seen_ = 0;
    return line;
  }

 private:
  Result<void> read_more() {
    if (!is_readable(fd_, patience_)) return fail(Code::kSystem, "the supervisor does not answer");
    char buffer[65536];
    const auto n = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (n <= 0) return fail(Code::kProtocol, "the supervisor hung up before it told the result");
    text_.append(buffer, static_cast<std::size_t>(n));
    if (text_.size() > kLongestAnswer) return fail(Code::kProtocol, "the supervisor does not stop answering");
    return {};
  }

  int fd_;
  Patience patience_;
  std::string text_;      // come, and not yet given
  std::size_t seen_ = 0;  // of text_: no line ends in it
};

// The word or text at `key`, whatever else the other side says there.
std::string text_at(const Line& line, std::string_view key, std::string otherwise) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::move(otherwise);
}

bool is_result(const Line& line) {
  const auto ok = line.find("ok");
  return ok != line.end() && ok->is_boolean();
}

Result<Line> read_result(int fd, const Question& question) {
  Lines lines(fd, question.patience);
  for (;;) {
    TRY(const std::string text, lines.next());
    Line line = Line::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) return fail(Code::kProtocol, "the supervisor's answer is not JSON");
    if (is_result(line)) return line;
    if (question.on_progress) question.on_progress(text);
  }
}

}  // namespace

std::optional<pid_t> who_answers(const std::string& path) {
  const Fd fd = runtime::connect_unix(path);
  if (!fd) return std::nullopt;
  return peer_of(fd.get());
}

Result<Reply> ask(const std::string& path, const Question& question) {
  TRY(Fd fd, connect(path));
  const std::string text = question.order + "\n";
  const auto n = ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
  // Who hangs up at once has said why.
  if (n != static_cast<ssize_t>(text.size()) && !(n < 0 && errno == EPIPE)) {
    return fail(Code::kSystem, "cannot speak to the supervisor", errno);
  }
  TRY(Line result, read_result(fd.get(), question));
  if (!result["ok"].get<bool>()) {
    return fail(code_of(text_at(result, "code", "")), text_at(result, "sentence", "the supervisor says no"));
  }
  result.erase("ok");
  const pid_t pid = peer_of(fd.get());
  return Reply{result.dump(-1, ' ', false, Line::error_handler_t::replace), std::move(fd), pid};
}

Result<Reply> ask(const std::string& path, const std::string& verb) {
  return ask(path, Question{.order = Line{{"verb", verb}}.dump()});
}

void wait_for_end(const Reply& reply) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, reply.pid, 0)));
  char byte = 0;
  pollfd connection{reply.connection.get(), POLLIN, 0};
  while (::poll(&connection, 1, -1) < 0 || ::recv(connection.fd, &byte, 1, MSG_DONTWAIT) > 0) {
  }
  // The connection is closed a moment before the process is gone.
  if (process) is_readable(process.get(), kPatience);
}

}  // namespace supervisor
