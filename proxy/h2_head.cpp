#include "proxy/h2_head.h"

#include <algorithm>
#include <cstring>

#include "proxy/websocket.h"
#include "runtime/random.h"
#include "runtime/text.h"
#include "upstream/grammar.h"

namespace proxy {
namespace {

using runtime::Bytes;
using upstream::Field;
using upstream::FieldId;
using upstream::Framing;
using upstream::Method;

// RFC 9113 6.5.2: what a field counts beside its letters.
constexpr Bytes kAroundField = 32;

}  // namespace

void H2Head::begin(upstream::RequestHead& head) {
  head_ = &head;
  head.clear();
  head.version = upstream::Version::kHttp2;
  scheme_ = protocol_ = {};
  refusal_ = {};
  size_ = 0;
  begin_ = used_;
}

void H2Head::rest() {
  chunk_ = runtime::Chunk();
  begin_ = used_ = 0;
}

/// The first reason stands.
void H2Head::refuse(std::uint16_t status, std::string_view reason) {
  if (refusal_.status == 0) refusal_ = {status, reason};
}

void H2Head::add(std::string_view name, std::string_view value) {
  size_ += name.size() + value.size() + kAroundField;
  if (size_ > max_head_) return refuse(431, "head is larger than max_head");
  // nghttp2 has looked at them, too; but this is what keeps a line end out of the request to the app.
  if (!upstream::is_field_value(value)) return refuse(400, "field value with a control character");
  if (name.starts_with(':')) return add_pseudo(name, value);
  if (!upstream::is_token(name)) return refuse(400, "field name is no token");
  if (head_->fields.size() == max_fields_) return refuse(431, "more fields than max_fields");
  // Name first, and in its place: copying the value may move what the head holds already, and that only.
  head_->fields.push_back({copy(name), {}, upstream::identify(name)});
  const std::string_view kept = copy(value);
  head_->fields.back().value = kept;
}

void H2Head::add_pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") {
    head_->method_text = copy(value);
  } else if (name == ":path") {
    head_->target = copy(value);
  } else if (name == ":authority") {
    head_->authority = copy(value);
  } else if (name == ":scheme") {
    scheme_ = copy(value);
  } else if (name == ":protocol") {
    protocol_ = copy(value);
  } else {
    refuse(400, "unknown pseudo-field");
  }
}

std::string_view H2Head::copy(std::string_view bytes) {
  if (!chunk_ || chunk_.capacity() - used_ < bytes.size()) move_to_larger(bytes.size());
  char* const at = chunk_.data() + used_;
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  used_ += bytes.size();
  return {at, bytes.size()};
}

/// Takes what there is of this head along.
void H2Head::move_to_larger(Bytes wanted) {
  const Bytes here = used_ - begin_;
  runtime::Chunk next = runtime::Chunk::make(here == 0 ? wanted : (here + wanted) * 2);
  if (here > 0) {
    const char* const from = chunk_.data() + begin_;
    std::memcpy(next.data(), from, here);
    const auto move = [&next, from](std::string_view& view) {
      if (!view.empty()) view = {next.data() + (view.data() - from), view.size()};
    };
    for (std::string_view* view :
         {&head_->method_text, &head_->target, &head_->authority, &scheme_, &protocol_})
      move(*view);
    for (Field& field : head_->fields) {
      move(field.name);
      move(field.value);
    }
  }
  chunk_ = std::move(next);
  begin_ = 0;
  used_ = here;
}

bool H2Head::finish(bool has_body) {
  head_->method = upstream::parse_method(head_->method_text);
  if (!upstream::is_token(head_->method_text)) refuse(400, "method is no token");
  find_framing(has_body);
  settle_authority();
  settle_target();
  settle_expectations();
  if (!protocol_.empty()) settle_tunnel();
  return refusal_.status == 0;
}

/// nghttp2 holds the body to its content-length (RFC 9113 8.1.1).
void H2Head::find_framing(bool has_body) {
  head_->framing = has_body ? Framing::kChunked : Framing::kNone;
  const Field* const field = upstream::find(head_->fields, FieldId::kContentLength);
  if (field == nullptr) return;
  const auto length = upstream::parse_length(field->value);
  if (!length) return refuse(400, "content-length is no number");
  head_->content_length = *length;
  if (has_body) head_->framing = Framing::kLength;
}

/// RFC 9113 8.3.1: Host, if it is there, must not say something else. The app gets one of them, so only one
/// is kept.
void H2Head::settle_authority() {
  std::string_view& authority = head_->authority;
  for (const Field& field : head_->fields) {
    if (field.id != FieldId::kHost) continue;
    if (authority.empty()) authority = field.value;
    if (!runtime::equals_ignoring_case(authority, field.value)) refuse(400, "host and :authority differ");
  }
  std::erase_if(head_->fields, [](const Field& field) { return field.id == FieldId::kHost; });
  if (!upstream::is_host(authority)) refuse(400, "authority is no host");
}

void H2Head::settle_target() {
  if (head_->method == Method::kConnect && protocol_.empty()) return;  // has none; refused by the exchange
  const std::string_view target = head_->target;
  const bool is_asterisk = target == "*" && head_->method == Method::kOptions;
  if (!is_asterisk && (!target.starts_with('/') || !upstream::is_target(target)))
    refuse(400, ":path is no target");
  if (scheme_ != "https" && scheme_ != "http") refuse(400, "unknown :scheme");
  const std::size_t mark = target.find('?');
  head_->path = target.substr(0, mark);
  if (mark != target.npos) head_->query = target.substr(mark + 1);
}

/// RFC 8441 5.1: to the app it is the handshake of RFC 6455 4.1, with a key of ours. Last, because what it
/// puts into the head besides the key stands in no chunk.
void H2Head::settle_tunnel() {
  if (head_->method != Method::kConnect) return refuse(400, ":protocol without CONNECT");
  if (!runtime::equals_ignoring_case(protocol_, kWebsocket)) return refuse(501, "unknown :protocol");
  if (upstream::find(head_->fields, FieldId::kContentLength) != nullptr)
    return refuse(400, "a tunnel has no content-length");
  std::erase_if(head_->fields, [](const Field& field) { return field.id == FieldId::kSecWebsocketKey; });
  const std::string key = websocket_key(runtime::random_bits_from_stock(), runtime::random_bits_from_stock());
  head_->fields.push_back({copy("sec-websocket-key"), {}, FieldId::kSecWebsocketKey});
  const std::string_view kept = copy(key);
  head_->fields.back().value = kept;
  settle_target();  // anew: the bytes may have moved
  head_->method = Method::kGet;
  head_->method_text = "GET";
  head_->upgrade = kWebsocket;
  head_->framing = Framing::kNone;
}

void H2Head::settle_expectations() {
  for (const Field& field : head_->fields) {
    if (field.id == FieldId::kExpect && runtime::equals_ignoring_case(field.value, "100-continue")) {
      head_->expects_continue = true;
    }
    if (field.id == FieldId::kTe && upstream::has_member(field.value, "trailers"))
      head_->takes_trailers = true;
  }
}

}  // namespace proxy
