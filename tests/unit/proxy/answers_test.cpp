// Answers that we make ourselves.
#include "proxy/answers.h"

#include <doctest/doctest.h>

using namespace proxy;
using upstream::FieldId;
using upstream::Framing;
using upstream::Method;

namespace {

std::string text_of(const OwnAnswer& answer) {
  std::string text = std::to_string(answer.head().status) + " " + std::string(answer.head().reason) + "\n";
  for (const auto& field : answer.head().fields)
    text += std::string(field.name) + ": " + std::string(field.value) + "\n";
  return text + "\n" + std::string(answer.body().view());
}

}  // namespace

TEST_CASE("a refusal says its status in head and body") {
  const OwnAnswer answer(404, Method::kGet);
  CHECK(text_of(answer) ==
        "404 Not Found\nContent-Type: text/plain; charset=utf-8\nContent-Length: 14\n\n404 Not Found\n");
  CHECK(answer.head().framing == Framing::kLength);
  CHECK(answer.head().content_length == 14);
}

TEST_CASE("HEAD gets the same head and no body") {
  const OwnAnswer answer(404, Method::kHead);
  CHECK(answer.head().framing == Framing::kNone);
  CHECK(upstream::find(answer.head().fields, FieldId::kContentLength)->value == "14");
}

TEST_CASE("503 says when to come back (RFC 9110 10.2.3)") {
  OwnAnswer answer(503, Method::kGet);
  answer.retry_after(std::chrono::seconds(7));
  CHECK(text_of(answer).find("\nRetry-After: 7\n") != std::string::npos);
}

TEST_CASE("405 says what is allowed (RFC 9110 15.5.6)") {
  CHECK(text_of(OwnAnswer(405, Method::kTrace))
            .find("\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\n") != std::string::npos);
}

TEST_CASE("the way to https keeps host and target") {
  const auto location = [](std::string_view host, std::uint16_t port, std::string_view target) {
    OwnAnswer answer(308, Method::kGet);
    answer.location_https(host, port, target);
    for (const auto& field : answer.head().fields) {
      if (field.name == "Location") return std::string(field.value);
    }
    return std::to_string(answer.head().status);
  };
  CHECK(location("example.com", 443, "/a?b") == "https://example.com/a?b");
  CHECK(location("example.com", 0, "/") == "https://example.com/");
  CHECK(location("[::1]", 8443, "/x") == "https://[::1]:8443/x");
  CHECK(location("example.com", 443, "*") == "https://example.com");
  CHECK(location("", 443, "/") == "400");
}

TEST_CASE("many answers at once do not share their fields") {
  const OwnAnswer first(404, Method::kGet);
  const OwnAnswer second(502, Method::kGet);
  CHECK(first.head().fields[1].value == "14");
  CHECK(second.head().fields[1].value == "16");
}

TEST_CASE("every status that we send has a name (RFC 9110 15)") {
  for (const int status :
       {100, 101, 103, 200, 308, 400, 403, 404, 405, 408, 413, 414, 417, 431, 500, 501, 502, 503, 504, 505}) {
    CHECK_FALSE(reason_phrase(static_cast<std::uint16_t>(status)).empty());
  }
  CHECK(reason_phrase(404) == "Not Found");
  CHECK(reason_phrase(511) == "Network Authentication Required");
  CHECK(reason_phrase(299).empty());
  CHECK(reason_phrase(599).empty());
  CHECK(reason_phrase(0).empty());
}

TEST_CASE("an incident is named in the body and, for who gets none, in the head") {
  OwnAnswer answer(503, Method::kGet);
  answer.incident("abc");
  CHECK(text_of(answer) ==
        "503 Service Unavailable\nContent-Type: text/plain; charset=utf-8\nContent-Length: 38\nX-Request-Id: abc\n\n"
        "503 Service Unavailable\nincident: abc\n");
  OwnAnswer to_head(503, Method::kHead);
  to_head.incident("abc");
  CHECK(upstream::find(to_head.head().fields, FieldId::kXRequestId)->value == "abc");
  CHECK(upstream::find(to_head.head().fields, FieldId::kContentLength)->value == "38");
}

TEST_CASE("a notice stands in the place of the status, and is not markup") {
  OwnAnswer answer(503, Method::kGet);
  answer.notice("Back at <b>nine</b>.");
  CHECK(text_of(answer) ==
        "503 Service Unavailable\nContent-Type: text/plain; charset=utf-8\nContent-Length: 21\n\nBack at <b>nine</b>.\n");
}
