// Rewrites fields between client and app, both directions (RFC 9110 7.6). Pure: fields in, fields out, in place. Framing
// (Content-Length, chunked) is not here: see upstream/request_writer.h and h1_writer.h.
#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "proxy/client.h"
#include "runtime/clock.h"
#include "upstream/message.h"

namespace proxy {

/// What Max-Forwards says of a request, RFC 9110 7.6.2.
enum class Forwards : std::uint8_t {
  kGoOn,
  kEndHere,  ///< the front is the last one who may see it, and answers
  kUnclear,  ///< it is no number, or stands twice
};

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
  friend Forwards count_forward(upstream::RequestHead& head, AppFields& ours);
  friend void add_via(upstream::Version received, AppFields& ours);
  friend void name_request(const upstream::RequestHead& head, bool peer_is_trusted, AppFields& ours);
  static constexpr std::size_t kMostFields = 9;  // seven of prepare_request(), Max-Forwards, Via
  std::array<upstream::Field, kMostFields> fields_;
  std::size_t count_ = 0;
  std::array<char, 2048> text_;  // the values, one behind the other
  std::size_t used_ = 0;
  std::string_view request_id_;
};

/// Takes out of `head` what an app must not see: hop-by-hop fields, those named in Connection, Expect, names with '_' (which an
/// environment cannot tell from '-'), and, unless the peer is trusted, whatever claims to come from a proxy. Fills `ours` with
/// X-Forwarded-For, -Proto and -Host, Forwarded, X-Request-Id, X-Request-Start and traceparent; the views stay valid as long as `ours` and
/// the head's bytes. `began`: when the request came.
void prepare_request(upstream::RequestHead& head, const ClientFacts& client, bool peer_is_trusted, runtime::WallTime began,
                     AppFields& ours);

/// What is answered before it could be prepared has an id, too: only the access log sees it.
void name_request(const upstream::RequestHead& head, bool peer_is_trusted, AppFields& ours);

/// Behind prepare_request(): one hop fewer in Max-Forwards of OPTIONS. The other methods, for which it means nothing, keep it as
/// it is (and TRACE never gets here).
Forwards count_forward(upstream::RequestHead& head, AppFields& ours);

/// Via, behind whatever there is (RFC 9110 7.6.3), where the front stands between two HTTP messages: an app that is reached by HTTP.
/// Our own Python worker is a part of this server, not another one. `received`: how the message came to us.
void add_via(upstream::Version received, AppFields& ours);
void add_via(upstream::ResponseHead& head);

/// Of trailers (field lines, each with its CRLF), in either direction, those that may go on, RFC 9110 6.5.1: none that says
/// where a message ends, where it goes, who sends it or how it is to be read, for a recipient may take it for a field of the head.
std::string pass_trailers(std::string_view trailers);

/// Takes out of `head` what is for us only. `keep_upgrade`: it is the 101 of an upgrade that the client asked for.
/// `takes_trailers`: the client would not throw them away.
void prepare_response(upstream::ResponseHead& head, bool keep_upgrade, bool takes_trailers = false);

}  // namespace proxy
