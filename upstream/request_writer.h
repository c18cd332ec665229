// Writes requests to an app's HTTP/1.1 connection. Which fields the app gets is decided before:
// proxy/headers.h. Here is the framing, and what belongs to the connection: Host, Content-Length,
// Transfer-Encoding, Connection, Upgrade.
#pragma once
#include <cstdint>
#include <span>

#include "runtime/buffer.h"
#include "upstream/message.h"

namespace upstream {

/// The head. `ours`: fields that we add. `framing` of the body on this wire: kNone, kLength with `length`, or
/// kChunked.
void write_request(const RequestHead& head, std::span<const Field> ours, Framing framing,
                   std::uint64_t length, runtime::ByteQueue& out);

/// One chunk; nothing for an empty piece (that would be the end). Also for answers to clients.
void write_chunk(runtime::Slice piece, runtime::ByteQueue& out);
/// The last chunk, and the trailers: field lines, each with its CRLF, or nothing.
void write_last_chunk(std::string_view trailers, runtime::ByteQueue& out);

}  // namespace upstream
