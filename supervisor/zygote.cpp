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

#include "conf/origin.h"
#include "runtime/log.h"

namespace supervisor {

using runtime::Code;
using runtime::Fd;
using runtime::Level;
using runtime::Milliseconds;
using runtime::Result;

namespace {

constexpr Milliseconds kWordOfZygote{1000};
constexpr std::string_view kBorn = "born";
constexpr std::size_t kMostWord = 256;

struct Word {
  std::string text;  // empty: the other end has gone
  pid_t pid = 0;     // who says it; by the kernel, so nobody can say it for somebody else
};

Word read_word(int fd) {
  std::array<char, kMostWord> text;
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size <= 0) return {};
  Word word{.text = std::string(text.data(), static_cast<std::size_t>(size))};
  const cmsghdr* const c = CMSG_FIRSTHDR(&header);
  if (c == nullptr || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS) return word;
  ucred who{};
  std::memcpy(&who, CMSG_DATA(c), sizeof who);
  word.pid = who.pid;
  return word;
}

}  // namespace

Result<std::shared_ptr<Zygote>> Zygote::start(Reaper& reaper, const SpawnPlan& plan, Fd control, std::string name) {
  TRY(Spawned spawned, spawn(plan));
  return std::make_shared<Zygote>(reaper, std::move(spawned), std::move(control), std::move(name));
}

Zygote::Zygote(Reaper& reaper, Spawned spawned, Fd control, std::string name)
    : reaper_(reaper),
      name_(std::move(name)),
      control_(reaper.loop(), std::move(control), runtime::bind<&Zygote::on_message>(this),
               runtime::bind<&Zygote::on_closed>(this)),
      child_(reaper, std::move(spawned), runtime::bind<&Zygote::on_exited>(this)) {}

Zygote::Zygote(Reaper& reaper, const saved::Zygote& saved, std::string name)
    : reaper_(reaper),
      name_(std::move(name)),
      control_(reaper.loop(), saved::take(saved.control), runtime::bind<&Zygote::on_message>(this),
               runtime::bind<&Zygote::on_closed>(this)),
      child_(reaper, saved.child, runtime::bind<&Zygote::on_exited>(this)) {}

saved::Zygote Zygote::save() const {
  return {.child = child_.save(), .control = {control_.fd()}};
}

// Those whom it has forked notice nothing.
void Zygote::on_exited(const Exit& exit) {
  const std::string why =
      child_.failure() ? child_.failure()->text() : describe(exit, {.sent_by_us = child_.sent(), .asked_by_us = child_.asked()});
  if (births_.empty() && child_.sent() == 0) {
    runtime::log(Level::kWarning, "a zygote has ended; the next worker starts another one",
                 {{"app", name_}, {"pid", child_.pid()}, {"exit", why}});
  }
  for (Birth* const birth : std::vector(births_)) birth->fail(fmt::format("its zygote has ended: {}", why));
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
      watch_(zygote_->reaper_.loop(), fd_.get(), runtime::bind<&Birth::on_readable>(this)),
      silence_(zygote_->reaper_.loop(), runtime::bind<&Birth::on_silence>(this)) {
  zygote_->births_.push_back(this);
  watch_.want_read(true);
}

Birth::~Birth() { std::erase(zygote_->births_, this); }

void Birth::on_readable() {
  const Word word = read_word(fd_.get());
  if (word.text == kBorn) return end(take(word.pid));
  if (!word.text.empty()) return fail(conf::printable(word.text, kMostWord));
  watch_.want_read(false);
  silence_.arm(kWordOfZygote);
}

// The code of an app is not trusted to be sound: any process of its user may have said the word.
Result<Spawned> Birth::take(pid_t pid) const {
  TRY(Spawned spawned, zygote_->reaper_.take_orphan(pid));
  if (::send(fd_.get(), "!", 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1) {
    return runtime::fail(Code::kSystem, "it has ended before it was a worker");
  }
  return spawned;
}

void Birth::fail(std::string why) { end(runtime::fail(Code::kSystem, std::move(why))); }

void Birth::end(Result<Spawned> how) {
  watch_.want_read(false);
  silence_.cancel();
  std::erase(zygote_->births_, this);
  on_born_(how);
}

void Birth::on_silence() { fail("it has ended before it was a worker"); }

}  // namespace supervisor
