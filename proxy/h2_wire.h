// The door to nghttp2: a session of it with our options, whose callbacks (two-liners, called from C) are
// calls of H2Session. For the h2_ units only, because its types show here.
#pragma once
#include <nghttp2/nghttp2.h>

#include "conf/settings.h"
#include "proxy/h2_session.h"

namespace proxy {

/// What the client may send on all of its streams together before something of it is passed on.
inline constexpr std::int32_t kConnectionWindow = 1024 * 1024;

/// A server's session; its settings are queued to be sent.
WireHandle make_wire(H2Session& session, const conf::Front& front);

/// What gives nghttp2 the body of an answer.
nghttp2_data_provider body_provider(H2Stream& stream);

}  // namespace proxy
