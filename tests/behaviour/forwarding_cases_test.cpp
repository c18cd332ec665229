// What passes between client and app, both ways, byte for byte: one literal request and one literal answer a
// case, with the section of RFC 9110 that says so. Each is tried over HTTP/1.1 and, where HTTP/2 has such a
// thing, over HTTP/2 in HTTP/2's words; with TLS and without. What a request has to be to pass at all:
// http1_cases_test.cpp, http2_cases_test.cpp.
#include <algorithm>
#include <span>
#include <thread>

#include "play_h2.h"

using namespace std::literals;
namespace h2 = play::h2;

namespace {
constexpr const char* kPlain = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)";
constexpr const char* kBoth = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[apps.app]
proxy = ["unix:app.sock"]
plain_http = "serve"
)";

struct Case {
  const char* section;
  std::string_view request;
  std::string_view seen;  // by the app, without what is_ours; empty: it sees nothing
  std::string_view answer;
  std::string_view taken;              // by the client, without a Date of today
  std::string_view not_in_http2 = {};  // why
};

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
#define VIA "Via: 1.1 portherd\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define EMPTY OK "Content-Length: 0\r\n\r\n"
#define EMPTY_TAKEN OK VIA "Content-Length: 0\r\n"

constexpr std::string_view kOldVersion = "HTTP/1.0";
constexpr std::string_view kNoConnection = "8.2.2 of RFC 9113: there are no fields of a connection";

constexpr Case kVia[] = {
    {"7.6.3", GET "\r\n"sv, GET VIA "\r\n"sv, EMPTY, EMPTY_TAKEN "\r\n"sv},
    {"7.6.3", "GET / HTTP/1.0\r\nHost: a\r\n\r\n"sv, GET "Via: 1.0 portherd\r\n\r\n"sv, EMPTY,
     EMPTY_TAKEN "Connection: close\r\n\r\n"sv, kOldVersion},
    {"7.6.3", GET "via: 1.0 fred, 1.1 p.example.com (Apache)\r\n\r\n"sv,
     GET "via: 1.0 fred, 1.1 p.example.com (Apache)\r\n" VIA "\r\n"sv,
     OK "Via: 1.1 inner\r\nContent-Length: 0\r\n\r\n"sv,
     OK "Via: 1.1 inner\r\n" VIA "Content-Length: 0\r\n\r\n"sv},
    {"7.6.3", GET "\r\n"sv, GET VIA "\r\n"sv, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"sv,
     OK "Via: 1.0 portherd\r\nContent-Length: 0\r\n\r\n"sv},
    {"7.6.3", GET "Connection: Via\r\nVia: 1.1 x\r\n\r\n"sv, GET VIA "\r\n"sv, EMPTY, EMPTY_TAKEN "\r\n"sv,
     kNoConnection},
};

constexpr Case kFields[] = {
    {"5.3", GET "x-b: 1\r\nx-a: \r\nx-b: caf\xe9, \"2\"\r\nCookie: a=1; b=2\r\n\r\n"sv,
     GET "x-b: 1\r\nx-a: \r\nx-b: caf\xe9, \"2\"\r\nCookie: a=1; b=2\r\n" VIA "\r\n"sv,
     OK "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-A: caf\xe9\r\nContent-Length: 0\r\n\r\n"sv,
     OK "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-A: caf\xe9\r\n" VIA "Content-Length: 0\r\n\r\n"sv},
    {"4.1", "GET /%7euser/../x?q=%zz&a=b HTTP/1.1\r\nHost: a:8080\r\n\r\n"sv,
     "GET /%7euser/../x?q=%zz&a=b HTTP/1.1\r\nHost: a:8080\r\n" VIA "\r\n"sv, EMPTY, EMPTY_TAKEN "\r\n"sv},
    {"7.6.1",
     GET
     "Connection: keep-alive, X-A\r\nX-A: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nx-b: 2\r\n\r\n"sv,
     GET "x-b: 2\r\n" VIA "\r\n"sv, EMPTY, EMPTY_TAKEN "\r\n"sv, kNoConnection},
    // Who asked and for what is ours to say; a name with "_" could be taken for one with "-" (CGI, RFC
    // 3875 4.1.18).
    {"17.14",
     GET
     "x-forwarded-for: 6.6.6.6\r\nx-forwarded-proto: ftp\r\nx-forwarded-host: evil\r\nx-forwarded-user: "
     "root\r\n"
     "forwarded: for=6.6.6.6\r\nx-real-ip: 6.6.6.6\r\nx_forwarded_for: 6.6.6.6\r\nx_a: 1\r\nproxy: evil\r\n"
     "traceparent: cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\ntracestate: evil=1\r\n"
     "x-b: 2\r\n\r\n"sv,
     GET "x-b: 2\r\n" VIA "\r\n"sv, EMPTY, EMPTY_TAKEN "\r\n"sv},
};

#define OPTIONS "OPTIONS / HTTP/1.1\r\nHost: a\r\n"
#define OPTIONS_ENDS                                                                                      \
  OK "Content-Type: text/plain; charset=utf-8\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" \
     "Content-Length: 7\r\n\r\n200 OK\n"sv
#define REFUSED \
  "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 16\r\n\r\n400 Bad Request\n"sv

constexpr Case kMaxForwards[] = {
    {"7.6.2", OPTIONS "Max-Forwards: 1\r\n\r\n"sv, OPTIONS "Max-Forwards: 0\r\n" VIA "\r\n"sv, EMPTY,
     EMPTY_TAKEN "\r\n"sv},
    {"7.6.2", OPTIONS "max-forwards: 010\r\n\r\n"sv, OPTIONS "Max-Forwards: 9\r\n" VIA "\r\n"sv, EMPTY,
     EMPTY_TAKEN "\r\n"sv},
    {"7.6.2", OPTIONS "Max-Forwards: 99999999999999999999\r\n\r\n"sv,
     OPTIONS "Max-Forwards: 18446744073709551614\r\n" VIA "\r\n"sv, EMPTY, EMPTY_TAKEN "\r\n"sv},
    {"7.6.2", OPTIONS "Max-Forwards: 0\r\n\r\n"sv, "", "", OPTIONS_ENDS},
    {"7.6.2", "OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n"sv, "", "", OPTIONS_ENDS},
    {"7.6.2", OPTIONS "Max-Forwards: -1\r\n\r\n"sv, "", "", REFUSED},
    {"7.6.2", OPTIONS "Max-Forwards:\r\n\r\n"sv, "", "", REFUSED},
    {"7.6.2", OPTIONS "Max-Forwards: 5, 5\r\n\r\n"sv, "", "", REFUSED},
    {"7.6.2", OPTIONS "Max-Forwards: 5\r\nMax-Forwards: 6\r\n\r\n"sv, "", "", REFUSED},
    {"7.6.2", GET "max-forwards: 0\r\n\r\n"sv, GET "max-forwards: 0\r\n" VIA "\r\n"sv, EMPTY,
     EMPTY_TAKEN "\r\n"sv},
};

constexpr Case kBodies[] = {
    {"6.6.1", GET "\r\n"sv, GET VIA "\r\n"sv,
     OK "Date: Mon, 01 Jan 2001 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n"sv,
     OK "Date: Mon, 01 Jan 2001 00:00:00 GMT\r\n" VIA "Content-Length: 0\r\n\r\n"sv},
    {"9.3.2", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "HEAD / HTTP/1.1\r\nHost: a\r\n" VIA "\r\n"sv,
     OK "Content-Length: 5\r\n\r\n"sv, OK "Content-Length: 5\r\n" VIA "\r\n"sv},
    {"9.3.2", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "HEAD / HTTP/1.1\r\nHost: a\r\n" VIA "\r\n"sv,
     OK "Content-Length: 5\r\n\r\nhello"sv, OK "Content-Length: 5\r\n" VIA "\r\n"sv},
    {"9.3.2", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"sv, "HEAD / HTTP/1.1\r\nHost: a\r\n" VIA "\r\n"sv,
     OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"sv, OK VIA "\r\n"sv},
    {"15.3.5", GET "\r\n"sv, GET VIA "\r\n"sv, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"sv,
     "HTTP/1.1 204 No Content\r\n" VIA "\r\n"sv},
    {"15.3.5", GET "\r\n"sv, GET VIA "\r\n"sv,
     "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     "HTTP/1.1 204 No Content\r\n" VIA "\r\n"sv},
    {"15.4.5", GET "\r\n"sv, GET VIA "\r\n"sv,
     "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 5\r\n\r\nhello"sv,
     "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 5\r\n" VIA "\r\n"sv},
    {"7.6.1", GET "\r\n"sv, GET VIA "\r\n"sv,
     OK "Connection: close, X-A\r\nX-A: b\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nUpgrade: "
        "h2c\r\nX-B: c\r\n"
        "Content-Length: 2\r\n\r\nok"sv,
     OK "X-B: c\r\n" VIA "Content-Length: 2\r\n\r\nok"sv},
    {"8.6", GET "\r\n"sv, GET VIA "\r\n"sv, OK "\r\nto the end"sv,
     OK VIA "Transfer-Encoding: chunked\r\n\r\na\r\nto the end\r\n0\r\n\r\n"sv},
};

constexpr Case kInterim[] = {
    {"15.2", GET "\r\n"sv, GET VIA "\r\n"sv,
     "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\n\r\n" EMPTY,
     "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" EMPTY_TAKEN "\r\n"sv},
    {"15.2", GET "\r\n"sv, GET VIA "\r\n"sv,
     "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: b\r\n\r\n" EMPTY,
     "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: b\r\n\r\n" EMPTY_TAKEN "\r\n"sv},
    {"15.2", "GET / HTTP/1.0\r\nHost: a\r\n\r\n"sv, GET "Via: 1.0 portherd\r\n\r\n"sv,
     "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" EMPTY, EMPTY_TAKEN "Connection: close\r\n\r\n"sv,
     kOldVersion},
    {"10.1.1", GET "\r\n"sv, GET VIA "\r\n"sv, "HTTP/1.1 100 Continue\r\n\r\n" EMPTY, EMPTY_TAKEN "\r\n"sv},
};

constexpr std::string_view kAlwaysTakesTrailers = "8.1 of RFC 9113: trailers are a frame like any other";

// RFC 9110 6.5, RFC 9112 7.1.2.
constexpr Case kTrailers[] = {
    {"6.5", CHUNKED "\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\nx-sum: 2\r\n\r\n"sv,
     "POST / HTTP/1.1\r\nHost: a\r\n" VIA
     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\nx-sum: 2\r\n\r\n"sv,
     EMPTY, EMPTY_TAKEN "\r\n"sv},
    {"6.5", CHUNKED "\r\n0\r\nX-Sum:2 \r\n\r\n"sv,
     "POST / HTTP/1.1\r\nHost: a\r\n" VIA "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum:2 \r\n\r\n"sv, EMPTY,
     EMPTY_TAKEN "\r\n"sv, "8.2.1 of RFC 9113: neither upper case nor space"},
    {"6.6.2", CHUNKED "trailer: x-sum\r\n\r\n0\r\nx-sum: 1\r\n\r\n"sv,
     "POST / HTTP/1.1\r\nHost: a\r\ntrailer: x-sum\r\n" VIA
     "Transfer-Encoding: chunked\r\n\r\n0\r\nx-sum: 1\r\n\r\n"sv,
     EMPTY, EMPTY_TAKEN "\r\n"sv},
    {"6.5", GET "TE: trailers\r\n\r\n"sv, GET VIA "TE: trailers\r\nConnection: TE\r\n\r\n"sv,
     OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     OK VIA "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"sv},
    {"6.5", GET "TE: trailers\r\n\r\n"sv, GET VIA "TE: trailers\r\nConnection: TE\r\n\r\n"sv,
     OK
     "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\nX: y\r\n\r\n"sv,
     OK VIA "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\nX: y\r\n\r\n"sv},
    {"6.5.1", GET "TE: gzip;q=0.5, Trailers\r\n\r\n"sv, GET VIA "TE: trailers\r\nConnection: TE\r\n\r\n"sv,
     OK "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     OK VIA "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     "8.2.2 of RFC 9113: TE says trailers or nothing"},
    {"6.5.1", GET "\r\n"sv, GET VIA "\r\n"sv,
     OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     OK VIA "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"sv, kAlwaysTakesTrailers},
    {"6.6.2", GET "TE: trailers\r\n\r\n"sv, GET VIA "TE: trailers\r\nConnection: TE\r\n\r\n"sv,
     OK "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     OK "Trailer: X-Sum\r\n" VIA "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"sv},
    {"6.6.2", GET "\r\n"sv, GET VIA "\r\n"sv,
     OK "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     OK VIA "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, kAlwaysTakesTrailers},
    {"6.5.1", GET "TE: trailers\r\n\r\n"sv, GET VIA "TE: trailers\r\nConnection: TE\r\n\r\n"sv, EMPTY,
     EMPTY_TAKEN "\r\n"sv},
};

// What a recipient might take for a field of the head goes no further; the body then has its length.
constexpr Case kForbiddenTrailers[] = {
    {"6.6.2", CHUNKED "Trailer: X-Sum\r\n\r\n0\r\n\r\n"sv,
     "POST / HTTP/1.1\r\nHost: a\r\n" VIA "Content-Length: 0\r\n\r\n"sv, EMPTY, EMPTY_TAKEN "\r\n"sv},
    {"6.5.1",
     CHUNKED
     "\r\n3\r\nabc\r\n0\r\nAuthorization: x\r\nCookie: a=b\r\nX-Forwarded-For: 1.2.3.4\r\n"
     "X-Forwarded-User: root\r\nX_A: b\r\nContent-Encoding: gzip\r\nIf-Match: x\r\nExpect: 100-continue\r\n"
     "TE: trailers\r\nVia: 1.1 x\r\n\r\n"sv,
     "POST / HTTP/1.1\r\nHost: a\r\n" VIA "Content-Length: 3\r\n\r\nabc"sv, EMPTY, EMPTY_TAKEN "\r\n"sv},
    {"6.5.1",
     CHUNKED
     "\r\n3\r\nabc\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nHost: b\r\nConnection: x\r\n\r\n"sv,
     "POST / HTTP/1.1\r\nHost: a\r\n" VIA "Content-Length: 3\r\n\r\nabc"sv, EMPTY, EMPTY_TAKEN "\r\n"sv,
     "8.1 and 8.2.2 of RFC 9113: malformed"},
};

// ---- how they are tried ----

bool is_one_of(std::string_view line, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (line.starts_with(name)) return true;
  }
  return false;
}

template <class IsToGo>
std::string without(std::string head, IsToGo is_to_go) {
  for (std::size_t at = 0, end = 0; (end = head.find("\r\n", at)) != head.npos;) {
    if (is_to_go(std::string_view(head).substr(at, end + 2 - at)))
      head.erase(at, end + 2 - at);
    else
      at = end + 2;
  }
  return head;
}

/// What the front says of the client; a stranger's word for it would be another.
bool is_ours(std::string_view line) {
  return is_one_of(line, {"X-Forwarded-For: 127.0.0.1\r\n", "X-Forwarded-Proto: http", "X-Forwarded-Host: a",
                          "Forwarded: for=127.0.0.1;", "X-Request-Id: ", "X-Request-Start: t=",
                          "traceparent: 00-"});
}
bool is_date_of_today(std::string_view line) {
  return is_one_of(line, {"Date:", "date:"}) && line.find("2001") == line.npos;
}

/// As many heads and as many bytes behind the last one as `expected` has.
template <class IsToGo>
std::string read_like(play::Peer& peer, std::string_view expected, IsToGo is_to_go) {
  std::string got;
  while (expected.starts_with("HTTP/1.1 1")) {  // interim heads
    got += peer.read_head();
    expected.remove_prefix(expected.find("\r\n\r\n") + 4);
  }
  got += without(peer.read_head(), is_to_go);
  return got + peer.read(expected.size() - expected.find("\r\n\r\n") - 4);
}

/// The app's part.
void play_app(const Case& it, std::string_view seen, play::App& app) {
  if (seen.empty()) return;
  play::Peer worker = app.accept();
  CHECK(read_like(worker, seen, is_ours) == seen);
  worker.send(it.answer);
  worker.close();
}

void try_http1(const Case& it, play::Peer client, play::App& app) {
  client.send(it.request);
  play_app(it, it.seen, app);
  CHECK(read_like(client, it.taken, is_date_of_today) == it.taken);
  CHECK_FALSE(app.has_visitor());
  client.shut_writing();
  CHECK(client.read_to_end() == "");  // nothing stood behind the answer
}

// ---- the same in HTTP/2 ----

std::string_view cut(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  return std::string_view(std::exchange(text, at == text.npos ? "" : text.substr(at + end.size())))
      .substr(0, at);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// The fields up to the empty line, but for those of a connection.
h2::Fields take_fields(std::string_view& text) {
  h2::Fields fields;
  for (std::string_view line; !(line = cut(text, "\r\n")).empty();) {
    const std::string_view name = cut(line, ":");
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (!is_one_of(name, {"Connection", "Transfer-Encoding"})) fields.emplace_back(lower(name), line);
  }
  return fields;
}

bool is_chunked(std::string_view text) {
  return text.substr(0, text.find("\r\n\r\n")).find("Transfer-Encoding: chunked") != text.npos;
}

/// The chunks' data; in front of `text` are the trailers then.
std::string take_chunks(std::string_view& text) {
  std::string out;
  for (std::size_t size = 0; (size = std::stoul(std::string(cut(text, "\r\n")), nullptr, 16)) > 0;) {
    out += text.substr(0, size);
    text.remove_prefix(size + 2);
  }
  return out;
}

/// HEADERS, DATA and trailers of stream 1.
std::string request_in_http2(std::string_view text) {
  const bool has_body = is_chunked(text);
  std::string_view line = cut(text, "\r\n");
  const std::string method(cut(line, " ")), path(cut(line, " "));
  h2::Fields fields = take_fields(text);
  fields.front().first = ":authority";  // Host
  fields.insert(fields.begin(), {{":method", method}, {":scheme", "https"}, {":path", path}});
  if (!has_body) return h2::frame(h2::kHeaders, h2::kLast, 1, h2::block(fields));
  const std::string body = take_chunks(text);
  const h2::Fields trailers = take_fields(text);
  std::string out = h2::frame(h2::kHeaders, h2::kEndHeaders, 1, h2::block(fields));
  out += h2::frame(h2::kData, trailers.empty() ? h2::kEndStream : h2::kNone, 1, body);
  return trailers.empty() ? out : out + h2::frame(h2::kHeaders, h2::kLast, 1, h2::block(trailers));
}

/// Content-Length last, which HTTP/1.1 says as its framing and HTTP/2 where it stood.
std::string lines(h2::Fields fields) {
  std::ranges::stable_partition(fields, [](const auto& field) { return field.first != "content-length"; });
  std::string out;
  for (const auto& [name, value] : fields) out.append(name).append(": ").append(value).append("\r\n");
  return out + "\r\n";
}

/// As read_answer() says it.
std::string answer_in_http2(std::string_view text) {
  std::string out;
  while (text.starts_with("HTTP/1.1 ")) {
    const bool has_chunks = is_chunked(text);
    out.append(":status: ")
        .append(cut(text, "\r\n").substr(9, 3))
        .append("\r\n")
        .append(lines(take_fields(text)));
    if (!has_chunks) continue;
    out += take_chunks(text);
    if (const h2::Fields trailers = take_fields(text); !trailers.empty()) out += lines(trailers);
  }
  return out.append(text);
}

/// Heads, body and trailers of stream 1, to END_STREAM.
std::string read_answer(h2::Client& client) {
  std::string out;
  for (;;) {
    const h2::Frame frame = client.next();
    REQUIRE(frame.stream == 1);
    REQUIRE((frame.type == h2::kHeaders || frame.type == h2::kData));
    out += frame.type == h2::kHeaders ? without(lines(frame.fields), is_date_of_today) : frame.payload;
    if (frame.has(h2::kEndStream)) return out;
  }
}

/// What we add to a request says in which version it came.
std::string came_in_http2(std::string_view seen) {
  std::string out(seen);
  constexpr std::string_view kOurs = "Via: 1.1";
  if (const std::size_t at = out.find(kOurs); at != out.npos) out.replace(at, kOurs.size(), "Via: 2.0");
  return out;
}

void try_http2(const Case& it, h2::Client client, play::App& app) {
  client.send(request_in_http2(it.request));
  play_app(it, came_in_http2(it.seen), app);
  CHECK(read_answer(client) == answer_in_http2(it.taken));
  CHECK_FALSE(app.has_visitor());
  client.send(h2::frame(h2::kPing, h2::kNone, 0, "12345678"));
  CHECK(client.next().type == h2::kPing);  // nothing stood behind the answer
}

/// `more`: of the app's configuration.
void try_all(std::span<const Case> cases, const std::string& more = {}) {
  const play::Folder folder;
  folder.certificate("a");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kBoth + more);
  for (const Case& it : cases) {
    CAPTURE(it.section);
    CAPTURE(it.request);
    try_http1(it, play::connect(portherd.port()), app);
    try_http1(it, play::connect_tls(portherd.tls_port(), "a"), app);
    if (!it.not_in_http2.empty()) continue;
    INFO("in HTTP/2");
    try_http2(it, h2::Client(play::connect(portherd.port())), app);
    try_http2(it, h2::Client(play::connect_tls(portherd.tls_port(), "a", "h2")), app);
  }
}

}  // namespace

TEST_CASE("Via says on both sides that the front stood between, behind those that came before") {
  try_all(kVia);
}

TEST_CASE("fields pass as they are and in their order, but for those that end here") {
  try_all(kFields);
}

TEST_CASE("OPTIONS goes one hop fewer, and ends here when none is left") {
  try_all(kMaxForwards);
}

TEST_CASE("an answer has a Date, its hop-by-hop fields end here, and HEAD, 204 and 304 have no body") {
  try_all(kBodies);
}

TEST_CASE("interim answers pass to those who can take them, 100 to those who wait for it") {
  try_all(kInterim);
}

TEST_CASE("trailers pass where both sides can, whether the body was gathered or not") {
  try_all(kTrailers);
  try_all(kTrailers, "stream_body = true\n");
}

TEST_CASE("no trailer passes that could be taken for a field of the head") {
  try_all(kForbiddenTrailers);
}

TEST_CASE("a client of HTTP/2 gets the trailers and the interim answers, and no field of a connection") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kPlain);
  const std::string url = "http://127.0.0.1:" + std::to_string(portherd.port()) + "/";
  const std::string heads = folder.write("heads", "");
  play::Ended curl;
  std::thread client([&] { curl = play::run({"curl", "-sS", "--http2-prior-knowledge", "-D", heads, url}); });
  play::Peer worker = app.accept();
  const std::string seen = worker.read_head();
  worker.send(
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" OK
      "Connection: close, X-A\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n"
      "Content-Length: 5\r\n\r\n");
  worker.close();
  client.join();
  CHECK(play::field_of(seen, "Via") == "2.0 portherd");
  CHECK(curl.out == "ok");
  CHECK(without(folder.read("heads"), is_date_of_today) ==
        "HTTP/2 103 \r\nlink: </a.css>\r\n\r\nHTTP/2 200 \r\nvia: 1.1 portherd\r\n\r\nx-sum: 1\r\n");
}

TEST_CASE("an answer has one Date, whoever made it (RFC 9110 6.6.1)") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kPlain);
  play::Peer client = play::connect(portherd.port());
  client.send(GET "\r\n" GET "\r\n" OPTIONS "Max-Forwards: 0\r\n\r\n" GET "bad\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send(EMPTY);
  CHECK(client.read_answer().field("Date").ends_with(" GMT"));
  worker.read_head();
  worker.send(OK "date: Mon, 01 Jan 2001 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n");
  CHECK(client.read_answer().field("Date") == "Mon, 01 Jan 2001 00:00:00 GMT");
  CHECK(client.read_answer().field("Date").size() == std::string("Mon, 01 Jan 2001 00:00:00 GMT").size());
  CHECK(client.read_answer().field("Date").ends_with(" GMT"));
}

TEST_CASE("our own Python worker is no other server: no Via of ours, no trailers") {
  const play::Folder folder;
  folder.write("shop.py", R"(
def app(environ, start_response):
    start_response("200 OK", [])
    return [repr((environ.get("HTTP_VIA"), environ.get("HTTP_MAX_FORWARDS"), environ.get("HTTP_X_SUM"),
                  environ["wsgi.input"].read())).encode()]
)");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
wsgi = "shop:app"
python = "$PYTHON"
)");
  play::Peer client = play::connect(portherd.port());
  client.send(
      "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 2\r\nVia: 1.1 outer\r\nTransfer-Encoding: "
      "chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n");
  const play::Answer answer = client.read_answer();
  CHECK(answer.body == "('1.1 outer', '1', None, b'abc')");
  CHECK(answer.field("Via").empty());
}

TEST_CASE("trailers of an HTTP/2 request reach the app behind chunks, if they are not too long") {
  if (!play::is_installed("nghttp")) return;
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kPlain);
  const std::string url = "http://127.0.0.1:" + std::to_string(portherd.port()) + "/";
  const std::string body = folder.write("body", "abc");
  play::Ended nghttp;
  std::thread client([&] {
    nghttp = play::run({"nghttp", "--no-dep", "-v", "-H:method: POST", "-d", body, "--trailer", "x-sum: 1",
                        "--trailer", "authorization: x", url});
  });
  play::Peer worker = app.accept();
  const std::string head = worker.read_head();
  CHECK(play::field_of(head, "Transfer-Encoding") == "chunked");
  CHECK(play::field_of(head, "Content-Length").empty());
  CHECK(worker.read(23) == "3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n");
  worker.send(EMPTY);
  client.join();
  CHECK(nghttp.out.find(":status: 200") != nghttp.out.npos);

  const play::Ended refused = play::run({"nghttp", "--no-dep", "-v", "-H:method: POST", "-d", body,
                                         "--trailer", "x-sum: " + std::string(9000, 'x'), url});
  CHECK(refused.out.find(":status: 431") != refused.out.npos);
  CHECK_FALSE(app.has_visitor());
}

TEST_CASE("a body that breaks off never looks whole to the app") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, std::string(kPlain) + "stream_body = true\n");
  for (const std::string_view rest : {
           "x\r\n"sv,
           "3\r\nabcd\r\n0\r\n\r\n"sv,
           "0\r\nA : b\r\n\r\n"sv,
           "0\r\n\n"sv,
           "3;=\r\n"sv,
       }) {
    CAPTURE(rest);
    play::Peer client = play::connect(portherd.port());
    client.send(CHUNKED "\r\n2\r\nok\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    CHECK(worker.read(7) == "2\r\nok\r\n");
    client.send(std::string(rest) + GET "\r\n");
    const play::Answer answer = client.read_answer();
    CHECK(answer.status == 400);
    CHECK(answer.field("Connection") == "close");
    CHECK(client.is_closed_by_peer());
    const std::string behind = worker.read_to_end();
    CHECK(behind.find("0\r\n") == behind.npos);
    CHECK_FALSE(app.has_visitor());
  }
}
