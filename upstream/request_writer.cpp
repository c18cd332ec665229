#include "upstream/request_writer.h"

#include <algorithm>

#include "upstream/field_set.h"
#include "upstream/put.h"

namespace upstream {
namespace {

/// Written from what the head says, not as they came: framing and connection are each hop's own (RFC
/// 9110 7.6.1).
constexpr FieldSet kWrittenByUs{FieldId::kHost,       FieldId::kContentLength, FieldId::kTransferEncoding,
                                FieldId::kConnection, FieldId::kUpgrade,       FieldId::kTe};

std::size_t room_for(const RequestHead& head, std::span<const Field> ours) {
  constexpr std::size_t kFixed = 256;  // version, our field names, a length
  std::size_t room =
      head.method_text.size() + head.target.size() + head.authority.size() + head.upgrade.size() + kFixed;
  for (const Field& field : head.fields) room += field.name.size() + field.value.size() + kAroundField;
  for (const Field& field : ours) room += field.name.size() + field.value.size() + kAroundField;
  return room;
}

/// RFC 9113 8.2.3: in HTTP/2 a cookie may come in crumbs; an HTTP/1 app gets it whole.
char* put_cookies(char* at, const Fields& fields) {
  bool is_first = true;
  for (const Field& field : fields) {
    if (field.id != FieldId::kCookie) continue;
    at = put(at, is_first ? "Cookie: " : "; ");
    at = put(at, field.value);
    is_first = false;
  }
  return is_first ? at : put(at, "\r\n");
}

/// Without chunks nothing can follow that Trailer announces.
char* put_fields(char* at, const RequestHead& head, bool has_chunks) {
  const bool joins_cookies = head.version == Version::kHttp2;
  for (const Field& field : head.fields) {
    if (field.id == FieldId::kTrailer && !has_chunks) continue;
    if (kWrittenByUs.has(field.id) || (joins_cookies && field.id == FieldId::kCookie)) continue;
    at = put_field(at, field.name, field.value);
  }
  return joins_cookies ? put_cookies(at, head.fields) : at;
}

char* put_framing(char* at, const RequestHead& head, Framing framing, std::uint64_t length) {
  if (framing == Framing::kChunked) return put_field(at, "Transfer-Encoding", "chunked");
  // An empty body that the client has announced is announced to the app, too: POST without a length is a 411
  // to some.
  if (framing == Framing::kNone && find(head.fields, FieldId::kContentLength) == nullptr) return at;
  at = put(at, "Content-Length: ");
  at = put_number(at, framing == Framing::kLength ? length : 0);
  return put(at, "\r\n");
}

char* put_connection(char* at, const RequestHead& head) {
  if (!head.upgrade.empty()) at = put_field(at, "Upgrade", head.upgrade);
  if (head.takes_trailers) at = put_field(at, "TE", "trailers");
  if (!head.upgrade.empty())
    return put_field(at, "Connection", head.takes_trailers ? "Upgrade, TE" : "Upgrade");
  return head.takes_trailers ? put_field(at, "Connection", "TE") : at;
}

}  // namespace

void write_request(const RequestHead& head, std::span<const Field> ours, Framing framing,
                   std::uint64_t length, runtime::ByteQueue& out) {
  char* const begin = out.reserve(room_for(head, ours));
  char* at = put(begin, head.method_text);
  at = put(at, ' ');
  at = put(at, head.target);
  at = put(at, " HTTP/1.1\r\n");
  at = put_field(at, "Host", head.authority);
  at = put_fields(at, head, framing == Framing::kChunked);
  for (const Field& field : ours) at = put_field(at, field.name, field.value);
  at = put_framing(at, head, framing, length);
  at = put_connection(at, head);
  at = put(at, "\r\n");
  out.wrote(static_cast<runtime::Bytes>(at - begin));
}

void write_chunk(runtime::Slice piece, runtime::ByteQueue& out) {
  if (piece.size == 0) return;
  char* const begin = out.reserve(kMostDigits);
  char* at = std::to_chars(begin, begin + kMostDigits, piece.size, 16).ptr;
  at = put(at, "\r\n");
  out.wrote(static_cast<runtime::Bytes>(at - begin));
  out.append(std::move(piece));
  out.append_copy("\r\n");
}

void write_last_chunk(std::string_view trailers, runtime::ByteQueue& out) {
  if (trailers.empty()) return out.append_copy("0\r\n\r\n");
  out.append_copy("0\r\n");
  out.append_copy(trailers);
  out.append_copy("\r\n");
}

}  // namespace upstream
