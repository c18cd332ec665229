// Counts an exchange that has ended: its access event, in the row of its app. One place for all counters of
// requests, so that `/metrics`, `status` and the access log cannot disagree. Pure: an event in, figures up.
#pragma once
#include "proxy/access_event.h"
#include "upstream/figures.h"

namespace proxy {

/// `row`: this thread's, for the app of the event. A few plain stores: no lock, no allocation.
void tally(const AccessEvent& event, upstream::AppCounts<upstream::Figure>& row);

}  // namespace proxy
