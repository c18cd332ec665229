// Which connection a lease gets: an idle one of its thread, another thread's, or a new one; and the end of those that stay idle.
#include <sys/socket.h>

#include <algorithm>
#include <cassert>

#include "runtime/log.h"
#include "upstream/dispatch.h"
#include "upstream/place.h"

namespace upstream {

using runtime::Loop;
using runtime::Time;

void Share::lease(Connection& connection) {
  connection.leased_at_ = leased.size();
  connection.leased_since_ = connection.desk_->loop().now();
  leased.push_back(&connection);
}

void Share::unlease(Connection& connection) {
  leased.back()->leased_at_ = connection.leased_at_;
  leased[connection.leased_at_] = leased.back();
  leased.pop_back();
}

/// Finds the lease an idle connection, this thread's own first: it is in our loop already. Without one the lease may
/// open a new connection, for then fewer are open than slots; else another thread's is to be taken over. That comes first
/// if there are other fronts: what is idle has a slot that is counted already.
std::unique_ptr<Connection> Dispatch::attach_locked(Lease& lease, bool may_repeat) {
  Place& place = *lease.place_;
  lease.connection_ = take_own_locked(*lease.desk_, place, may_repeat);
  if (lease.connection_) {
    place.shares[lease.desk_->thread_].lease(*lease.connection_);
    return nullptr;
  }
  const bool is_full = place.open >= place.slots;
  std::unique_ptr<Connection> others = is_full || is_shared() ? take_others_locked(place) : nullptr;
  // Each other lease has at most one connection, and this one has none: at least one of `slots` open ones is idle.
  assert(others || !is_full);
  if (!others) opened_locked(place);
  return others;
}

/// The same socket by a number of our own. The old number is closed by its thread, which may be looking at it right now.
void Dispatch::take_over(Lease& lease, std::unique_ptr<Connection> others, bool may_repeat) {
  Desk& desk = *lease.desk_;
  Place& place = *lease.place_;
  auto mine = std::make_unique<Connection>(desk.loop_, runtime::duplicate(others->fd()));
  const bool is_fresh = may_repeat || place.about.speech != Speech::kHttp || desk.loop_.now() - others->idle_since_ < kIdleAtMost;
  Loop& home = others->desk_->loop_;
  home.post([old = others.release()] { delete old; });
  if (mine->fd() < 0 || !is_fresh) return;
  mine->desk_ = &desk;
  mine->place_ = &place;
  mine->is_reused_ = true;
  mine->watch_.want_read(true);
  const std::scoped_lock lock(lock_);
  place.shares[desk.thread_].lease(*mine);
  lease.connection_ = std::move(mine);
}

/// At the end of the turn, for we may be in a call from its own watch. And in silence: its socket may have become readable
/// in this very turn, and whom it would tell has gone on to another connection.
void Dispatch::bury(std::unique_ptr<Connection> connection) {
  connection->watch_.rebind({}, {});
  Loop& loop = connection->desk_->loop_;
  loop.bury(std::move(connection));
}

void Dispatch::opened_locked(Place& place) {
  ++place.open;
  show_locked(place);
}

void Dispatch::closed_locked(Place& place) {
  --place.open;
  show_locked(place);
}

std::unique_ptr<Connection> Dispatch::take_own_locked(Desk& desk, Place& place, bool may_repeat) {
  auto& mine = place.shares[desk.thread_].idle;
  if (mine.empty()) return nullptr;
  std::unique_ptr<Connection> connection = std::move(mine.back());
  mine.pop_back();
  connection->is_idle_ = false;
  // A worker that is about to close an idle connection may have done so: not for a request that must not run twice.
  if (!may_repeat && place.about.speech == Speech::kHttp && desk.loop_.now() - connection->idle_since_ >= kIdleAtMost) {
    closed_locked(place);
    bury(std::move(connection));
    return nullptr;
  }
  return connection;
}

std::unique_ptr<Connection> Dispatch::take_others_locked(Place& place) {
  for (Share& share : place.shares) {
    auto& idle = share.idle;
    if (idle.empty()) continue;
    std::unique_ptr<Connection> connection = std::move(idle.back());
    idle.pop_back();
    connection->is_idle_ = false;
    return connection;
  }
  return nullptr;
}

/// Closes this thread's idle connections: those to workers that take no more work, and to foreign programs those
/// that were last used at or before `used_before`. All of them at Time::max().
void Dispatch::close_idle(Desk& desk, Time used_before) {
  std::vector<std::unique_ptr<Connection>> closing;  // closed outside the lock
  {
    const std::scoped_lock lock(lock_);
    bool some_stay = false;
    for (std::size_t i = places_.size(); i-- > 0;) {
      Place& place = *places_[i];
      std::erase_if(place.shares[desk.thread_].idle, [&](auto& connection) {
        const bool is_old = connection->idle_since_ <= used_before;
        const bool is_swept = is_old && (place.about.speech == Speech::kHttp || used_before == Time::max());
        const bool stays = place.takes_work && !is_swept;
        some_stay = some_stay || (stays && place.about.speech == Speech::kHttp);
        if (stays) return false;
        connection->is_idle_ = false;
        closed_locked(place);
        closing.push_back(std::move(connection));
        return true;
      });
      forget_if_empty_locked(place);
    }
    if (some_stay && !desk.sweep_.is_armed()) desk.sweep_.arm(kIdleAtMost / 2);
  }
  for (auto& connection : closing) bury(std::move(connection));
}

void Connection::on_idle_readable() { desk_->dispatch().on_idle_closed(*this); }

/// Nothing is due on an idle connection: it is the worker's goodbye, or an answer nobody asked for. Both end it.
void Dispatch::on_idle_closed(Connection& connection) {
  char byte = 0;
  const bool is_goodbye = ::recv(connection.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
  std::uint32_t slot = 0;
  std::int32_t pid = 0;
  std::string app;
  {
    const std::scoped_lock lock(lock_);
    if (!connection.is_idle_) {  // taken over by another thread: it is their answer; our number is closed by a post
      connection.watch_.want_read(false);
      return;
    }
    Place& place = *connection.place_;
    slot = place.about.slot;
    pid = place.about.pid;
    app = name_;
    auto& idle = place.shares[connection.desk_->thread_].idle;
    const auto at = std::find_if(idle.begin(), idle.end(), [&](const auto& c) { return c.get() == &connection; });
    std::unique_ptr<Connection> dead = std::move(*at);
    idle.erase(at);
    dead->is_idle_ = false;
    closed_locked(place);
    bury(std::move(dead));
    forget_if_empty_locked(place);
  }
  if (is_goodbye) return;
  runtime::log(runtime::Level::kWarning, "worker sent more than its answer",
               {{"app", app}, {"worker", slot}, {"pid", pid}, {"cause", "nobody has asked for it"}});
}

}  // namespace upstream
