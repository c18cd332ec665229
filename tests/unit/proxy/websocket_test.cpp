#include "proxy/websocket.h"

#include "doctest_precompiled.h"

namespace {
std::string accept_to(std::string_view key) {
  const proxy::WebsocketAccept accept = proxy::websocket_accept(key);
  return {accept.data(), accept.size()};
}
}  // namespace

TEST_CASE("the answer to a key is the one of RFC 6455 1.3") {
  CHECK(accept_to("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(accept_to("x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

TEST_CASE("a key is sixteen bytes in base64") {
  const proxy::WebsocketKey key = proxy::websocket_key(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  CHECK(std::string(key.data(), key.size()) == "AAECAwQFBgcICQoLDA0ODw==");
}
