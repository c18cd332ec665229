// A worker's place in its Dispatch: its load, and by thread the connections that are idle and those in use. Private to dispatch.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "upstream/dispatch.h"
#include "upstream/losses.h"

namespace upstream {

/// gunicorn closes an idle connection after 2 s, Node and uvicorn after 5 s; we must be the first to let go, or a request
/// would meet the closing. Half of the shortest.
inline constexpr runtime::Milliseconds kIdleAtMost{1000};

/// What one thread has of a worker's connections, on cache lines of its own: guarded by the dispatch's lock like all of it, but
/// hardly ever looked at by another thread.
struct alignas(kCacheLine) Share {
  std::vector<std::unique_ptr<Connection>> idle;  ///< the last one was used last
  std::vector<Connection*> leased;                ///< in use; cut when the worker ends

  /// It is in use; and no longer. Both take the same time however many are: with HTTP/2 a thread has hundreds.
  void lease(Connection& connection);
  void unlease(Connection& connection);
};

/// What every lease changes comes first: threads take turns at those cache lines.
struct alignas(kCacheLine) Place : Load {
  bool has_ended = false;            ///< the process is dead
  std::uint32_t open = 0;            ///< connections, idle, leased or promised to a lease; never above slots
  std::uint64_t requests_left = 0;   ///< until the supervisor is told that it has had enough; 0: it is not, or has been told
  std::vector<Share> shares;         ///< by thread
  Dispatch* dispatch = nullptr;
  Worker about;
  runtime::Time doubted{};           ///< since when, while is_doubted
  Losses losses;                     ///< leases that ended without an answer
  runtime::Loop* drained_loop = nullptr;
  std::function<void()> on_drained;  ///< set while it drains
};

}  // namespace upstream
