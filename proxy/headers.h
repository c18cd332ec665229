// Rewrites fields between client and app, both directions (RFC 9110 7.6). Pure: fields in, fields out, in place. Framing
// (Content-Length, chunked) is not here: see upstream/request_writer.h and h1_writer.h.
#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "proxy/client.h"
#include "runtime/clock.h"
#include "upstream/message.h"

namespace proxy {

/// Fields that we add to a request, and the memory of their values. Filled by prepare_request(), once for each exchange.
class AppFields {
 public:
  AppFields() = default;
  AppFields(const AppFields&) = delete;  // its fields look into it
  AppFields& operator=(const AppFields&) = delete;

  std::span<const upstream::Field> fields() const { return {fields_.data(), count_}; }
  /// X-Request-Id: made by us, or a trusted peer's. Its bytes may be the head's.
  std::string_view request_id() const { return request_id_; }
  void clear() {
    count_ = 0;
    request_id_ = {};
  }

 private:
  friend class RequestRewriter;
  std::array<upstream::Field, 6> fields_;
  std::size_t count_ = 0;
  std::array<char, 2048> text_;  // the values, one behind the other
  std::size_t used_ = 0;
  std::string_view request_id_;
};

/// Takes out of `head` what an app must not see: hop-by-hop fields, those named in Connection, Expect, names with '_' (which an
/// environment cannot tell from '-'), and, unless the peer is trusted, whatever claims to come from a proxy. Fills `ours` with
/// X-Forwarded-For, -Proto and -Host, Forwarded, X-Request-Id and X-Request-Start; the views stay valid as long as `ours` and
/// the head's bytes. `began`: when the request came.
void prepare_request(upstream::RequestHead& head, const ClientFacts& client, bool peer_is_trusted, runtime::WallTime began,
                     AppFields& ours);

/// Takes out of `head` what is for us only. `keep_upgrade`: it is the 101 of an upgrade that the client asked for.
void prepare_response(upstream::ResponseHead& head, bool keep_upgrade);

}  // namespace proxy
