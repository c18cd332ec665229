#include "runtime/loop.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>

namespace runtime {
namespace {

timeval to_timeval(Clock::duration d) {
  if (d < Clock::duration::zero()) d = Clock::duration::zero();
  // Rounded up: an alarm that rings early would only have to be set again.
  const auto us = std::chrono::ceil<Microseconds>(d).count();
  return {us / 1'000'000, us % 1'000'000};
}

Event new_event(event_base* base, int fd, short what, event_callback_fn fn, void* argument) {
  Event made(event_new(base, fd, what, fn, argument));
  if (!made) std::abort();  // out of memory ends the process (docs/architecture.md)
  return made;
}

}  // namespace

void FreeEvent::operator()(event* e) const { event_free(e); }

Loop::Loop() {
  event_config* config = event_config_new();
  // Our loop owns its thread; libevent need not lock. The clock is read by now(), once a turn.
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  base_ = event_base_new_with_config(config);
  event_config_free(config);
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (base_ == nullptr || !wake_) std::abort();
  wake_event_ = new_event(base_, wake_.get(), EV_READ | EV_PERSIST,
                          [](int, short, void* self) { static_cast<Loop*>(self)->run_posted(); }, this);
  event_add(wake_event_.get(), nullptr);
}

Loop::~Loop() {
  dig();
  wake_event_.reset();
  event_base_free(base_);
}

void Loop::run() {
  stopping_ = false;
  while (!stopping_) turn();
}

void Loop::turn(bool wait) {
  now_known_ = false;
  if (first_deferred_ != nullptr || !graves_.empty()) wait = false;
  event_base_loop(base_, EVLOOP_ONCE | (wait ? 0 : EVLOOP_NONBLOCK));
  run_deferred();
  dig();
  ++turns_;
}

void Loop::stop() {
  post([this] { stopping_ = true; });
}

Time Loop::now() {
  read_clocks();
  return now_;
}

WallTime Loop::wall_now() {
  read_clocks();
  return wall_now_;
}

void Loop::read_clocks() {
  if (now_known_) return;
  now_ = Clock::now();
  wall_now_ = std::chrono::system_clock::now();
  now_known_ = true;
}

void Loop::post(std::function<void()> task) {
  {
    const std::scoped_lock lock(posted_lock_);
    posted_.push_back(std::move(task));
    if (posted_.size() > 1) return;  // the first one woke the loop already
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void Loop::run_posted() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto n = ::read(wake_.get(), &count, sizeof count);
  std::vector<std::function<void()>> tasks;
  {
    const std::scoped_lock lock(posted_lock_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) task();
}

void Loop::run_deferred() {
  // What a deferred call defers runs in this turn too, so that one read can end in one flush; eight rounds are more
  // than any chain here has, and keep a mistake from holding the loop.
  for (int round = 0; round < 8 && first_deferred_ != nullptr; ++round) {
    Deferred* const last = last_deferred_;
    for (bool more = true; more && first_deferred_ != nullptr;) {
      Deferred* const next = first_deferred_;
      more = next != last;
      first_deferred_ = next->next_;
      if (first_deferred_ == nullptr) last_deferred_ = nullptr;
      next->next_ = nullptr;
      next->scheduled_ = false;
      next->run_();
    }
  }
}

void Loop::dig() {
  // A destructor may bury more.
  while (!graves_.empty()) {
    const Grave grave = graves_.back();
    graves_.pop_back();
    grave.destroy(grave.body);
  }
}

IoWatch::IoWatch(Loop& loop, int fd, Call<> on_readable, Call<> on_writable)
    : loop_(loop), fd_(fd), on_readable_(on_readable), on_writable_(on_writable) {}

IoWatch::~IoWatch() = default;

void IoWatch::want_read(bool wanted) {
  if (wanted == wants_read_) return;
  wants_read_ = wanted;
  if (!read_) read_ = new_event(loop_.base(), fd_, EV_READ | EV_PERSIST, fire, this);
  wanted ? event_add(read_.get(), nullptr) : event_del(read_.get());
}

void IoWatch::want_write(bool wanted) {
  if (wanted == wants_write_) return;
  wants_write_ = wanted;
  if (!write_) write_ = new_event(loop_.base(), fd_, EV_WRITE | EV_PERSIST, fire, this);
  wanted ? event_add(write_.get(), nullptr) : event_del(write_.get());
}

void IoWatch::rebind(Call<> on_readable, Call<> on_writable) {
  on_readable_ = on_readable;
  on_writable_ = on_writable;
}

void IoWatch::fire(int, short what, void* self) {
  auto& watch = *static_cast<IoWatch*>(self);
  const Call<> call = (what & EV_READ) != 0 ? watch.on_readable_ : watch.on_writable_;
  if (call) call();
}

Timer::Timer(Loop& loop, Call<> on_due) : loop_(loop), on_due_(on_due) {}

Timer::~Timer() = default;

void Timer::arm(Milliseconds from_now) { arm_at(loop_.now() + from_now); }

void Timer::arm_at(Time deadline) {
  deadline_ = deadline;
  armed_ = true;
  if (!alarm_set_ || deadline < alarm_) set_alarm(deadline);
}

void Timer::set_alarm(Time at) {
  if (!event_) {
    event_ = new_event(loop_.base(), -1, 0, [](int, short, void* self) { static_cast<Timer*>(self)->on_alarm(); }, this);
  }
  const timeval wait = to_timeval(at - Clock::now());
  event_add(event_.get(), &wait);
  alarm_ = at;
  alarm_set_ = true;
}

void Timer::on_alarm() {
  alarm_set_ = false;
  if (!armed_) return;
  if (Clock::now() < deadline_) return set_alarm(deadline_);
  armed_ = false;
  on_due_();
}

SignalWatch::SignalWatch(Loop& loop, int signal, Call<> on_signal) : on_signal_(on_signal) {
  event_ = new_event(loop.base(), signal, EV_SIGNAL | EV_PERSIST,
                     [](int, short, void* self) { static_cast<SignalWatch*>(self)->on_signal_(); }, this);
  event_add(event_.get(), nullptr);
}

Deferred::~Deferred() {
  if (!scheduled_) return;
  Deferred** link = &loop_.first_deferred_;
  Deferred* before = nullptr;
  while (*link != this) {
    before = *link;
    link = &before->next_;
  }
  *link = next_;
  if (loop_.last_deferred_ == this) loop_.last_deferred_ = before;
}

void Deferred::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  if (loop_.last_deferred_ != nullptr) {
    loop_.last_deferred_->next_ = this;
  } else {
    loop_.first_deferred_ = this;
  }
  loop_.last_deferred_ = this;
}

}  // namespace runtime
