#include "proxy/headers.h"

#include <algorithm>
#include <array>
#include <limits>

#include "proxy/traceparent.h"
#include "runtime/random.h"
#include "upstream/field_set.h"
#include "upstream/grammar.h"
#include "upstream/put.h"

namespace proxy {
namespace {

using upstream::Field;
using upstream::FieldId;
using upstream::Fields;
using upstream::FieldSet;

/// Between two neighbours only, RFC 9110 7.6.1; each side writes its own. TE and Upgrade travel as facts of
/// the head, Trailer goes where trailers can follow it.
constexpr FieldSet kHopByHop{FieldId::kConnection, FieldId::kKeepAlive,    FieldId::kProxyConnection,
                             FieldId::kTe,         FieldId::kTrailer,      FieldId::kTransferEncoding,
                             FieldId::kUpgrade,    FieldId::kHttp2Settings};

constexpr FieldSet kNeverToApp{
    FieldId::kExpect,  // we have answered it
    FieldId::kProxy,   // HTTP_PROXY in an environment is taken for a setting by many programs (httpoxy,
                       // CVE-2016-5385)
};

/// What only a proxy in front of us may say.
constexpr FieldSet kFromProxies{FieldId::kForwarded,       FieldId::kXForwardedFor,  FieldId::kXForwardedHost,
                                FieldId::kXForwardedProto, FieldId::kXForwardedPort, FieldId::kXRealIp,
                                FieldId::kXRequestId,      FieldId::kXRequestStart,  FieldId::kTraceparent,
                                FieldId::kTracestate};

/// X-Forwarded-Prefix, -Ssl, -User and what else there is.
bool is_forwarded_kin(std::string_view name) {
  constexpr std::string_view kPrefix = "x-forwarded-";
  return name.size() > kPrefix.size() &&
         runtime::equals_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

/// The fields that Connection names (RFC 9110 7.6.1), as far as they are none of those that go anyway.
class Named {
 public:
  explicit Named(const Fields& fields) : fields_(fields) {
    for (const Field& field : fields) {
      if (field.id != FieldId::kConnection) continue;
      upstream::ListMembers members(field.value);
      while (const auto member = members.next()) any_ = any_ || !is_usual(*member);
    }
  }

  bool has(const Field& field) const {
    if (!any_) return false;
    return std::any_of(fields_.begin(), fields_.end(), [&field](const Field& connection) {
      return connection.id == FieldId::kConnection && upstream::has_member(connection.value, field.name);
    });
  }

 private:
  static bool is_usual(std::string_view member) {
    return runtime::equals_ignoring_case(member, "keep-alive") ||
           runtime::equals_ignoring_case(member, "close") ||
           runtime::equals_ignoring_case(member, "upgrade") || runtime::equals_ignoring_case(member, "te");
  }
  const Fields& fields_;
  bool any_ = false;
};

/// Keeps those that `stays` is true for, in order. `stays` may look at all fields: none has moved before the
/// last was judged.
template <class Stays>
void keep_only(Fields& fields, Stays stays) {
  for (Field& field : fields) {
    if (!stays(field)) field.name = {};
  }
  std::erase_if(fields, [](const Field& field) { return field.name.empty(); });
}

/// Our pseudonym, with the version that a message came in; docs/design.md says why not a host's name.
std::string_view via(upstream::Version received) {
  switch (received) {
    case upstream::Version::kHttp10:
      return "1.0 portherd";
    case upstream::Version::kHttp11:
      return "1.1 portherd";
    case upstream::Version::kHttp2:
      return "2.0 portherd";
  }
  return "";
}

/// RFC 9110 6.5.1: framing, routing, request modifiers, authentication, content's format, and what controls
/// the answer. (All that has an id is none for a trailer, either.)
constexpr std::string_view kNeverTrailers[] = {"age",
                                               "allow",
                                               "alt-svc",
                                               "authentication-info",
                                               "authorization",
                                               "cache-control",
                                               "clear-site-data",
                                               "expires",
                                               "location",
                                               "pragma",
                                               "range",
                                               "retry-after",
                                               "set-cookie",
                                               "vary",
                                               "warning",
                                               "www-authenticate",
                                               "x-http-method-override"};
constexpr std::string_view kNeverTrailerKinds[] = {"content-",        "if-",         "proxy-", "sec-",
                                                   "access-control-", "x-forwarded-"};

bool may_be_trailer(const Field& field) {
  if (field.id != FieldId::kOther || field.name.find('_') != field.name.npos) return false;
  const auto is_name = [&field](std::string_view never) {
    return runtime::equals_ignoring_case(field.name, never);
  };
  const auto is_kind = [&field](std::string_view never) {
    return runtime::equals_ignoring_case(field.name.substr(0, never.size()), never);
  };
  return std::none_of(std::begin(kNeverTrailers), std::end(kNeverTrailers), is_name) &&
         std::none_of(std::begin(kNeverTrailerKinds), std::end(kNeverTrailerKinds), is_kind);
}

bool is_request_id(std::string_view text) {
  constexpr std::size_t kMost = 128;
  return text.size() <= kMost && upstream::is_target(text);
}

constexpr std::size_t kIdSize = 32;
/// 128 random bits, and where they are.
std::string_view put_id(char* at) {
  char* const middle = upstream::put_hex(at, runtime::random_bits_from_stock());
  upstream::put_hex(middle, runtime::random_bits_from_stock());
  return {at, kIdSize};
}

}  // namespace

/// Fills an AppFields.
class RequestRewriter {
 public:
  RequestRewriter(upstream::RequestHead& head, const ClientFacts& client, bool is_trusted, AppFields& ours)
      : head_(head), client_(client), is_trusted_(is_trusted), ours_(ours), at_(ours.text_.data()) {}

  void rewrite(runtime::WallTime began) {
    strip();
    ours_.count_ = 0;
    add_forwarded_for();
    add_forwarded();
    if (find(FieldId::kXForwardedProto) == nullptr)
      add("X-Forwarded-Proto", scheme(), FieldId::kXForwardedProto);
    if (find(FieldId::kXForwardedHost) == nullptr && !head_.authority.empty()) {
      add("X-Forwarded-Host", head_.authority, FieldId::kXForwardedHost);
    }
    add_request_id();
    if (find(FieldId::kXRequestStart) == nullptr) add_request_start(began);
    if (!has_traceparent()) add_traceparent();
    ours_.used_ = static_cast<std::size_t>(at_ - ours_.text_.data());
  }

 private:
  // What a trusted peer has said is joined with what we say up to these sizes; longer, it stays a field of
  // its own before ours.
  static constexpr std::size_t kMostPeerFor = 512, kMostPeerForwarded = 512;

  void strip() {
    const Named named(head_.fields);
    keep_only(head_.fields, [&](const Field& field) {
      if (field.id == FieldId::kTrailer)
        return head_.framing == upstream::Framing::kChunked && !named.has(field);
      if (kHopByHop.has(field.id) || kNeverToApp.has(field.id) || named.has(field)) return false;
      if (kFromProxies.has(field.id)) return is_trusted_;
      if (field.id != FieldId::kOther) return true;
      return field.name.find('_') == field.name.npos && (is_trusted_ || !is_forwarded_kin(field.name));
    });
  }

  const Field* find(FieldId id) const { return upstream::find(head_.fields, id); }
  std::string_view scheme() const { return client_.is_tls ? "https" : "http"; }

  void add(std::string_view name, std::string_view value, FieldId id) {
    ours_.fields_[ours_.count_++] = {name, value, id};
  }
  /// The value is what was written since `begin`.
  void add_written(std::string_view name, const char* begin, FieldId id) {
    add(name, {begin, static_cast<std::size_t>(at_ - begin)}, id);
  }

  /// Takes a trusted peer's fields of this name out of the head and writes them, if they are not too long.
  void write_peers(FieldId id, std::size_t most) {
    std::size_t size = 0;
    for (const Field& field : head_.fields) size += field.id == id ? field.value.size() + 2 : 0;
    if (size == 0 || size > most) return;
    for (const Field& field : head_.fields) {
      if (field.id != id || field.value.empty()) continue;
      at_ = upstream::put(at_, field.value);
      at_ = upstream::put(at_, ", ");
    }
    keep_only(head_.fields, [id](const Field& field) { return field.id != id; });
  }

  /// A client on a Unix socket has no address to add; who connects there, a proxy as a rule, has said whose
  /// the request is.
  void add_forwarded_for() {
    if (client_.peer.family == AF_UNIX) return;
    char* const begin = at_;
    write_peers(FieldId::kXForwardedFor, kMostPeerFor);
    at_ = upstream::put_address(at_, client_.peer);
    add_written("X-Forwarded-For", begin, FieldId::kXForwardedFor);
  }

  /// RFC 7239: for=192.0.2.60;proto=http;host="example.com:8000"
  void add_forwarded() {
    char* const begin = at_;
    write_peers(FieldId::kForwarded, kMostPeerForwarded);
    at_ = upstream::put(at_, "for=");
    write_node();
    at_ = upstream::put(at_, ";proto=");
    at_ = upstream::put(at_, scheme());
    if (!head_.authority.empty() && head_.authority.size() <= upstream::kMaxHost) {
      at_ = upstream::put(at_, ";host=\"");  // a host has neither '"' nor '\', see is_host()
      at_ = upstream::put(at_, head_.authority);
      at_ = upstream::put(at_, '"');
    }
    add_written("Forwarded", begin, FieldId::kForwarded);
  }

  /// RFC 7239 6: IPv6 in brackets and quotes.
  void write_node() {
    if (client_.peer.family == AF_UNIX) {
      at_ = upstream::put(at_, "unknown");
      return;
    }
    const bool is_ipv6 = client_.peer.family == AF_INET6;
    if (is_ipv6) at_ = upstream::put(at_, "\"[");
    at_ = upstream::put_address(at_, client_.peer);
    if (is_ipv6) at_ = upstream::put(at_, "]\"");
  }

  void add_request_id() {
    const Field* const theirs = find(FieldId::kXRequestId);
    if (theirs != nullptr && is_request_id(theirs->value)) {
      ours_.request_id_ = theirs->value;
      return;
    }
    if (theirs != nullptr)
      keep_only(head_.fields, [](const Field& field) { return field.id != FieldId::kXRequestId; });
    ours_.request_id_ = write_id();
    add("X-Request-Id", ours_.request_id_, FieldId::kXRequestId);
  }

  /// 128 random bits.
  std::string_view write_id() {
    const std::string_view id = put_id(at_);
    at_ += id.size();
    return id;
  }

  /// "t=" and microseconds since 1970, as New Relic and others read it.
  void add_request_start(runtime::WallTime began) {
    const char* const begin = at_;
    const auto since_epoch = std::chrono::duration_cast<runtime::Microseconds>(began.time_since_epoch());
    at_ = upstream::put(at_, "t=");
    at_ = upstream::put_number(at_, static_cast<std::uint64_t>(since_epoch.count()));
    add_written("X-Request-Start", begin, FieldId::kXRequestStart);
  }

  /// We make no span: a trusted peer's stays the parent, if there is one and only one (W3C Trace Context 3.2).
  bool has_traceparent() const {
    const Field* const theirs = find(FieldId::kTraceparent);
    const auto is_another = [theirs](const Field& field) { return field.id == FieldId::kTraceparent && &field != theirs; };
    return theirs != nullptr && is_traceparent(theirs->value) && std::none_of(head_.fields.begin(), head_.fields.end(), is_another);
  }

  /// A new trace, named as the request is, where that can be a name; a state of another one has no meaning in it (3.3).
  void add_traceparent() {
    keep_only(head_.fields, [](const Field& field) { return field.id != FieldId::kTraceparent && field.id != FieldId::kTracestate; });
    const std::string_view trace_id = is_trace_id(ours_.request_id_) ? ours_.request_id_ : write_id();
    const char* const begin = at_;
    at_ = put_traceparent(at_, trace_id, runtime::random_bits_from_stock());
    add_written("traceparent", begin, FieldId::kTraceparent);
  }

  upstream::RequestHead& head_;
  const ClientFacts& client_;
  const bool is_trusted_;
  AppFields& ours_;
  char* at_;  // where the next value goes

  static_assert(sizeof(AppFields::text_) >= kMostPeerFor + kMostPeerForwarded + upstream::kMaxHost +
                                                3 * upstream::kMostAddress + 2 * upstream::kMostDigits + 2 * kIdSize + kTraceparent + 128);
};

void prepare_request(upstream::RequestHead& head, const ClientFacts& client, bool peer_is_trusted,
                     runtime::WallTime began, AppFields& ours) {
  RequestRewriter(head, client, peer_is_trusted, ours).rewrite(began);
}

void name_request(const upstream::RequestHead& head, bool peer_is_trusted, AppFields& ours) {
  const Field* const theirs = peer_is_trusted ? upstream::find(head.fields, FieldId::kXRequestId) : nullptr;
  const bool is_named = theirs != nullptr && is_request_id(theirs->value);
  ours.request_id_ = is_named ? theirs->value : put_id(ours.text_.data());
}

Forwards count_forward(upstream::RequestHead& head, AppFields& ours) {
  const Field* const field = head.method == upstream::Method::kOptions
                                 ? upstream::find(head.fields, FieldId::kMaxForwards)
                                 : nullptr;
  if (field == nullptr) return Forwards::kGoOn;
  const bool is_number =
      !field->value.empty() && field->value.find_first_not_of("0123456789") == field->value.npos;
  // More than 64 bits of hops are as good as 64 bits of them: "the recipient's maximum supported value".
  const std::uint64_t left =
      runtime::parse_number(field->value).value_or(std::numeric_limits<std::uint64_t>::max());
  const auto count = std::count_if(head.fields.begin(), head.fields.end(),
                                   [](const Field& other) { return other.id == FieldId::kMaxForwards; });
  if (!is_number || count > 1) return Forwards::kUnclear;
  if (left == 0) return Forwards::kEndHere;
  keep_only(head.fields, [](const Field& other) { return other.id != FieldId::kMaxForwards; });
  char* const begin = ours.text_.data() + ours.used_;
  const auto size = static_cast<std::size_t>(upstream::put_number(begin, left - 1) - begin);
  ours.fields_[ours.count_++] = {"Max-Forwards", {begin, size}, FieldId::kMaxForwards};
  ours.used_ += size;
  return Forwards::kGoOn;
}

void add_via(upstream::Version received, AppFields& ours) {
  ours.fields_[ours.count_++] = {"Via", via(received), FieldId::kVia};
}

void add_via(upstream::ResponseHead& head) {
  head.fields.push_back({"Via", via(head.version), FieldId::kVia});
}

std::string pass_trailers(std::string_view trailers) {
  std::string passed;
  while (!trailers.empty()) {
    const std::size_t end = std::min(trailers.find("\r\n"), trailers.size() - 2);
    const auto field = upstream::parse_field_line(trailers.substr(0, end));
    if (field && may_be_trailer(*field)) passed.append(trailers.substr(0, end + 2));
    trailers.remove_prefix(end + 2);
  }
  return passed;
}

void prepare_response(upstream::ResponseHead& head, bool keep_upgrade, bool takes_trailers) {
  const Named named(head.fields);
  // RFC 9110 8.6: neither 1xx nor 204 has a Content-Length.
  const bool has_no_length = head.status < 200 || head.status == 204;
  keep_only(head.fields, [&](const Field& field) {
    if (field.id == FieldId::kUpgrade) return keep_upgrade;
    if (field.id == FieldId::kTrailer)
      return takes_trailers && head.framing == upstream::Framing::kChunked && !named.has(field);
    if (field.id == FieldId::kContentLength) return !has_no_length;
    return !kHopByHop.has(field.id) && !named.has(field);
  });
}

}  // namespace proxy
