// What is noted of an exchange on its way, and the access event that it becomes at the end.
#pragma once
#include <cstdint>

#include "proxy/access_event.h"
#include "proxy/client.h"
#include "upstream/roster.h"

namespace proxy {

struct Record {
  runtime::WallTime began_wall{};
  runtime::Time began{}, leased{}, first_byte{};  // zero: it did not come to that
  std::uint64_t received = 0, sent = 0;           // body bytes, from and to the client
  std::uint16_t status = 0;                       // 0: nothing was answered
  std::uint8_t attempts = 0;
  upstream::WorkerId worker = 0;                  // the last one that had it; 0: none
  std::uint32_t slot = 0, row = 0, generation = 0;
  std::int32_t pid = 0;

  void begin(runtime::Time now);
  void lease(const upstream::Worker& worker, runtime::Time now);
  /// All but the app and the outcome. Views into what is given.
  AccessEvent event(const upstream::RequestHead& request, const ClientFacts& client, runtime::Time now) const;
};

}  // namespace proxy
