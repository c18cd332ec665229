#include "proxy/websocket.h"

#include <array>

#include "proxy/tls_digest.h"
#include "runtime/text.h"
#include "upstream/grammar.h"

namespace proxy {
namespace {

using upstream::Field;
using upstream::FieldId;

/// RFC 9110 7.8: a 101 says to what, and that is among what the client has asked for.
bool switches_as_asked(const upstream::ResponseHead& head, std::string_view asked) {
  bool says_what = false;
  for (const Field& field : head.fields) {
    if (field.id != FieldId::kUpgrade) continue;
    upstream::ListMembers members(field.value);
    while (const auto member = members.next()) {
      if (!upstream::has_member(asked, *member)) return false;
      says_what = true;
    }
  }
  return says_what;
}

bool accepts_key(const upstream::RequestHead& request, const upstream::ResponseHead& answer) {
  const Field* const key = upstream::find(request.fields, FieldId::kSecWebsocketKey);
  const Field* const accept = upstream::find(answer.fields, FieldId::kSecWebsocketAccept);
  return key != nullptr && accept != nullptr && accept->value == websocket_accept(key->value);
}

}  // namespace

std::string websocket_key(std::uint64_t random, std::uint64_t more) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(random >> 8 * i);
    bytes[8 + i] = static_cast<std::uint8_t>(more >> 8 * i);
  }
  return base64(bytes);
}

std::string websocket_accept(std::string_view key) {
  return base64(sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
}

std::string_view upgrade_complaint(const upstream::RequestHead& request, const upstream::ResponseHead& answer) {
  if (answer.status == 101 && !switches_as_asked(answer, request.upgrade))
    return "101 to a protocol that was not asked for";
  if (request.version != upstream::Version::kHttp2 || request.upgrade.empty()) return {};
  // The client would take any 2xx for an open tunnel (RFC 8441 5).
  if (answer.status >= 200 && answer.status <= 299) return "2xx instead of 101 to a WebSocket";
  if (answer.status == 101 && !accepts_key(request, answer)) return "Sec-WebSocket-Accept is not the answer to the key";
  return {};
}

bool is_websocket(const upstream::ResponseHead& answer) {
  const Field* const upgrade = upstream::find(answer.fields, FieldId::kUpgrade);
  return answer.status == 101 && upgrade != nullptr && runtime::equals_ignoring_case(upgrade->value, kWebsocket);
}

}  // namespace proxy
