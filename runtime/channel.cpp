#include "runtime/channel.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace runtime {

Result<std::pair<Fd, Fd>> Channel::pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return fail(Code::kSystem, "cannot make a channel between our processes", errno);
  }
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

Channel::Channel(Loop& loop, Fd end, Call<Message&> on_message, Call<> on_closed)
    : fd_(std::move(end)),
      on_message_(on_message),
      on_closed_(on_closed),
      watch_(loop, fd_.get(), bind<&Channel::on_readable>(this), bind<&Channel::on_writable>(this)) {
  watch_.want_read(true);
}

void Channel::send(Message message) {
  if (waiting_.empty() && send_now(message)) return;
  if (waiting_.size() >= kMaxWaiting) return close();
  waiting_.push_back(std::move(message));
  watch_.want_write(true);
}

bool Channel::send_now(const Message& message) {
  iovec part{const_cast<char*>(message.text.data()), message.text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxFds)> control{};
  if (!message.fds.empty()) {
    const std::size_t bytes = sizeof(int) * message.fds.size();
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(bytes);
    for (std::size_t i = 0; i < message.fds.size(); ++i) {
      const int fd = message.fds[i].get();
      std::memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof fd);
    }
  }
  const auto sent = ::sendmsg(fd_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  // A broken peer shows on the reading side too; the message is dropped with it.
  return sent >= 0 || (errno != EAGAIN && errno != ENOBUFS);
}

void Channel::on_writable() {
  while (!waiting_.empty() && send_now(waiting_.front())) waiting_.pop_front();
  if (waiting_.empty()) watch_.want_write(false);
}

void Channel::on_readable() {
  std::string text(kMaxText, '\0');
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxFds)> control;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const auto n = ::recvmsg(fd_.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  Message message;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); n > 0 && c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      message.fds.emplace_back(fd);
    }
  }
  if (n <= 0 || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return close();
  text.resize(static_cast<std::size_t>(n));
  message.text = std::move(text);
  on_message_(message);
}

void Channel::close() {
  watch_.want_read(false);
  watch_.want_write(false);
  waiting_.clear();
  on_closed_();
}

}  // namespace runtime
