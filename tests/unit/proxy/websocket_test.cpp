#include "proxy/websocket.h"

#include "doctest_precompiled.h"

namespace {

using upstream::FieldId;

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==", kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

std::string_view complaint(upstream::Version version, std::string_view asked, std::uint16_t status, std::string_view to, std::string_view accept) {
  upstream::RequestHead request;
  request.version = version;
  request.upgrade = asked;
  request.fields.push_back({"Sec-WebSocket-Key", kKey, FieldId::kSecWebsocketKey});
  upstream::ResponseHead answer;
  answer.status = status;
  if (!to.empty()) answer.fields.push_back({"Upgrade", to, FieldId::kUpgrade});
  if (!accept.empty()) answer.fields.push_back({"Sec-WebSocket-Accept", accept, FieldId::kSecWebsocketAccept});
  return proxy::upgrade_complaint(request, answer);
}

}  // namespace

TEST_CASE("the answer to a key is the one of RFC 6455 1.3") {
  CHECK(proxy::websocket_accept(kKey) == kAccept);
  CHECK(proxy::websocket_accept("x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

TEST_CASE("a key is sixteen bytes in base64") {
  CHECK(proxy::websocket_key(0x0706050403020100, 0x0f0e0d0c0b0a0908) == "AAECAwQFBgcICQoLDA0ODw==");
}

TEST_CASE("a 101 is to what was asked for; over HTTP/2 it also answers the key, and no 2xx stands for it") {
  using enum upstream::Version;
  CHECK(complaint(kHttp11, "websocket", 101, "WebSocket", "") == "");
  CHECK(complaint(kHttp11, "a, b/2", 101, "b/2", "") == "");
  CHECK(complaint(kHttp11, "websocket", 101, "", "") != "");
  CHECK(complaint(kHttp11, "websocket", 101, "websocket, other", "") != "");
  CHECK(complaint(kHttp11, "websocket", 200, "", "") == "");
  CHECK(complaint(kHttp2, "websocket", 101, "websocket", kAccept) == "");
  CHECK(complaint(kHttp2, "websocket", 101, "websocket", "") != "");
  CHECK(complaint(kHttp2, "websocket", 101, "websocket", kKey) != "");
  CHECK(complaint(kHttp2, "websocket", 200, "", "") != "");
  CHECK(complaint(kHttp2, "websocket", 403, "", "") == "");
  CHECK(complaint(kHttp2, "", 200, "", "") == "");
}

TEST_CASE("what follows a 101 to websocket are its frames") {
  const auto is_one = [](std::uint16_t status, std::string_view to) {
    upstream::ResponseHead answer;
    answer.status = status;
    answer.fields.push_back({"Upgrade", to, FieldId::kUpgrade});
    return proxy::is_websocket(answer);
  };
  CHECK(is_one(101, "websocket"));
  CHECK(is_one(101, "WebSocket"));
  CHECK_FALSE(is_one(101, "websocket, other"));
  CHECK_FALSE(is_one(101, "other"));
  CHECK_FALSE(is_one(200, "websocket"));
  CHECK_FALSE(proxy::is_websocket({.status = 101}));
}
