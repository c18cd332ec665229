// How a worker that serves is replaced on purpose, without a moment in which its place is empty
// (docs/design.md, "Promises"): start the replacement, wait until it is ready, publish it, unpublish the old
// one, drain, TERM, KILL. The table (worker_table.h) does each of these; here the two are in step. Read from
// top to bottom.
#include "runtime/log.h"
#include "supervisor/group.h"

namespace supervisor {

// Also where memory is short: without it requests would fail for certain.
void Group::replace(Worker& worker, retire::Why why) {
  if (!is_wanted_ || extra_ || worker.state() != State::kReady) return;
  runtime::log(
      runtime::Level::kWarning, "a worker is being replaced",
      {{"app", app_.name}, {"worker", worker.slot()}, {"pid", worker.pid()}, {"cause", retire::name(why)}});
  extra_ = std::make_unique<Worker>(herd_, *this, app_, account_, index_, worker.slot());
  replaced_ = &worker;
  tend();
}

// It is ready and published, or the old one has ended: the place is its.
void Group::hand_over() {
  std::swap(extra_, workers_[extra_->slot() - 1]);
  dismiss_extra();
}

// From here on it only has to leave. An idle one has left.
void Group::dismiss_extra() {
  replaced_ = nullptr;
  extra_->on(Event::kRetire);
  if (extra_ && extra_->state() == State::kIdle) on_extra_gone();
}

// By itself: an ordinary exit, whose place is filled at once. By the one that is on its way, if it is.
void Group::on_replaced_ended() {
  if (extra_->state() == State::kStarting) return hand_over();
  dismiss_extra();
}

// Perhaps we are in a call from it.
void Group::on_extra_gone() {
  const bool held_the_place = extra_->had_been_ready();
  if (held_the_place) workers_[extra_->slot() - 1]->follow(*extra_);
  herd_.reaper.loop().bury(std::move(extra_));
  show();
  for (const auto& worker : workers_) worker->look();
}

}  // namespace supervisor
