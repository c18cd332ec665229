// What the front makes of literal HTTP/1 messages, each from a sentence of RFC 9110 or RFC 9112. Behind each
// message stands a sound request, in the same write: after a message that was taken it is the next one, after
// one that was refused nobody ever sees it. The reader alone, cut at every byte:
// tests/unit/proxy/h1_reader_test.cpp.
#include <span>

#include "play.h"

using namespace std::literals;

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[apps.app]
command = ["$PYTHON", "$APPS/records.py"]
plain_http = "serve"
)";

struct Case {
  const char* section;  // RFC 9112, unless it says otherwise
  std::string_view sent;
  const char* outcome;    // the statuses, and "close" if the connection ends with the last one
  std::string_view seen;  // by the app, without the fields that we add; "=": what was sent
};

// ---- the request-line, the target, the version ----

constexpr Case kRequestLines[] = {
    {"3", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200", "="},
    {"3.1", "PROPFIND /x HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200", "="},
    {"3.1", "!#$%&'*+-.^_`|~9aZ /x HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200", "="},
    {"9110 9.1", "get / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200", "="},
    {"2.2", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"2.2", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.2", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3", "GET\v/\vHTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3", "GET / x HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3", "GET HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3", "/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3", "nonsense\r\n\r\n"sv, "400 close", ""},
    {"3.1", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.1", "GE\0T / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.1", "GE\xc3\xa9T / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.1", "GET, / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.1", ": / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3", "\x16\x03\x01\x02\x00\x01"sv, "400 close", ""},
    {"3.2", "GET x HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET /#top HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2.1", "GET /a/b;c=d?e=f&g=?/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200", "="},
    {"3.2.1", "GET //b/../c/./%2e%2E/%zz HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200", "="},
    {"3.2.1", "GET /\"<>[]^`{|}\\ HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200", "="},
    {"3.2.1", "GET ?x HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2.2", "GET http://b/x?y HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200",
     "GET /x?y HTTP/1.1\r\nHost: b\r\n\r\n"},
    {"3.2.2", "GET HTTP://b:81 HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200",
     "GET / HTTP/1.1\r\nHost: b:81\r\n\r\n"},
    {"3.2.2", "GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200", "GET /?q HTTP/1.1\r\nHost: b\r\n\r\n"},
    {"3.2.2", "GET http://[::1]:8/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200",
     "GET / HTTP/1.1\r\nHost: [::1]:8\r\n\r\n"},
    {"3.2.2", "GET http://b/ HTTP/1.0\r\n\r\n"sv, "200 close", "GET / HTTP/1.1\r\nHost: b\r\n\r\n"},
    {"3.2.2", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2.2", "GET http:x HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2.2", "GET http:/x HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2.2", "GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2.2", "GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"9110 4.2.4", "GET http://user:pass@b/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"9110 4.2.4", "GET http://user@b/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2.2", "GET http://b:99999/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2.3", "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n"sv, "405 close", ""},
    {"3.2.3", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2.3", "CONNECT b HTTP/1.1\r\nHost: b\r\n\r\n"sv, "400 close", ""},
    {"3.2.3", "GET b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n"sv, "400 close", ""},
    {"3.2.4", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200", "="},
    {"3.2.4", "OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200",
     "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n"},
    {"3.2.4", "OPTIONS http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200",
     "OPTIONS / HTTP/1.1\r\nHost: b\r\n\r\n"},
    {"3.2.4", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2.4", "OPTIONS *x HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"9110 9.3.8", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "405", ""},
    {"2.3", "GET /\r\n"sv, "400 close", ""},  // HTTP/0.9
    {"2.3", "GET /\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / \r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / HTTP/1.1x\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / HTTP/01.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / HTTP/1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / HTTP/1.\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / HTTP/11\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / HTTP/1,1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / HTTP/1.x\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / http/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / HTTPS/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / ICAP/1.0\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.3", "GET / HTTP/ 1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"9110 15.6.6", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"sv, "505 close", ""},
    {"9110 15.6.6", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"sv, "505 close", ""},
    {"9110 15.6.6", "GET / HTTP/3.1\r\nHost: a\r\n\r\n"sv, "505 close", ""},
    {"9110 2.5", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"sv, "200", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"9110 2.5", "GET / HTTP/1.9\r\nHost: a\r\n\r\n"sv, "200", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
};

// ---- Host ----

constexpr Case kHosts[] = {
    {"3.2", "GET / HTTP/1.1\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET http://b/ HTTP/1.1\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET http://b/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost:\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost:  \t \r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a#b\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a:-1\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: [1.2.3.4]\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a\"\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: <a>\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: a%0\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: caf\xc3\xa9\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"sv, "400 close", ""},
    {"3.2", "GET / HTTP/1.1\r\nHost: EXAMPLE.com:8080\r\n\r\n"sv, "200", "="},
    {"3.2", "GET / HTTP/1.1\r\nHost: a.:\r\n\r\n"sv, "200", "="},
    {"3.2", "GET / HTTP/1.1\r\nhost:[2001:db8::1]:65535\r\n\r\n"sv, "200",
     "GET / HTTP/1.1\r\nHost: [2001:db8::1]:65535\r\n\r\n"},
    {"3.2", "GET / HTTP/1.1\r\nX: y\r\nHost:\t127.0.0.1 \r\n\r\n"sv, "200",
     "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: y\r\n\r\n"},
    {"3.2", "GET / HTTP/1.0\r\n\r\n"sv, "200 close", "GET / HTTP/1.1\r\nHost: \r\n\r\n"},
    {"3.2", "GET / HTTP/1.0\r\nHost: a\r\n\r\n"sv, "200 close", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
};

// ---- fields ----

constexpr Case kFields[] = {
    {"5", "GET / HTTP/1.1\r\nHost: a\r\nA:b\r\nC: \t d \t\r\n\r\n"sv, "200",
     "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n"},
    {"5", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\na: c\r\nA: b\r\n\r\n"sv, "200", "="},
    {"9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nA: \x80\xff caf\xc3\xa9\tb\r\n\r\n"sv, "200", "="},
    {"9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nA: :;,\"(<@\\\r\n\r\n"sv, "200", "="},
    {"9110 5.6.2", "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^`|~9: b\r\n\r\n"sv, "200", "="},
    {"9110 5.1", "GET / HTTP/1.1\r\nHost: a\r\nX_A: b\r\nX-A: c\r\n\r\n"sv, "200",
     "GET / HTTP/1.1\r\nHost: a\r\nX-A: c\r\n\r\n"},  // dropped: an environment cannot tell them apart
    {"5.1", "GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n"sv, "400 close", ""},
    {"5.1", "GET / HTTP/1.1\r\nHost: a\r\nA\t: b\r\n\r\n"sv, "400 close", ""},
    {"5.1", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc"sv, "400 close", ""},
    {"5.1", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"sv, "400 close", ""},
    {"2.2", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"sv, "400 close", ""},
    {"2.2", "GET / HTTP/1.1\r\n\tX: y\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"5.2", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n"sv, "400 close", ""},
    {"5.2", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\tc: d\r\n\r\n"sv, "400 close", ""},
    {"5.2", "GET / HTTP/1.1\r\nHost: a\r\nA:\r\n b\r\n\r\n"sv, "400 close", ""},
    {"5.2", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n \r\n\r\n"sv, "400 close", ""},
    {"5.2", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"sv, "400 close",
     ""},
    {"5", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"sv, "400 close", ""},
    {"5", "GET / HTTP/1.1\r\nHost: a\r\nA\r\n\r\n"sv, "400 close", ""},
    {"5", "GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n"sv, "400 close", ""},
    {"5", "GET / HTTP/1.1\r\nHost: a\r\nA(): c\r\n\r\n"sv, "400 close", ""},
    {"5", "GET / HTTP/1.1\r\nHost: a\r\n\"A\": c\r\n\r\n"sv, "400 close", ""},
    {"5", "GET / HTTP/1.1\r\nHost: a\r\nA\x80: c\r\n\r\n"sv, "400 close", ""},
    {"5", "GET / HTTP/1.1\r\nHost: a\r\nA\0: c\r\n\r\n"sv, "400 close", ""},
    {"9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nA: b\0c\r\n\r\n"sv, "400 close", ""},
    {"9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n"sv, "400 close", ""},
    {"9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\r\n\r\n"sv, "400 close", ""},
    {"9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nA: \x01\r\n\r\n"sv, "400 close", ""},
    {"9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nA: b\x1b[0m\r\n\r\n"sv, "400 close", ""},
    {"9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nA: b\x7f\r\n\r\n"sv, "400 close", ""},
    {"9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nA: b\vc\r\n\r\n"sv, "400 close", ""},
    {"9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nA: b\fc\r\n\r\n"sv, "400 close", ""},
    {"2.2", "GET / HTTP/1.1\nHost: a\n\n"sv, "400 close", ""},
    {"2.2", "GET / HTTP/1.1\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\n\r\n"sv, "400 close", ""},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\r\n\n"sv, "400 close", ""},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\r\nA: b\nB: c\r\n\r\n"sv, "400 close", ""},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\r\nA: b\n\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.2", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"sv, "400 close", ""},
    {"2.2", "GET / HTTP/1.1\rHost: a\r\r"sv, "400 close", ""},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n\r\n"sv, "400 close", ""},
    {"9110 10.1.1", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"sv, "200",
     "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"9110 10.1.1", "GET / HTTP/1.1\r\nHost: a\r\nExpect: pony\r\n\r\n"sv, "417", ""},
    {"9110 10.1.1", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nExpect: pony\r\n\r\n"sv, "417", ""},
    {"9110 10.1.1", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, pony\r\n\r\n"sv, "417", ""},
    {"9110 10.1.1", "GET / HTTP/1.0\r\nExpect: pony\r\n\r\n"sv, "200 close",
     "GET / HTTP/1.1\r\nHost: \r\n\r\n"},
    {"9110 10.1.1", "POST / HTTP/1.1\r\nHost: a\r\nExpect: pony\r\nContent-Length: 3\r\n\r\nabc"sv,
     "417 close", ""},
    {"9110 7.6.1", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-a, close\r\nX-A: b\r\nX-B: c\r\n\r\n"sv,
     "200 close", "GET / HTTP/1.1\r\nHost: a\r\nX-B: c\r\n\r\n"},
    {"9.6", "GET / HTTP/1.1\r\nHost: a\r\nConnection: ,CLOSE,\r\n\r\n"sv, "200 close",
     "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"9.3", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"sv, "200", "GET / HTTP/1.1\r\nHost: \r\n\r\n"},
    {"9110 10.1.4", "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: gzip, trailers;q=0.5\r\n\r\n"sv,
     "200", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"9110 7.8",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
     "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"sv,
     "200", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
};

// ---- Content-Length and Transfer-Encoding ----

constexpr Case kFramings[] = {
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"sv, "200", "="},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"sv, "200", "="},
    {"6.2", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"sv, "200", "="},
    {"6.3", "POST / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200", "="},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\ncontent-length:  003 \r\n\r\nabc"sv, "200",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
    {"6.2", "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"sv, "200 close",
     "POST / HTTP/1.1\r\nHost: \r\nContent-Length: 3\r\n\r\nabc"},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -0\r\n\r\n"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3.0\r\n\r\nabc"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3e0\r\n\r\nabc"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 3\r\n\r\nabc"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3;\r\n\r\nabc"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \"3\"\r\n\r\nabc"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: three\r\n\r\nabc"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\v\r\n\r\nabc"sv, "400 close", ""},
    {"6.2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xd9\xa3\r\n\r\nabc"sv, "400 close", ""},
    {"6.3", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc"sv, "400 close", ""},
    {"6.3", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3,\r\n\r\nabc"sv, "400 close", ""},
    {"6.3", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ,3\r\n\r\nabc"sv, "400 close", ""},
    {"6.3", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 4\r\n\r\nabc"sv, "400 close", ""},
    {"6.3", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"sv, "400 close",
     ""},
    {"6.3", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\ncontent-length: 40\r\n\r\nabc"sv, "400 close",
     ""},
    {"6.3", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n"sv, "400 close",
     ""},
    {"9110 8.6", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n"sv, "400 close",
     ""},
    {"9110 8.6", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551619\r\n\r\nabc"sv,
     "400 close", ""},
    {"9110 8.6", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4294967299\r\n\r\nabc"sv, "413 close", ""},
    {"9110 8.6", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n"sv, "413 close",
     ""},
    {"9110 5.1", "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 3\r\n\r\n"sv, "200",
     "POST / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"sv, "200",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:\tCHUNKED \r\n\r\n0\r\n\r\n"sv, "200",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
    {"6.1", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"sv, "200",
     "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na"},
    {"6.1",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"sv,
     "400 close", ""},
    {"6.1",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     "400 close", ""},
    {"6.1",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     "400 close", ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n"sv,
     "400 close", ""},
    {"6.1", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, "400 close", ""},
    {"6.1", "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     "400 close", ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"sv, "400 close", ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"sv,
     "400 close", ""},
    {"6.1",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     "400 close", ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"sv, "400 close", ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"sv, "400 close", ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"sv, "400 close",
     ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"sv, "400 close",
     ""},
    {"6.1",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0b"
     "chunked\r\n\r\n0\r\n\r\n"sv,
     "400 close", ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n"sv, "400 close", ""},
    {"6.1",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x80"
     "chunked\r\n\r\n0\r\n\r\n"sv,
     "400 close", ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"sv, "501 close", ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabc"sv, "501 close", ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"sv, "501 close",
     ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"sv, "501 close",
     ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"sv,
     "501 close", ""},
    {"6.1",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     "501 close", ""},
    {"6.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"sv, "501 close", ""},
    {"9110 5.1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n"sv, "200",
     "POST / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"9110 7.6.1",
     "POST / HTTP/1.1\r\nHost: a\r\nConnection: Content-Length\r\nContent-Length: 3\r\n\r\nabc"sv, "200",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
    {"9110 7.6.1", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Host\r\n\r\n"sv, "200",
     "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
};

// ---- the chunked coding ----

#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LENGTH "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "

constexpr Case kChunks[] = {
    {"7.1", CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"sv, "200", LENGTH "5\r\n\r\nabcde"},
    {"7.1", CHUNKED "a\r\n0123456789\r\nA\r\n0123456789\r\n00\r\n\r\n"sv, "200",
     LENGTH "20\r\n\r\n01234567890123456789"},
    {"7.1", CHUNKED "0000000000000003\r\nabc\r\n0\r\n\r\n"sv, "200", LENGTH "3\r\n\r\nabc"},
    {"7.1", CHUNKED "4\r\n\r\n\r\n\r\n0\r\n\r\n"sv, "200", LENGTH "4\r\n\r\n\r\n\r\n"},
    {"7.1.1", CHUNKED "3;a\r\nabc\r\n0;b=c;d=\"e;\\\"\"\r\n\r\n"sv, "200", LENGTH "3\r\n\r\nabc"},
    {"7.1.1", CHUNKED "3 ; a = b\r\nabc\r\n0\r\n\r\n"sv, "200", LENGTH "3\r\n\r\nabc"},
    {"7.1", CHUNKED "\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "x\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "-3\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "+3\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "3h\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "3_\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED " 3\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "3 \r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "3\t\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "3,\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "3\0\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "10000000000000003\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "00000000000000003\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "ffffffffffffffffff\r\nabc"sv, "400 close", ""},
    {"7.1", CHUNKED "3\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "3\r\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "3\r\nabc\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "3\r\nabc\r0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "3\r\nabc0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "3\r\nabcd\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "4\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "0\n\r\n"sv, "400 close", ""},
    {"7.1", CHUNKED "0\r\n\n"sv, "400 close", ""},
    {"7.1", CHUNKED "0\r\n\rX"sv, "400 close", ""},
    {"7.1.1", CHUNKED "3;\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1.1", CHUNKED ";a\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1.1", CHUNKED "3;a=\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1.1", CHUNKED "3;=b\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1.1", CHUNKED "3;a=\"b\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1.1", CHUNKED "3;a b\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1.1", CHUNKED "3;a\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1.1", CHUNKED "3;a\rb\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1.1", CHUNKED "3;a\x01\r\nabc\r\n0\r\n\r\n"sv, "400 close", ""},
    {"7.1.2", CHUNKED "0\r\nA : b\r\n\r\n"sv, "400 close", ""},
    {"7.1.2", CHUNKED "0\r\n A: b\r\n\r\n"sv, "400 close", ""},
    {"7.1.2", CHUNKED "0\r\nA: b\r\n c\r\n\r\n"sv, "400 close", ""},
    {"7.1.2", CHUNKED "0\r\nA: b\nB: c\r\n\r\n"sv, "400 close", ""},
    {"7.1.2", CHUNKED "0\r\nA: b\0c\r\n\r\n"sv, "400 close", ""},
    {"7.1.2", CHUNKED "0\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"sv, "400 close", ""},
};

// ---- one behind the other ----

constexpr Case kPipelines[] = {
    {"9.3.2",
     "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\nPOST /3 HTTP/1.1\r\nHost: a\r\n"
     "Content-Length: 3\r\n\r\nabcGET /4 HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "200 200 200 200", "="},
    {"9.3.2", CHUNKED "3\r\nabc\r\n0\r\n\r\n" CHUNKED "0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "200 200 200", LENGTH "3\r\n\r\nabc" LENGTH "0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"9.3.2", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"sv, "200 200",
     "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"9.3.2", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n"sv,
     "200 400 close", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"9.3.2", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" CHUNKED "x\r\n\r\n"sv, "200 400 close",
     "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"9.6", "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     "200 close", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"9110 9.3.8", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"sv, "405 200",
     "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"},
    // What the length does not cover is the next message, whatever it looks like.
    {"6.3", LENGTH "2\r\n\r\nabc"sv, "200", LENGTH "2\r\n\r\nabc"},  // cGET /next
    {"6.3", LENGTH "2\r\n\r\nab\r\n\r\n"sv, "200 400 close", LENGTH "2\r\n\r\nab"},
    {"6.3", "GET / HTTP/1.1\r\nHost: a\r\n\r\n0\r\n\r\n"sv, "200 400 close",
     "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
};

// ---- how they are tried ----

// It asks for the end, so that every connection comes to one.
constexpr std::string_view kNext = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
constexpr std::string_view kNextSeen = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

/// A head's text, without the fields that the front adds to it.
std::string without_ours(std::string_view seen) {
  std::string out;
  while (!seen.empty()) {
    const std::size_t end = std::min(seen.find("\r\n"), seen.size() - 2) + 2;
    const std::string_view line = seen.substr(0, std::min(end, seen.size()));
    seen.remove_prefix(line.size());
    bool is_ours = false;
    for (const std::string_view name : {"X-Forwarded-", "Forwarded:", "X-Request-", "traceparent:", "Via:"})
      is_ours = is_ours || line.starts_with(name);
    if (!is_ours) out += line;
  }
  return out;
}

/// The statuses up to the answer that says close; it has to be the last, and the connection has to end with
/// it.
std::string outcome_of(play::Peer& client) {
  std::string outcome;
  for (;;) {
    const play::Answer answer = client.read_answer();
    if (answer.status == 0) return outcome + "closed without a word";
    outcome += std::to_string(answer.status) + " ";
    if (answer.field("Connection") != "close") continue;
    return outcome + (client.is_closed_by_peer() ? "close" : "close, and more came");
  }
}

void try_case(const Case& it, std::uint16_t port, play::Peer client) {
  CAPTURE(it.section);
  CAPTURE(it.sent);
  client.send(std::string(it.sent) + std::string(kNext));
  const std::string outcome = outcome_of(client);
  std::string expected = it.outcome, seen(it.seen == "=" ? it.sent : it.seen);
  if (!expected.ends_with("close")) {
    expected += " 200 close";
    seen += kNextSeen;
  }
  CHECK(outcome == expected);
  CHECK(without_ours(play::get(port, "/-/seen").body) == seen);
}

void try_all(std::span<const Case> cases) {
  const play::Folder folder;
  folder.certificate("a");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  for (const Case& it : cases) {
    try_case(it, portherd.port(), play::connect(portherd.port()));
    try_case(it, portherd.port(), play::connect_tls(portherd.tls_port(), "a"));
  }
}

}  // namespace

TEST_CASE("a request-line is taken in its one form, and its target in the form that the app understands") {
  try_all(kRequestLines);
}

TEST_CASE("Host is there, once, a host, and gives way to absolute-form") {
  try_all(kHosts);
}

TEST_CASE("fields are taken in their one form and passed on as they came") {
  try_all(kFields);
}

TEST_CASE("a body's length is said in one way, or the message is refused and the connection closed") {
  try_all(kFramings);
}

TEST_CASE("the chunked coding is taken in its one form") {
  try_all(kChunks);
}

TEST_CASE("requests that follow each other are answered in order, up to the first that is ambiguous") {
  try_all(kPipelines);
}

TEST_CASE("a head, and what a chunked body has beside its data, have bounds") {
  const std::string host = "\r\nHost: a\r\n", kib(1024, 'x');
  const auto times = [](std::size_t count, const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
  };
  std::string fields;
  for (int i = 0; i < 98; ++i) fields += "F" + std::to_string(i) + ": x\r\n";
  const std::string sent[] = {
      // max_head is 32 KiB, of which the request-line may be half.
      "GET /" + times(15, kib) + " HTTP/1.1" + host + "\r\n",
      "GET /" + times(16, kib) + " HTTP/1.1" + host + "\r\n",
      "GET /" + times(40, kib) + " HTTP/1.1" + host + "\r\n",
      "GET / HTTP/1.1" + host + "A: " + times(31, kib) + "\r\n\r\n",
      "GET / HTTP/1.1" + host + "A: " + times(32, kib) + "\r\n\r\n",
      "GET / HTTP/1.1" + host + times(40, "A: " + kib + "\r\n") + "\r\n",
      // max_fields is 100.
      "GET / HTTP/1.1" + host + fields + "A: b\r\n\r\n",
      "GET / HTTP/1.1" + host + fields + "A: b\r\nA: c\r\n\r\n",
      // 8 KiB, in all, for extensions and trailers.
      CHUNKED + times(8, "1;" + kib.substr(1) + "\r\na\r\n") + "0\r\n\r\n",
      CHUNKED + times(8, "1;" + kib.substr(1) + "\r\na\r\n") + "0;a\r\n\r\n",
      CHUNKED + times(7, "1;" + kib.substr(1) + "\r\na\r\n") + "0\r\nA: " + kib + "\r\n\r\n",
      CHUNKED "0\r\n" + times(9, "A: " + kib + "\r\n") + "\r\n",
      CHUNKED "1;" + times(9, kib),
      CHUNKED "0\r\nA: " + times(9, kib),
  };
  const Case cases[] = {
      {"3", sent[0], "200", "="},
      {"9110 15.5.15", sent[1], "414 close", ""},
      {"9110 15.5.15", sent[2], "414 close", ""},
      {"5", sent[3], "200", "="},
      {"6585 5", sent[4], "431 close", ""},
      {"6585 5", sent[5], "431 close", ""},
      {"5", sent[6], "200", "="},
      {"6585 5", sent[7], "431 close", ""},
      {"7.1.1", sent[8], "200", LENGTH "8\r\n\r\naaaaaaaa"},
      {"7.1.1", sent[9], "400 close", ""},
      {"7.1.2", sent[10], "400 close", ""},
      {"7.1.2", sent[11], "400 close", ""},
      {"7.1.1", sent[12], "400 close", ""},
      {"7.1.2", sent[13], "400 close", ""},
  };
  try_all(cases);
}

TEST_CASE("what is asked for by https has to come by TLS (RFC 9110 7.4)") {
  const play::Folder folder;
  folder.certificate("a");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  const Case plain{"9110 7.4", "GET https://b/ HTTP/1.1\r\nHost: b\r\n\r\n"sv, "421", ""};
  const Case secured{"9110 7.4", plain.sent, "200", "GET / HTTP/1.1\r\nHost: b\r\n\r\n"};
  try_case(plain, portherd.port(), play::connect(portherd.port()));
  try_case(secured, portherd.port(), play::connect_tls(portherd.tls_port(), "a"));
}
