#include "supervisor/zygote.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "runtime/log.h"

namespace supervisor {

using runtime::Code;
using runtime::Fd;
using runtime::Milliseconds;
using runtime::Result;

namespace {

constexpr Milliseconds kWordOfZygote{1000};

/// Who says that it is born; by the kernel, so nobody else can. 0: it has gone, or nobody.
pid_t read_pid(int fd) {
  std::array<char, 16> text;
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  if (::recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0) return 0;
  const cmsghdr* const c = CMSG_FIRSTHDR(&header);
  if (c == nullptr || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS) return 0;
  ucred who{};
  std::memcpy(&who, CMSG_DATA(c), sizeof who);
  return who.pid;
}

Result<Spawned> watch(pid_t pid) {
  Spawned spawned{.pid = pid};
  spawned.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!spawned.pidfd) return runtime::fail(Code::kSystem, "cannot watch the forked worker", errno);
  return spawned;
}

}  // namespace

Result<std::shared_ptr<Zygote>> Zygote::start(Reaper& reaper, const SpawnPlan& plan, Fd control) {
  TRY(Spawned spawned, spawn(plan));
  return std::make_shared<Zygote>(reaper, std::move(spawned), std::move(control));
}

Zygote::Zygote(Reaper& reaper, Spawned spawned, Fd control)
    : loop_(reaper.loop()),
      control_(loop_, std::move(control), runtime::bind<&Zygote::on_message>(this), runtime::bind<&Zygote::on_closed>(this)),
      child_(reaper, std::move(spawned), runtime::bind<&Zygote::on_exited>(this)) {}

void Zygote::on_exited(const Exit& exit) {
  const std::string why = child_.failure() ? child_.failure()->text()
                                           : fmt::format("its zygote has ended: {}", describe(exit, {.sent_by_us = child_.sent()}));
  for (Birth* const birth : std::exchange(births_, {})) birth->fail(why);
}

Result<std::unique_ptr<Birth>> Birth::ask(std::shared_ptr<Zygote> zygote, const Newborn& newborn,
                                          runtime::Call<Result<Spawned>&> on_born) {
  TRY(auto ends, runtime::Channel::pair());
  const int on = 1;
  if (::setsockopt(ends.first.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    return runtime::fail(Code::kSystem, "cannot ask who a forked worker is", errno);
  }
  runtime::Message message{.text = fmt::format("{} {}", ::getpid(), newborn.notify), .fds = {}};
  for (const int fd : {newborn.listener, newborn.out, newborn.err, newborn.stack}) {
    message.fds.push_back(runtime::duplicate(fd));
    if (!message.fds.back()) return runtime::fail(Code::kSystem, "cannot duplicate a descriptor", errno);
  }
  message.fds.push_back(std::move(ends.second));
  zygote->control_.send(std::move(message));
  return std::make_unique<Birth>(std::move(zygote), std::move(ends.first), on_born);
}

Birth::Birth(std::shared_ptr<Zygote> zygote, Fd ours, runtime::Call<Result<Spawned>&> on_born)
    : zygote_(std::move(zygote)),
      fd_(std::move(ours)),
      on_born_(on_born),
      watch_(zygote_->loop_, fd_.get(), runtime::bind<&Birth::on_readable>(this)),
      silence_(zygote_->loop_, runtime::bind<&Birth::on_silence>(this)) {
  zygote_->births_.push_back(this);
  watch_.want_read(true);
}

Birth::~Birth() { std::erase(zygote_->births_, this); }

void Birth::on_readable() {
  watch_.want_read(false);
  const pid_t pid = read_pid(fd_.get());
  if (pid == 0) return silence_.arm(kWordOfZygote);
  Result<Spawned> spawned = watch(pid);
  if (spawned && ::send(fd_.get(), "!", 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1) return silence_.arm(kWordOfZygote);
  on_born_(spawned);
}

void Birth::fail(std::string why) {
  Result<Spawned> none = runtime::fail(Code::kSystem, std::move(why));
  on_born_(none);
}

void Birth::on_silence() { fail("it has ended before it was a worker"); }

}  // namespace supervisor
