// The grammar, character by character.
#include "upstream/grammar.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace upstream;

TEST_CASE("a token is letters, digits and fifteen marks (RFC 9110 5.6.2)") {
  const std::string_view marks = "!#$%&'*+-.^_`|~";
  for (int c = 0; c < 256; ++c) {
    const char as_char = static_cast<char>(c);
    const bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    CAPTURE(c);
    CHECK(is_token_char(as_char) == (is_alnum || (c != 0 && c < 128 && marks.find(as_char) != marks.npos)));
    CHECK(is_field_value({&as_char, 1}) == (c == '\t' || (c >= 0x20 && c != 0x7f)));
    CHECK(is_target({&as_char, 1}) == (c > 0x20 && c < 0x7f && c != '#'));
  }
  CHECK_FALSE(is_token(""));
  CHECK(is_token("X-Y"));
  CHECK_FALSE(is_token("X Y"));
  CHECK(is_field_value(""));
  CHECK_FALSE(is_target(""));
}

TEST_CASE("a field value is looked at byte by byte, wherever a byte stands") {
  for (int c = 0; c < 256; ++c) {
    const bool is_fine = c == '\t' || (c >= 0x20 && c != 0x7f);
    for (std::size_t at = 0; at < 19; ++at) {
      for (const char around : {'a', ' ', '\t', '\xff', '~'}) {
        std::string value(19, around);
        value[at] = static_cast<char>(c);
        CAPTURE(c);
        CAPTURE(at);
        REQUIRE(is_field_value(value) == is_fine);
      }
    }
  }
}

TEST_CASE("a field is known by its name, whatever the case") {
  CHECK(identify("Host") == FieldId::kHost);
  CHECK(identify("hOST") == FieldId::kHost);
  CHECK(identify("TE") == FieldId::kTe);
  CHECK(identify("transfer-encoding") == FieldId::kTransferEncoding);
  CHECK(identify("Transfer-Encodinh") == FieldId::kOther);
  CHECK(identify("X-Forwarded-For") == FieldId::kXForwardedFor);
  CHECK(identify("X-Forwarded-Proto") == FieldId::kXForwardedProto);
  CHECK(identify("X_Forwarded_For") == FieldId::kOther);
  CHECK(identify("Content-Length") == FieldId::kContentLength);
  CHECK(identify("Content_Length") == FieldId::kOther);
  CHECK(identify("Sec-WebSocket-Accept") == FieldId::kSecWebsocketAccept);
  CHECK(identify("HTTP2-Settings") == FieldId::kHttp2Settings);
  CHECK(identify("Cookie") == FieldId::kCookie);
  CHECK(identify("") == FieldId::kOther);
  CHECK(identify(std::string(100, 'x')) == FieldId::kOther);
}

TEST_CASE("methods are known in upper case only (RFC 9110 9.1)") {
  for (const auto& [text, method] :
       std::vector<std::pair<std::string_view, Method>>{{"GET", Method::kGet},
                                                        {"HEAD", Method::kHead},
                                                        {"POST", Method::kPost},
                                                        {"PUT", Method::kPut},
                                                        {"DELETE", Method::kDelete},
                                                        {"OPTIONS", Method::kOptions},
                                                        {"PATCH", Method::kPatch},
                                                        {"TRACE", Method::kTrace},
                                                        {"CONNECT", Method::kConnect},
                                                        {"get", Method::kOther},
                                                        {"GETS", Method::kOther},
                                                        {"", Method::kOther}}) {
    CAPTURE(text);
    CHECK(parse_method(text) == method);
  }
}

TEST_CASE("a length is digits up to 2^63-1 (RFC 9110 8.6)") {
  CHECK(parse_length("0") == 0);
  CHECK(parse_length("0042") == 42);
  CHECK(parse_length("9223372036854775807") == 9223372036854775807U);
  for (const std::string_view text :
       {"", " 1", "1 ", "+1", "-1", "1,1", "0x1", "9223372036854775808", "1.0"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_length(text).has_value());
  }
}

TEST_CASE("a comma list has members; empty ones do not count (RFC 9110 5.6.1.2)") {
  ListMembers members(",a , ,b\t,,c d,");
  CHECK(members.next() == "a");
  CHECK(members.next() == "b");
  CHECK(members.next() == "c d");
  CHECK_FALSE(members.next().has_value());
  CHECK(has_member("keep-alive, Close", "close"));
  CHECK_FALSE(has_member("closed, x-close", "close"));
  CHECK_FALSE(has_member("", "close"));
}

TEST_CASE("a field line is name, colon, value") {
  const auto field = parse_field_line("Accept:\t text/html ");
  REQUIRE(field.has_value());
  CHECK(field->name == "Accept");
  CHECK(field->value == "text/html");
  CHECK(field->id == FieldId::kAccept);
  CHECK_FALSE(parse_field_line("Accept : x").has_value());
  CHECK_FALSE(parse_field_line("").has_value());
}

TEST_CASE("chunk extensions are names with values, each behind a semicolon (RFC 9112 7.1.1)") {
  for (const std::string_view text :
       {"", ";a", ";a=b", " ;a", ";a ;b", "; a = \"q \\\" ;\" ; b", ";a=\"\""}) {
    CAPTURE(text);
    CHECK(is_chunk_extension(text));
  }
  for (const std::string_view text :
       {" ", "a", ";", ";;a", ";a=", ";a=\"", ";a=\"\\", ";=b", ";a b", ";a=b c", ";a=\"b\"c", ";a,b"}) {
    CAPTURE(text);
    CHECK_FALSE(is_chunk_extension(text));
  }
}
