#include "proxy/access_log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runtime/log.h"

namespace proxy {
namespace {

using runtime::Bytes;
using namespace std::chrono_literals;
using namespace runtime::literals;

constexpr Bytes kMostPending = 1_MiB;
// The writer waits this long for company before it writes, unless there is a batch.
constexpr std::chrono::milliseconds kGather = 20ms;
constexpr Bytes kBatch = 128_KiB;
// A log that cannot be written is told at most so often.
constexpr std::chrono::seconds kSayEvery = 10s;
// A file or pipe that takes nothing is looked at again so often; once, when the front ends.
constexpr int kStuckMs = 1000;

}  // namespace

AccessLog::~AccessLog() {
  {
    const std::scoped_lock lock(lock_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  if (writer_.joinable()) writer_.join();
}

/// A path in `skip` is only worth a line if something is wrong with it.
bool AccessLog::wants(const AccessEvent& event, const conf::AccessLog& how) {
  constexpr std::uint16_t kFirstFailure = 400;
  if (how.skip.empty() || event.outcome != kOk || event.status >= kFirstFailure) return true;
  if (how.slow.count() > 0 && event.total >= how.slow) return true;
  return std::ranges::find(how.skip, event.path) == how.skip.end();
}

void AccessLog::write(const AccessEvent& event, const conf::AccessLog& how) {
  slow_.look_at(event, how.slow);
  if (!wants(event, how)) return;
  thread_local std::string line;  // for its capacity
  line.clear();
  how.format == conf::AccessFormat::kJson ? append_json(event, line) : append_combined(event, line);
  bool must_wake = false;
  {
    const std::scoped_lock lock(lock_);
    if (pending_.size() + line.size() > kMostPending) {
      ++dropped_;
      return;
    }
    const bool was_batch = pending_.size() >= kBatch;
    pending_.append(line);
    must_wake = (writer_sleeps_ && has_file_) || (!was_batch && pending_.size() >= kBatch);
    if (must_wake) writer_sleeps_ = false;
  }
  if (must_wake) wake_.notify_one();
}

void AccessLog::reopen(runtime::Fd fd) {
  {
    const std::scoped_lock lock(lock_);
    next_ = std::move(fd);
    has_file_ = true;
    writer_sleeps_ = false;
  }
  if (!writer_.joinable()) writer_ = std::thread([this] { run(); });
  wake_.notify_one();
}

bool AccessLog::has_work() const {
  return is_stopping_ || next_ || (has_file_ && !pending_.empty());
}

// ---- the writer's thread ----

void AccessLog::run() {
  runtime::Fd file;
  std::unique_lock lock(lock_);
  for (;;) {
    writer_sleeps_ = true;
    wake_.wait(lock, [this] { return has_work(); });
    writer_sleeps_ = false;
    wake_.wait_for(lock, kGather, [this] { return is_stopping_ || pending_.size() >= kBatch; });
    if (next_) file = std::exchange(next_, {});
    const bool is_last = is_stopping_;
    if (file) batch_.swap(pending_);
    const std::uint64_t dropped = std::exchange(dropped_, 0);
    lock.unlock();
    const std::size_t lost = file ? write_out(file.get()) : 0;
    batch_.clear();
    say_lost(dropped + lost);
    if (is_last) return;
    lock.lock();
  }
}

/// Writes batch_; returns how many lines of it could not be written.
std::size_t AccessLog::write_out(int fd) {
  std::string_view rest = batch_;
  while (!rest.empty()) {
    const ssize_t n = ::write(fd, rest.data(), rest.size());
    if (n >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR && !(errno == EAGAIN && wait_for_room(fd))) {
      break;
    }
  }
  return static_cast<std::size_t>(std::ranges::count(rest, '\n'));
}

/// For a pipe that somebody made non-blocking. False: the front ends and nobody reads there.
bool AccessLog::wait_for_room(int fd) {
  for (;;) {
    pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
    if (::poll(&room, 1, kStuckMs) != 0) return true;
    const std::scoped_lock lock(lock_);
    if (is_stopping_) return false;
  }
}

void AccessLog::say_lost(std::uint64_t events) {
  unsaid_ += events;
  const runtime::Time now = runtime::Clock::now();
  if (unsaid_ == 0 || (said_ != runtime::Time() && now - said_ < kSayEvery)) return;
  said_ = now;
  runtime::log(runtime::Level::kError, "access log cannot be written fast enough; events are lost",
               {{"events", std::exchange(unsaid_, 0)}});
}

}  // namespace proxy
