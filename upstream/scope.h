// A request as an ASGI app knows it: the payload of a `scope` frame (docs/worker-protocol.md). Unlike an environment (environment.h) it
// keeps names, order and repetition of the fields, and the path as it came. Pure.
#pragma once
#include <cstdint>
#include <span>

#include "runtime/buffer.h"
#include "upstream/environment.h"
#include "upstream/message.h"

namespace upstream {

/// As write_environment(). False, and nothing written: it is longer than kMostHeadFrame, or holds a NUL.
bool write_scope(const RequestHead& head, std::span<const Field> ours, const EnvironmentFacts& facts, Framing framing,
                 std::uint64_t length, runtime::ByteQueue& out);

}  // namespace upstream
