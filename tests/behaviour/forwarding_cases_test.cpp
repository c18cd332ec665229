// What passes between client and app, both ways, byte for byte: one literal request and one literal answer a
// case, with the section of RFC 9110 that says so. What a request has to be to pass at all:
// http1_cases_test.cpp.
#include <span>
#include <thread>

#include "play.h"

using namespace std::literals;

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
  std::string_view seen;  // by the app, without X-Forwarded-*, Forwarded, X-Request-*; empty: it sees nothing
  std::string_view answer;
  std::string_view taken;  // by the client, without a Date of today
};

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
#define VIA "Via: 1.1 portherd\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define EMPTY OK "Content-Length: 0\r\n\r\n"
#define EMPTY_TAKEN OK VIA "Content-Length: 0\r\n"

constexpr Case kVia[] = {
    {"7.6.3", GET "\r\n"sv, GET VIA "\r\n"sv, EMPTY, EMPTY_TAKEN "\r\n"sv},
    {"7.6.3", "GET / HTTP/1.0\r\nHost: a\r\n\r\n"sv, GET "Via: 1.0 portherd\r\n\r\n"sv, EMPTY,
     EMPTY_TAKEN "Connection: close\r\n\r\n"sv},
    {"7.6.3", GET "Via: 1.0 fred, 1.1 p.example.com (Apache)\r\n\r\n"sv,
     GET "Via: 1.0 fred, 1.1 p.example.com (Apache)\r\n" VIA "\r\n"sv,
     OK "Via: 1.1 inner\r\nContent-Length: 0\r\n\r\n"sv,
     OK "Via: 1.1 inner\r\n" VIA "Content-Length: 0\r\n\r\n"sv},
    {"7.6.3", GET "\r\n"sv, GET VIA "\r\n"sv, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"sv,
     OK "Via: 1.0 portherd\r\nContent-Length: 0\r\n\r\n"sv},
    {"7.6.3", GET "Connection: Via\r\nVia: 1.1 x\r\n\r\n"sv, GET VIA "\r\n"sv, EMPTY, EMPTY_TAKEN "\r\n"sv},
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
    {"7.6.2", GET "Max-Forwards: 0\r\n\r\n"sv, GET "Max-Forwards: 0\r\n" VIA "\r\n"sv, EMPTY,
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
     "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" EMPTY, EMPTY_TAKEN "Connection: close\r\n\r\n"sv},
    {"10.1.1", GET "\r\n"sv, GET VIA "\r\n"sv, "HTTP/1.1 100 Continue\r\n\r\n" EMPTY, EMPTY_TAKEN "\r\n"sv},
};

// RFC 9110 6.5, RFC 9112 7.1.2.
constexpr Case kTrailers[] = {
    {"6.5", CHUNKED "\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-sum:2 \r\n\r\n"sv,
     "POST / HTTP/1.1\r\nHost: a\r\n" VIA
     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-sum:2 \r\n\r\n"sv,
     EMPTY, EMPTY_TAKEN "\r\n"sv},
    {"6.6.2", CHUNKED "Trailer: X-Sum\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\n" VIA
     "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     EMPTY, EMPTY_TAKEN "\r\n"sv},
    {"6.5", GET "TE: trailers\r\n\r\n"sv, GET VIA "TE: trailers\r\nConnection: TE\r\n\r\n"sv,
     OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     OK VIA "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"sv},
    {"6.5", GET "TE: gzip;q=0.5, Trailers\r\n\r\n"sv, GET VIA "TE: trailers\r\nConnection: TE\r\n\r\n"sv,
     OK
     "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\nX: y\r\n\r\n"sv,
     OK VIA "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\nX: y\r\n\r\n"sv},
    {"6.5.1", GET "\r\n"sv, GET VIA "\r\n"sv,
     OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     OK VIA "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"sv},
    {"6.6.2", GET "TE: trailers\r\n\r\n"sv, GET VIA "TE: trailers\r\nConnection: TE\r\n\r\n"sv,
     OK "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     OK "Trailer: X-Sum\r\n" VIA "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"sv},
    {"6.6.2", GET "\r\n"sv, GET VIA "\r\n"sv,
     OK "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"sv,
     OK VIA "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv},
    {"6.5.1", GET "TE: trailers\r\n\r\n"sv, GET VIA "TE: trailers\r\nConnection: TE\r\n\r\n"sv, EMPTY,
     EMPTY_TAKEN "\r\n"sv},
};

// What a recipient might take for a field of the head goes no further; the body then has its length.
constexpr Case kForbiddenTrailers[] = {
    {"6.6.2", CHUNKED "Trailer: X-Sum\r\n\r\n0\r\n\r\n"sv,
     "POST / HTTP/1.1\r\nHost: a\r\n" VIA "Content-Length: 0\r\n\r\n"sv, EMPTY, EMPTY_TAKEN "\r\n"sv},
    {"6.5.1",
     CHUNKED
     "\r\n3\r\nabc\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nHost: b\r\nConnection: x\r\n"
     "Authorization: x\r\nCookie: a=b\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-User: root\r\nX_A: b\r\n"
     "Content-Encoding: gzip\r\nIf-Match: x\r\nExpect: 100-continue\r\nTE: trailers\r\nVia: 1.1 x\r\n\r\n"sv,
     "POST / HTTP/1.1\r\nHost: a\r\n" VIA "Content-Length: 3\r\n\r\nabc"sv, EMPTY, EMPTY_TAKEN "\r\n"sv},
};

// ---- how they are tried ----

bool is_one_of(std::string_view line, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (line.starts_with(name)) return true;
  }
  return false;
}

template <class IsOurs>
std::string without(std::string head, IsOurs is_ours) {
  for (std::size_t at = 0, end = 0; (end = head.find("\r\n", at)) != head.npos;) {
    if (is_ours(std::string_view(head).substr(at, end - at)))
      head.erase(at, end + 2 - at);
    else
      at = end + 2;
  }
  return head;
}

bool is_added_for_app(std::string_view line) {
  return is_one_of(line, {"X-Forwarded-", "Forwarded:", "X-Request-"});
}
bool is_added_for_client(std::string_view line) {
  return is_one_of(line, {"Date:", "date:"}) && line.find("2001") == line.npos;
}

/// As many heads and as many bytes behind the last one as `expected` has.
template <class IsOurs>
std::string read_like(play::Peer& peer, std::string_view expected, IsOurs is_ours) {
  std::string got;
  while (expected.starts_with("HTTP/1.1 1")) {  // interim heads
    got += peer.read_head();
    expected.remove_prefix(expected.find("\r\n\r\n") + 4);
  }
  got += without(peer.read_head(), is_ours);
  return got + peer.read(expected.size() - expected.find("\r\n\r\n") - 4);
}

void try_case(const Case& it, play::Peer client, play::App& app) {
  CAPTURE(it.section);
  CAPTURE(it.request);
  client.send(it.request);
  if (!it.seen.empty()) {
    play::Peer worker = app.accept();
    CHECK(read_like(worker, it.seen, is_added_for_app) == it.seen);
    worker.send(it.answer);
    worker.close();
  }
  CHECK(read_like(client, it.taken, is_added_for_client) == it.taken);
  CHECK_FALSE(app.has_visitor());
  client.shut_writing();
  CHECK(client.read_to_end() == "");  // nothing stood behind the answer
}

/// `more`: of the app's configuration.
void try_all(std::span<const Case> cases, const std::string& more = {}) {
  const play::Folder folder;
  folder.certificate("a");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kBoth + more);
  for (const Case& it : cases) {
    try_case(it, play::connect(portherd.port()), app);
    try_case(it, play::connect_tls(portherd.tls_port(), "a"), app);
  }
}

}  // namespace

TEST_CASE("Via says on both sides that the front stood between, behind those that came before") {
  try_all(kVia);
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
  CHECK(without(folder.read("heads"), is_added_for_client) ==
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
