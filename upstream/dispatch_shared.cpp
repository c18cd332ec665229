// A worker that two fronts give work to, each without the other's lock: what one has taken stands in its block of the
// scoreboard (WorkerFigures::taken), and the other counts it.
//
// Who takes a slot counts it first and looks at the others' then. Of two that take the last one at the same time at least
// one sees too many and takes it back; perhaps both do, and then both wait and look again. An idle connection has its
// slot, too: while there are two fronts none is kept. A front whose line is never empty leaves a slot to who has waited for much
// longer in another one's. While there is only one, nothing of this happens.
#include <algorithm>

#include "upstream/dispatch.h"
#include "upstream/place.h"

namespace upstream {
namespace {

/// Nobody says that another front has freed a slot.
constexpr runtime::Milliseconds kLookAgain{5};

/// Between two lines, in milliseconds: less is as good as the same time.
constexpr std::uint64_t kMuchLonger = 100;

std::uint32_t taken(const Place& place) { return std::max(place.in_flight, place.open); }

std::uint32_t taken_elsewhere(const Scoreboard& fronts, const Place& place) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(fronts.taken_elsewhere(place.about.row), place.slots));
}

}  // namespace

void Dispatch::look_elsewhere_locked() {
  const bool is_shared = this->is_shared();
  if (!is_shared && !has_looked_elsewhere_) return;
  has_looked_elsewhere_ = is_shared;
  for (const auto& place : places_) place->elsewhere = is_shared ? taken_elsewhere(*fronts_, *place) : 0;
}

/// After it has been counted as ours. False: to be taken back, it is too many; to choose() the worker is full until we look again.
/// Not as full as it was a moment ago: an idle connection of ours, which no lease shows, and a try of the other front, which may
/// end in the middle of it, would have us choose it again and again.
bool Dispatch::fits_locked(Place& place) {
  if (!has_looked_elsewhere_) return true;
  if (taken(place) + taken_elsewhere(*fronts_, place) <= place.slots) return true;
  place.elsewhere = place.slots;
  return false;
}

/// Whether what is free is left to another front this time. What we free we have given to the next one in our line before anybody
/// else can look: where there always is one, the last requests of a front that drains would wait for ever. Every other time only,
/// for who waits there may be unable to take it.
bool Dispatch::yields_locked() {
  if (queue_.first() == nullptr || !is_shared()) return has_yielded_ = false;
  const std::uint64_t theirs = fronts_->waits_since_elsewhere(index_);
  const bool is_their_turn = theirs != 0 && theirs < waits_since_locked() - kMuchLonger;
  return has_yielded_ = is_their_turn && !has_yielded_;
}

/// What its row says is ours alone to write; of one that has ended nothing, for the row may be another's by now.
void Dispatch::show_locked(const Place& place) {
  if (place.has_ended) return;
  WorkerFigures& row = board_.worker[place.about.row];
  row.busy.store(place.in_flight, std::memory_order_relaxed);
  // Alone, it is read by nobody before the next front has started, which takes longer than a store.
  row.taken.store(taken(place), is_shared() ? std::memory_order_seq_cst : std::memory_order_relaxed);
}

/// `here`: the desk of the calling thread; null: it has none. Not whether there is another front now: it may have ended since we
/// found its slots taken, and nobody else would tell those in line.
void Dispatch::keep_looking_locked(Desk* here) {
  if (queue_.length() == 0 || !(has_looked_elsewhere_ || has_yielded_)) return;
  if (here != nullptr) {
    if (!here->look_.is_armed()) here->look_.arm(kLookAgain);
  } else if (!desks_.empty()) {
    desks_.front()->loop_.post([desk = desks_.front()] { desk->look(); });
  }
}

void Desk::look() {
  const std::scoped_lock lock(dispatch_.lock_);
  dispatch_.pump_locked(this);
  dispatch_.figure_locked();
}

void Dispatch::make_way() {
  {
    const std::scoped_lock lock(lock_);
    has_made_way_ = true;
  }
  for (Desk* desk : desks_) desk->loop_.post([this, desk] { close_idle(*desk, runtime::Time::max()); });
}

}  // namespace upstream
