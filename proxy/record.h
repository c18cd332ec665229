// What is noted of an exchange on its way, and the access event that it becomes at the end.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "proxy/access_event.h"
#include "proxy/client.h"
#include "upstream/retry.h"
#include "upstream/roster.h"

namespace proxy {

/// A worker that was lost while it had the exchange.
struct Loss {
  upstream::WorkerId worker = 0;
  std::int32_t pid = 0;
};

struct Record {
  runtime::WallTime began_wall{};
  runtime::Time began{}, first_byte{};            // zero: it did not come to that
  runtime::Time sought{};                         // since then it waits for a slot; zero: it does not
  runtime::Time::duration queued{};               // it has waited so long before
  std::uint64_t received = 0, sent = 0;           // body bytes, from and to the client
  std::uint16_t status = 0;                       // 0: nothing was answered
  std::uint8_t attempts = 0;
  upstream::WorkerId worker = 0;                  // the last one that had it; 0: none
  std::uint32_t slot = 0, generation = 0;
  std::int32_t pid = 0;
  std::array<Loss, upstream::kMostDeaths> lost{};  // each worker once
  std::uint8_t losses = 0;                         // of them in `lost`

  void begin(runtime::Time now, runtime::WallTime wall_now);
  void seek(runtime::Time now) { sought = now; }
  void lease(const upstream::Worker& worker, runtime::Time now);
  /// Leased, refused, or gone.
  void stop_waiting(runtime::Time now);
  /// The worker that has it may have died of it.
  void lose();
  bool has_lost(upstream::WorkerId one) const {
    return std::ranges::any_of(all_lost(), [one](const Loss& loss) { return loss.worker == one; });
  }
  std::span<const Loss> all_lost() const { return {lost.data(), losses}; }
  /// All but the app and the outcome. Views into what is given.
  AccessEvent event(const upstream::RequestHead& request, const ClientFacts& client, runtime::Time now) const;
};

}  // namespace proxy
