// The front process: obeys the supervisor's orders, builds the site and its threads, reports back. Handles no request
// itself: each thread does (front_thread.h). Ends when told to drain, or when the supervisor has gone.
#pragma once

namespace proxy {

/// What a front has from its start.
struct FrontDescriptors {
  int channel;     ///< of orders, to the supervisor (upstream/orders.h)
  int scoreboard;  ///< what it counts in (upstream/scoreboard.h)
  int herd_board;  ///< what it may read of the supervisor (upstream/herd_board.h)
};

/// The whole life of a front process; returns its exit status.
int run_front(const FrontDescriptors&);

}  // namespace proxy
