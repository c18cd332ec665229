#include "proxy/media_type.h"

#include "doctest_precompiled.h"

using proxy::media_type;

TEST_CASE("the end of a name says what it is") {
  CHECK(media_type("index.html") == "text/html; charset=utf-8");
  CHECK(media_type("a/b/app.js") == "text/javascript; charset=utf-8");
  CHECK(media_type("app.mjs") == "text/javascript; charset=utf-8");
  CHECK(media_type("style.css") == "text/css; charset=utf-8");
  CHECK(media_type("data.json") == "application/json");  // RFC 8259 11: no charset
  CHECK(media_type("logo.svg") == "image/svg+xml");
  CHECK(media_type("a.png") == "image/png");
  CHECK(media_type("a.jpg") == "image/jpeg");
  CHECK(media_type("a.avif") == "image/avif");
  CHECK(media_type("a.woff2") == "font/woff2");
  CHECK(media_type("a.wasm") == "application/wasm");
  CHECK(media_type("a.pdf") == "application/pdf");
  CHECK(media_type("a.tar.gz") == "application/gzip");
  CHECK(media_type("README.TXT") == "text/plain; charset=utf-8");
}

TEST_CASE("what says nothing is bytes") {
  CHECK(media_type("README") == "application/octet-stream");
  CHECK(media_type("a.unheard-of") == "application/octet-stream");
  CHECK(media_type("a.b/c") == "application/octet-stream");
  CHECK(media_type("a.") == "application/octet-stream");
  CHECK(media_type("a." + std::string(100, 'x')) == "application/octet-stream");
}
