// What may be silent for long, and is told by its type: both sides speak when they like. Pure: a head in, yes or no out.
#pragma once
#include "upstream/message.h"

namespace proxy {

/// "application/grpc", "application/grpc+proto" (gRPC over HTTP2, "Content-Type").
bool is_grpc(const upstream::RequestHead& request);

/// HTML Living Standard 9.2: one event now, the next one whenever it happens.
bool is_event_stream(const upstream::ResponseHead& answer);

}  // namespace proxy
