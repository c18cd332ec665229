#include "proxy/h1_writer.h"

#include "proxy/answers.h"
#include "upstream/field_set.h"
#include "upstream/put.h"

namespace proxy {
namespace {

using upstream::Field;
using upstream::FieldId;
using upstream::Framing;
using upstream::put;
using upstream::put_field;
using upstream::ResponseHead;
using upstream::Version;

/// Written from what the connection is, not as they came.
constexpr upstream::FieldSet kWrittenByUs{FieldId::kConnection, FieldId::kKeepAlive,
                                          FieldId::kTransferEncoding};

std::size_t room_for(const ResponseHead& head, std::string_view date) {
  constexpr std::size_t kFixed = 256;  // status line, a long reason phrase of ours, the fields we write
  std::size_t room = kFixed + head.reason.size() + date.size();
  for (const Field& field : head.fields)
    room += field.name.size() + field.value.size() + upstream::kAroundField;
  return room;
}

/// RFC 9110 6.2: our own version, whatever the client's.
char* put_status_line(char* at, const ResponseHead& head) {
  at = put(at, "HTTP/1.1 ");
  at = upstream::put_number(at, head.status);
  at = put(at, ' ');
  at = put(at, head.reason.empty() ? reason_phrase(head.status) : head.reason);
  return put(at, "\r\n");
}

char* put_fields(char* at, const ResponseHead& head, bool with_length) {
  for (const Field& field : head.fields) {
    if (kWrittenByUs.has(field.id) || (field.id == FieldId::kContentLength && !with_length)) continue;
    at = put_field(at, field.name, field.value);
  }
  return at;
}

char* put_framing(char* at, const ResponseHead& head, Framing framing) {
  switch (framing) {
    case Framing::kLength:
      at = put(at, "Content-Length: ");
      at = upstream::put_number(at, head.content_length);
      return put(at, "\r\n");
    case Framing::kChunked:
      return put_field(at, "Transfer-Encoding", "chunked");
    case Framing::kNone:
    case Framing::kToClose:
      return at;
  }
  return at;
}

/// RFC 9112 9.3: HTTP/1.1 goes on unless somebody says close, HTTP/1.0 only if both say keep-alive.
char* put_connection(char* at, const ResponseHead& head, Version version, bool keep_alive) {
  if (head.status == 101) return put_field(at, "Connection", "Upgrade");
  if (!keep_alive) return put_field(at, "Connection", "close");
  return version == Version::kHttp10 ? put_field(at, "Connection", "keep-alive") : at;
}

}  // namespace

void write_response_head(const ResponseHead& head, Version version, bool keep_alive, Framing framing,
                         std::string_view date, runtime::ByteQueue& out) {
  char* const begin = out.reserve(room_for(head, date));
  char* at = put_status_line(begin, head);
  at = put_fields(at, head, /*with_length=*/framing == Framing::kNone);
  at = put_framing(at, head, framing);
  if (upstream::find(head.fields, FieldId::kDate) == nullptr) at = put_field(at, "Date", date);
  at = put_connection(at, head, version, keep_alive);
  at = put(at, "\r\n");
  out.wrote(static_cast<runtime::Bytes>(at - begin));
}

void write_interim(const ResponseHead& head, runtime::ByteQueue& out) {
  char* const begin = out.reserve(room_for(head, {}));
  char* at = put_status_line(begin, head);
  at = put_fields(at, head, /*with_length=*/false);
  at = put(at, "\r\n");
  out.wrote(static_cast<runtime::Bytes>(at - begin));
}

}  // namespace proxy
