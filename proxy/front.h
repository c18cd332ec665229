// The front process: obeys the supervisor's orders, builds the site and its threads, reports back. Handles no request
// itself: each thread does (front_thread.h). Ends when told to drain, or when the supervisor has gone.
#pragma once

namespace proxy {

/// The whole life of a front process; returns its exit status. `channel_fd`: the order channel to the supervisor
/// (upstream/orders.h). `scoreboard_fd`: the shared figures (upstream/scoreboard.h).
int run_front(int channel_fd, int scoreboard_fd);

}  // namespace proxy
