// How a worker that serves is replaced on purpose, without a moment in which its place is empty
// (docs/design.md, "Promises"): start the replacement, wait until it is ready, publish it, unpublish the old
// one, drain, TERM, KILL. The table (worker_table.h) does each of these; here the two are in step. Read from
// top to bottom.
#include <algorithm>

#include "runtime/log.h"
#include "runtime/machine.h"
#include "runtime/random.h"
#include "supervisor/group.h"

namespace supervisor {

// The most urgent first, as many at the same time as there may be more processes.
void Group::replace_due() {
  struct Due {
    retire::Why why;
    Place* place;
  };
  std::vector<Due> due;
  for (const auto& place : places_) {
    if (place->extra || place->is_leaving) continue;
    const auto [why, look_again] = place->holder->verdict(target_);
    if (why) due.push_back({*why, place.get()});
    if (look_again) tend_at(*look_again);
  }
  std::ranges::stable_sort(due, {}, &Due::why);
  for (const Due& one : due) {
    if (may_replace(one.why)) replace(*one.place, one.why);
  }
}

bool Group::may_replace(retire::Why why) const {
  retire::Room room{.max_surge = app().max_surge};
  for (const auto& place : places_) {
    if (place->extra) ++room.extras;
    if (place->has_successor) ++room.coming;
  }
  if (room.extras == 0 || room.extras >= room.max_surge) return retire::may_replace(why, room);
  room.available = within_share(runtime::available_memory());
  for (const Worker* const worker : all()) {
    room.one_worker = std::max(room.one_worker, worker->memory().value_or(0));
  }
  return retire::may_replace(why, room);
}

void Group::replace(Place& place, retire::Why why) {
  const Worker& old = *place.holder;
  runtime::log(why <= retire::Why::kUnwell ? runtime::Level::kWarning : runtime::Level::kInfo,
               "a worker is being replaced",
               {{"app", app().name}, {"worker", old.slot()}, {"pid", old.pid()}, {"cause", retire::name(why)}});
  if (why == retire::Why::kMemory && old.was_too_large_at_once()) note_too_large(old);
  place.extra = make_worker(place.slot());
  place.has_successor = true;
  begin(*place.extra);
}

// It is replaced all the same: it may leak, too. But ever more slowly, as what crashes at boot is tried.
void Group::note_too_large(const Worker& worker) {
  if (too_large_.failures() == 0) {
    runtime::log(runtime::Level::kError,
                 "a worker is larger than max_memory as soon as it is ready, and so will the next one be: raise max_memory",
                 {{"app", app().name}, {"worker", worker.slot()}, {"max_memory", app().max_memory}});
  }
  spared_until_ = herd_.reaper.loop().now() + too_large_.next(runtime::random_unit());
}

void Group::on_size_fits() {
  too_large_.reset();
  spared_until_ = {};
}

// Takes note of how far the two of a place have come.
void Group::settle(Place& place) {
  if (!place.extra) return;
  const State comer = place.extra->state();
  if (place.has_successor) {
    const bool has_old_ended = !place.holder->has_process();
    if (comer == State::kReady || (has_old_ended && comer == State::kStarting)) {
      hand_over(place);
    } else if (has_old_ended || place.extra->release() != target_) {
      dismiss_successor(place);
    }
  }
  if (place.has_successor || place.extra->state() != State::kIdle) return;
  if (place.extra->had_been_ready()) place.holder->follow(*place.extra);
  bury(std::move(place.extra));
}

// It is ready and published; or the old one has ended, and the place is filled by the one that is on its way.
void Group::hand_over(Place& place) {
  std::swap(place.holder, place.extra);
  place.has_successor = false;
  place.extra->on(Event::kRetire);
}

// The old one has ended by itself, and is started again as after any exit; or another release is wanted by now.
void Group::dismiss_successor(Place& place) {
  if (!std::exchange(place.has_successor, false)) return;
  place.extra->on(Event::kRetire);
}

}  // namespace supervisor
