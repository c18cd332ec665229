// One exchange as its access log shows it, and the two ways of writing it down. Pure: an event in, a line
// out. Where lines go: access_log.h. The fields are docs/design.md's; their names and order in JSON are a
// promise.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/outcome.h"
#include "runtime/clock.h"
#include "runtime/socket.h"
#include "upstream/message.h"

namespace proxy {

/// Views are looked at during the call only. Zero or empty: there is none.
struct AccessEvent {
  runtime::WallTime time{};  ///< when the request came
  std::string_view id;       ///< X-Request-Id
  std::string_view app;
  std::uint32_t generation = 0;
  std::uint32_t worker = 0;  ///< its slot among the app's workers
  std::int32_t pid = 0;
  runtime::PeerAddress client;
  std::string_view method;
  std::string_view host;    ///< authority, as the client said it
  std::string_view target;  ///< path and query, as the client said it
  std::string_view path;    ///< without the query; `skip` is about it
  upstream::Version version = upstream::Version::kHttp11;
  std::string_view tls;  ///< "TLSv1.3"
  std::uint16_t status = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;  ///< of bodies
  runtime::Microseconds queue{0};             ///< in line for a slot, all attempts together
  runtime::Microseconds first_byte{-1};       ///< from the request to the app's head; negative: it never came
  runtime::Microseconds total{0};
  std::uint32_t attempts = 0;
  bool lives_long = false;  ///< a tunnel, an event stream, a gRPC call; not in the log
  Outcome outcome;
  std::string_view referer, user_agent;
};

/// A flat JSON object (RFC 8259) and a line end. Bytes that are no UTF-8 become U+FFFD.
void append_json(const AccessEvent&, std::string& line);

/// Apache's "combined" (mod_log_config) to the byte, escapes included; the time is local time.
void append_combined(const AccessEvent&, std::string& line);

}  // namespace proxy
