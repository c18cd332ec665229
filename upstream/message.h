// A request or an answer without its body: heads as views into bytes that somebody else keeps. Knows nothing of wires:
// readers fill these (proxy/h1_reader, proxy/h2_session, response_reader, worker_protocol), writers print them.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/buffer.h"

namespace upstream {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kOptions, kPatch, kTrace, kConnect, kOther };

/// RFC 9110 9.2.2: the same request twice means what it means once. (An unknown method never does.)
constexpr bool is_idempotent(Method m) {
  return m != Method::kPost && m != Method::kPatch && m != Method::kConnect && m != Method::kOther;
}

/// Fields that something here looks at; every other one is passed on unread. See grammar.h, identify().
enum class FieldId : std::uint8_t {
  kOther, kAccept, kAuthority, kConnection, kContentLength, kContentType, kCookie, kDate, kExpect, kForwarded, kHost, kHttp2Settings,
  kKeepAlive, kMaxForwards, kProxy, kProxyConnection, kReferer, kServer, kTe, kTraceparent, kTracestate, kTrailer,
  kTransferEncoding, kUpgrade, kUserAgent, kVia, kXForwardedFor, kXForwardedHost, kXForwardedProto, kXForwardedPort, kXRealIp,
  kXRequestId, kXRequestStart, kSecWebsocketKey, kSecWebsocketAccept,
};

struct Field {
  std::string_view name;   ///< as it came; in HTTP/2 lower case
  std::string_view value;  ///< without white space around it
  FieldId id = FieldId::kOther;
};
using Fields = std::vector<Field>;  ///< in the order they came; heads are pooled, so the capacity is kept

inline const Field* find(const Fields& fields, FieldId id) {
  for (const Field& field : fields) {
    if (field.id == id) return &field;
  }
  return nullptr;
}

enum class Version : std::uint8_t { kHttp10, kHttp11, kHttp2 };
/// "HTTP/1.1", as logs and environments say it; HTTP/2 is "HTTP/2.0" there.
std::string_view protocol(Version);

/// How a body ends on the wire it came on.
enum class Framing : std::uint8_t {
  kNone,     ///< there is no body
  kLength,   ///< content_length bytes
  kChunked,  ///< chunked, or an HTTP/2 stream without content-length
  kToClose,  ///< until the connection closes (answers only)
};

struct RequestHead {
  Method method = Method::kGet;
  std::string_view method_text;   ///< "GET"
  std::string_view target;        ///< origin-form "/path?query" or "*"; absolute-form is already taken apart
  std::string_view path;          ///< target up to "?"
  std::string_view query;         ///< behind "?", may be empty
  std::string_view authority;     ///< host[:port] from Host, absolute-form or :authority; empty only in HTTP/1.0
  Version version = Version::kHttp11;
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;  ///< with kLength
  bool keep_alive = true;            ///< HTTP/1: the connection may be used again after this exchange
  bool expects_continue = false;     ///< Expect: 100-continue (HTTP/1.1 and 2)
  std::string_view upgrade;          ///< HTTP/1.1 Upgrade value when Connection names it; else empty
  bool takes_trailers = false;       ///< TE: trailers
  bool says_https = false;           ///< an absolute-form of that scheme
  Fields fields;                     ///< all but pseudo-fields; Host is among them in HTTP/1

  void clear();
};

struct ResponseHead {
  std::uint16_t status = 0;
  std::string_view reason;           ///< may be empty
  Version version = Version::kHttp11;  ///< in which the app has said it
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;  ///< with kLength; also known for HEAD, where framing is kNone
  bool keep_alive = true;            ///< the worker's connection may be used again
  Fields fields;                     ///< as they came, framing and hop-by-hop fields included

  bool is_interim() const { return status >= 100 && status < 200 && status != 101; }
  void clear();
};

/// What a reader found next in its input. Used by every reader of messages.
enum class Step : std::uint8_t {
  kMore,     ///< nothing whole yet: read more
  kInterim,  ///< a 1xx head (answers only)
  kHead,     ///< the head, once
  kBody,     ///< a piece of the body
  kEnd,      ///< the message is whole; what follows in the buffer is the next one's
  kBroken,   ///< not a message; the reader says why
};

}  // namespace upstream
