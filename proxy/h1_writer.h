// Writes heads of answers to an HTTP/1 client. Which fields a client gets is decided before: headers.h. Here
// is the framing, and what belongs to the connection. Chunks of a body: upstream/request_writer.h.
#pragma once
#include <string_view>

#include "runtime/buffer.h"
#include "upstream/message.h"

namespace proxy {

/// The final head. `version`: the client's. `framing`: of the body on this wire; with kNone a Content-Length
/// among the fields is passed on (HEAD, 304). `date`: for answers that have none (RFC 9110 6.6.1). A 101 says
/// what the app has upgraded to.
void write_response_head(const upstream::ResponseHead& head, upstream::Version version, bool keep_alive,
                         upstream::Framing framing, std::string_view date, runtime::ByteQueue& out);
/// A 1xx head. Not for HTTP/1.0 clients (RFC 9110 15.2).
void write_interim(const upstream::ResponseHead& head, runtime::ByteQueue& out);

}  // namespace proxy
