// Which worker gets the next request. Pure.
#pragma once
#include <cstdint>
#include <span>

#include "upstream/roster.h"

namespace upstream {

/// How much a worker has to do.
struct Load {
  WorkerId worker = 0;
  std::uint32_t in_flight = 0;   ///< leases
  std::uint32_t elsewhere = 0;   ///< slots that other fronts have taken, when last looked
  std::uint32_t slots = 0;       ///< leases it can have at the same time
  std::uint64_t last_used = 0;   ///< a count that rises with every lease of the app; 0: never
  std::uint32_t suspects = 0;    ///< of the leases, those of requests that a worker may have died of
  bool is_doubted = false;       ///< it has just lost a request and answered none since: it may be dead already
  bool takes_work = true;        ///< false: leaving or ended

  std::uint32_t busy() const { return in_flight + elsewhere; }
};

/// The worker with the fewest requests in flight and a free slot; among equals the least recently used. Never `tried`
/// (0: none), and for a suspect none that has another one, or is doubted: if it dies, it must be clear of what. Null: none is free. Fewest in
/// flight, not round robin: one slow request would stall every n-th client.
inline Load* choose(std::span<Load* const> loads, WorkerId tried, bool is_suspect) {
  Load* best = nullptr;
  for (Load* const load : loads) {
    if (!load->takes_work || load->busy() >= load->slots || load->worker == tried) continue;
    if (is_suspect && (load->suspects > 0 || load->is_doubted)) continue;
    const bool better = best == nullptr || load->busy() < best->busy() ||
                        (load->busy() == best->busy() && load->last_used < best->last_used);
    if (better) best = load;
  }
  return best;
}

}  // namespace upstream
