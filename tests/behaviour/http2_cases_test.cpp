// RFC 9113 case by case, over TLS and without: what comes, frame by frame, and what becomes of it. A stream
// error must not harm the connection, so after each case that leaves it open another request has to be
// answered; and since the app sees that one next, nothing of what was refused has reached it.
#include "play_h2.h"

namespace {

using namespace play::h2;

enum class Kind : std::uint8_t {
  kReachesApp,       // and what it sees is `app`
  kStatus,           // an answer of ours with status `code`
  kStreamError,      // `code`, and the connection goes on
  kConnectionError,  // `code`, and the connection ends
  kIgnored,
};

struct Case {
  std::string section;  // of RFC 9113, if not said otherwise
  std::string name;
  std::string bytes;
  Kind kind;
  std::uint32_t code = 0;
  std::string app;
};

Case reaches_app(const char* section, const char* name, std::string bytes, std::string app) {
  return {section, name, std::move(bytes), Kind::kReachesApp, 0, std::move(app)};
}
Case status(const char* section, const char* name, std::string bytes, std::uint32_t code) {
  return {section, name, std::move(bytes), Kind::kStatus, code, {}};
}
Case stream_error(const char* section, const char* name, std::string bytes, Code code) {
  return {section, name, std::move(bytes), Kind::kStreamError, code, {}};
}
Case connection_error(const char* section, const char* name, std::string bytes, Code code) {
  return {section, name, std::move(bytes), Kind::kConnectionError, code, {}};
}
Case ignored(const char* section, const char* name, std::string bytes) {
  return {section, name, std::move(bytes), Kind::kIgnored, 0, {}};
}

const Fields kGet{{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}};
const Fields kPost{{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}};

Fields with(Fields fields, const std::string& name, const std::string& value) {
  fields.emplace_back(name, value);
  return fields;
}
Fields without(Fields fields, std::string_view name) {
  std::erase_if(fields, [name](const auto& field) { return field.first == name; });
  return fields;
}
Fields first(const std::string& name, const std::string& value, Fields fields) {
  fields.emplace(fields.begin(), name, value);
  return fields;
}
/// The same, with another value for one of them.
Fields but(Fields fields, std::string_view name, const std::string& value) {
  for (auto& [key, old] : fields) {
    if (key == name) old = value;
  }
  return fields;
}

/// HEADERS on stream 1.
std::string ask(const Fields& fields) {
  return frame(kHeaders, kLast, 1, block(fields));
}
std::string begin(const Fields& fields) {
  return frame(kHeaders, kEndHeaders, 1, block(fields));
}
std::string data(std::string_view bytes, std::uint8_t flags = kNone) {
  return frame(kData, flags, 1, bytes);
}
std::string trailers(const Fields& fields) {
  return frame(kHeaders, kLast, 1, block(fields));
}

std::string bytes(std::initializer_list<int> list) {
  std::string out;
  for (const int byte : list) out += static_cast<char>(byte);
  return out;
}

/// The block in pieces of so many bytes: HEADERS, then CONTINUATION.
std::string in_pieces(const std::string& all, std::size_t size) {
  std::string out = frame(kHeaders, kEndStream, 1, all.substr(0, size));
  for (std::size_t at = size; at < all.size(); at += size)
    out += frame(kContinuation, at + size >= all.size() ? kEndHeaders : kNone, 1, all.substr(at, size));
  return out;
}

const std::string kSeenGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// What the app got, without what the front adds of its own.
std::string seen_by(play::Peer& worker) {
  std::string out, head = worker.read_head();
  const std::string body = worker.read_body(head);
  for (std::size_t end = 0; (end = head.find("\r\n")) != std::string::npos; head.erase(0, end + 2)) {
    const std::string line = head.substr(0, end + 2);
    const bool is_ours = line.starts_with("X-Forwarded-") || line.starts_with("Forwarded:") ||
                         line.starts_with("X-Request-") || line.starts_with("traceparent:") ||
                         line.starts_with("Via:");
    if (!is_ours) out += line;
  }
  return out + body;
}

void answer(play::Peer worker) {
  worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

/// Of stream 1 or of the connection. None: the connection ended without a word.
std::optional<Frame> outcome(Client& client) {
  while (auto frame = client.next_or_end()) {
    if (frame->type == kGoaway || (frame->stream == 1 && (frame->type == kHeaders || frame->type == kReset)))
      return frame;
  }
  return std::nullopt;
}

void goes_on(Client& client, play::App& app) {
  constexpr std::uint32_t kAnother = 1001;
  client.send(frame(kHeaders, kLast, kAnother, block(but(kGet, ":path", "/another"))));
  play::Peer worker = app.accept();
  CHECK(seen_by(worker) == "GET /another HTTP/1.1\r\nHost: a\r\n\r\n");
  answer(std::move(worker));
  CHECK(client.next(kHeaders, kAnother).status() == 204);
}

void ends(Client& client, std::optional<Frame> goaway, std::uint32_t code) {
  REQUIRE(goaway);
  REQUIRE(goaway->type == kGoaway);
  CHECK(goaway->number(4) == code);
  while (client.next_or_end()) {
  }
}

void play_case(const Case& it, Client client, play::App& app) {
  client.send(it.bytes);
  switch (it.kind) {
    case Kind::kReachesApp: {
      play::Peer worker = app.accept();
      CHECK(seen_by(worker) == it.app);
      answer(std::move(worker));
      CHECK(client.next(kHeaders, 1).status() == 204);
      break;
    }
    case Kind::kStatus: {
      const auto found = outcome(client);
      REQUIRE(found);
      CHECK(found->status() == static_cast<int>(it.code));
      break;
    }
    case Kind::kStreamError: {
      const auto found = outcome(client);
      REQUIRE(found);
      CHECK(found->type == kReset);
      if (found->type == kReset) CHECK(found->number() == it.code);
      break;
    }
    case Kind::kConnectionError:
      return ends(client, outcome(client), it.code);
    case Kind::kIgnored:
      break;
  }
  goes_on(client, app);
}

void play_all(const std::vector<Case>& cases) {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, play::kPlainAndTls);
  for (const bool is_tls : {false, true}) {
    CAPTURE(is_tls);
    for (const Case& it : cases) {
      INFO(it.section << ": " << it.name);
      play_case(it,
                Client(is_tls ? play::connect_tls(portherd.tls_port(), "localhost", "h2")
                              : play::connect(portherd.port())),
                app);
      CHECK_FALSE(app.has_visitor());
    }
  }
}

}  // namespace

TEST_CASE("requests that are sound reach the app as they were meant") {
  const std::string get = block(kGet);
  play_all({
      reaches_app("8.3.1", "GET", ask(kGet), kSeenGet),
      reaches_app("8.3.1", "a query", ask(but(kGet, ":path", "/a?b=c&d")),
                  "GET /a?b=c&d HTTP/1.1\r\nHost: a\r\n\r\n"),
      reaches_app("8.3.1", "OPTIONS *", ask(but(but(kGet, ":method", "OPTIONS"), ":path", "*")),
                  "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
      reaches_app("8.3.1", "an unknown method", ask(but(kGet, ":method", "PURGE")),
                  "PURGE / HTTP/1.1\r\nHost: a\r\n\r\n"),
      reaches_app("8.3.1", "Host instead of :authority", ask(with(without(kGet, ":authority"), "host", "a")),
                  kSeenGet),
      reaches_app("8.3.1", "Host that says the same", ask(with(kGet, "host", "a")), kSeenGet),
      reaches_app("8.3.1", "a port", ask(but(kGet, ":authority", "a:8443")),
                  "GET / HTTP/1.1\r\nHost: a:8443\r\n\r\n"),
      reaches_app("8.2.2", "te: trailers", ask(with(kGet, "te", "trailers")),
                  "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n"),
      reaches_app("8.2.3", "cookies in crumbs", ask(with(with(kGet, "cookie", "a=1"), "cookie", "b=2")),
                  "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=2\r\n\r\n"),
      reaches_app("8.2.1", "obs-text in a value", ask(with(kGet, "x", "\xe4")),
                  "GET / HTTP/1.1\r\nHost: a\r\nx: \xe4\r\n\r\n"),
      reaches_app("8.2.1", "an empty value", ask(with(kGet, "x", "")),
                  "GET / HTTP/1.1\r\nHost: a\r\nx: \r\n\r\n"),
      reaches_app("8.1", "a body", begin(kPost) + data("hello", kEndStream),
                  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
      reaches_app("8.1.1", "a body as long as it says",
                  begin(with(kPost, "content-length", "5")) + data("hel") + data("lo", kEndStream),
                  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
      reaches_app("8.1.1", "an end of its own",
                  begin(with(kPost, "content-length", "5")) + data("hello") + data("", kEndStream),
                  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
      reaches_app("8.1.1", "an empty body", ask(with(kPost, "content-length", "0")),
                  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
      reaches_app("6.1", "padded DATA",
                  begin(kPost) + data(bytes({3}) + "hello" + bytes({0, 0, 0}), kEndStream | kPadded),
                  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
      reaches_app("6.2", "padded HEADERS",
                  frame(kHeaders, kLast | kPadded, 1, bytes({2}) + get + bytes({0, 0})), kSeenGet),
      reaches_app("6.2", "HEADERS with a priority",
                  frame(kHeaders, kLast | kPrioritized, 1, number(0) + bytes({15}) + get), kSeenGet),
      reaches_app("6.10", "a block in two frames", in_pieces(get, get.size() - 1), kSeenGet),
      reaches_app("6.10", "a block in nine frames", in_pieces(get, (get.size() + 8) / 9), kSeenGet),
      reaches_app("6.10", "an empty CONTINUATION at the end",
                  frame(kHeaders, kEndStream, 1, get) + frame(kContinuation, kEndHeaders, 1), kSeenGet),
      reaches_app("4.1", "unknown flags", frame(kHeaders, kLast | 0x40, 1, get), kSeenGet),
      reaches_app("4.1", "the reserved bit", frame(kHeaders, kLast, 0x80000001, get), kSeenGet),
      reaches_app("4.1", "a frame of an unknown type", frame(0xbe, 0xff, 0, "what?") + ask(kGet), kSeenGet),
      reaches_app("5.1", "PRIORITY on an idle stream",
                  frame(kPriority, kNone, 3, number(0) + bytes({1})) + ask(kGet), kSeenGet),
      reaches_app("5.1.1", "streams left out", frame(kPriority, kNone, 1, number(3) + bytes({1})) + ask(kGet),
                  kSeenGet),
      reaches_app("6.5.2", "an unknown setting", frame(kSettings, kNone, 0, setting(0x99, 1)) + ask(kGet),
                  kSeenGet),
      reaches_app("6.5.2", "the largest window",
                  frame(kSettings, kNone, 0, setting(4, 0x7fffffff)) + ask(kGet), kSeenGet),
      reaches_app("6.9.1", "the largest window of the connection",
                  frame(kWindow, kNone, 0, number(0x7fffffff - 65535)) + ask(kGet), kSeenGet),
      reaches_app("RFC 9218 7.1", "PRIORITY_UPDATE before its stream",
                  frame(kPriorityUpdate, kNone, 0, number(1) + "u=1") + ask(kGet), kSeenGet),
      reaches_app("RFC 9218 7.1", "PRIORITY_UPDATE that says nothing sound",
                  ask(kGet) + frame(kPriorityUpdate, kNone, 0, number(1) + "\xff=,"), kSeenGet),
      reaches_app("RFC 9218 5", "a priority that is none", ask(with(kGet, "priority", "u=9, i=?2")),
                  "GET / HTTP/1.1\r\nHost: a\r\npriority: u=9, i=?2\r\n\r\n"),
      reaches_app("RFC 7541 6.1", "indexed fields",
                  frame(kHeaders, kLast, 1, bytes({0x82, 0x87, 0x84, 0x41, 1, 'a'})), kSeenGet),
      reaches_app("RFC 7541 6.3", "the table made smaller", frame(kHeaders, kLast, 1, bytes({0x20}) + get),
                  kSeenGet),
  });
}

TEST_CASE("malformed requests are stream errors (RFC 9113 8.1.1), or answered 400") {
  play_all({
      // 8.2.1: field names and values.
      stream_error("8.2.1", "an upper-case letter in a name", ask(with(kGet, "X-a", "1")), kProtocolError),
      stream_error("8.2.1", "a space in a name", ask(with(kGet, "x a", "1")), kProtocolError),
      stream_error("8.2.1", "a colon in a name", ask(with(kGet, "x:a", "1")), kProtocolError),
      stream_error("8.2.1", "a line end in a name", ask(with(kGet, "x\r\ny", "1")), kProtocolError),
      stream_error("8.2.1", "obs-text in a name", ask(with(kGet, "x\xe4", "1")), kProtocolError),
      stream_error("8.2.1", "an empty name", ask(with(kGet, "", "1")), kProtocolError),
      stream_error("8.2.1", "a line end in a value", ask(with(kGet, "x", "1\r\ny: 2")), kProtocolError),
      stream_error("8.2.1", "LF in a value", ask(with(kGet, "x", "1\ny: 2")), kProtocolError),
      stream_error("8.2.1", "CR in a value", ask(with(kGet, "x", "1\ry: 2")), kProtocolError),
      stream_error("8.2.1", "NUL in a value", ask(with(kGet, "x", std::string(1, '\0'))), kProtocolError),
      stream_error("8.2.1", "a space before a value", ask(with(kGet, "x", " 1")), kProtocolError),
      stream_error("8.2.1", "a tab behind a value", ask(with(kGet, "x", "1\t")), kProtocolError),
      // 8.2.2: fields of a connection.
      stream_error("8.2.2", "connection", ask(with(kGet, "connection", "close")), kProtocolError),
      stream_error("8.2.2", "keep-alive", ask(with(kGet, "keep-alive", "timeout=5")), kProtocolError),
      stream_error("8.2.2", "proxy-connection", ask(with(kGet, "proxy-connection", "close")), kProtocolError),
      stream_error("8.2.2", "transfer-encoding", begin(with(kPost, "transfer-encoding", "chunked")),
                   kProtocolError),
      stream_error("8.2.2", "upgrade", ask(with(kGet, "upgrade", "websocket")), kProtocolError),
      stream_error("8.2.2", "te: gzip", ask(with(kGet, "te", "gzip")), kProtocolError),
      stream_error("8.2.2", "te: trailers, gzip", ask(with(kGet, "te", "trailers, gzip")), kProtocolError),
      // 8.3: pseudo-fields.
      stream_error("8.3", "a pseudo-field behind a field",
                   ask(with(with(without(kGet, ":path"), "x", "1"), ":path", "/")), kProtocolError),
      stream_error("8.3", "an unknown pseudo-field", ask(first(":x", "1", kGet)), kProtocolError),
      stream_error("8.3", "one of answers", ask(first(":status", "200", kGet)), kProtocolError),
      stream_error("8.3", "in trailers", begin(kPost) + data("a") + trailers({{":method", "GET"}}),
                   kProtocolError),
      stream_error("8.3.1", "no :method", ask(without(kGet, ":method")), kProtocolError),
      stream_error("8.3.1", "no :scheme", ask(without(kGet, ":scheme")), kProtocolError),
      stream_error("8.3.1", "no :path", ask(without(kGet, ":path")), kProtocolError),
      stream_error("8.3.1", "two of :method", ask(first(":method", "GET", kGet)), kProtocolError),
      stream_error("8.3.1", "two of :scheme", ask(first(":scheme", "https", kGet)), kProtocolError),
      stream_error("8.3.1", "two of :path", ask(first(":path", "/", kGet)), kProtocolError),
      stream_error("8.3.1", "two of :authority", ask(first(":authority", "a", kGet)), kProtocolError),
      stream_error("8.3", ":protocol without CONNECT (RFC 8441 4)",
                   ask(first(":protocol", "websocket", kGet)), kProtocolError),
      stream_error("8.3.1", "an empty :method", ask(but(kGet, ":method", "")), kProtocolError),
      stream_error("8.3.1", "a :method with a space", ask(but(kGet, ":method", "GET /x")), kProtocolError),
      stream_error("8.3.1", "an empty :path", ask(but(kGet, ":path", "")), kProtocolError),
      stream_error("8.3.1", "a :path without a slash", ask(but(kGet, ":path", "x")), kProtocolError),
      stream_error("8.3.1", "a :path with a space", ask(but(kGet, ":path", "/ HTTP/1.1")), kProtocolError),
      stream_error("8.3.1", "a :path with a line end", ask(but(kGet, ":path", "/\r\nx: 1")), kProtocolError),
      stream_error("8.3.1", "a :path with NUL", ask(but(kGet, ":path", std::string("/\0", 2))),
                   kProtocolError),
      status("8.3.1", "a :path with a fragment", ask(but(kGet, ":path", "/#a")), 400),
      status("8.3.1", "a :path with obs-text", ask(but(kGet, ":path", "/\xe4")), 400),
      stream_error("8.3.1", "* for GET", ask(but(kGet, ":path", "*")), kProtocolError),
      stream_error("8.3.1", "a :path that is a URI", ask(but(kGet, ":path", "https://a/")), kProtocolError),
      stream_error("8.3.1", "a :scheme that is none", ask(but(kGet, ":scheme", "ht tp")), kProtocolError),
      stream_error("8.3.1", "an empty :authority", ask(but(kGet, ":authority", "")), kProtocolError),
      status("8.3.1", "user information", ask(but(kGet, ":authority", "user@a")), 400),
      stream_error("8.3.1", "an :authority with a path", ask(but(kGet, ":authority", "a/b")), kProtocolError),
      stream_error("8.3.1", "an :authority with a line end", ask(but(kGet, ":authority", "a\r\nx: 1")),
                   kProtocolError),
      status("8.3.1", "an :authority with two hosts", ask(but(kGet, ":authority", "a,b")), 400),
      status("8.3.1", "an :authority with no port number", ask(but(kGet, ":authority", "a:b")), 400),
      stream_error("8.3.1", "neither :authority nor Host", ask(without(kGet, ":authority")), kProtocolError),
      status("8.3.1", "Host says something else", ask(with(kGet, "host", "b")), 400),
      stream_error("8.3.1", "two of Host", ask(with(with(kGet, "host", "a"), "host", "a")), kProtocolError),
      stream_error("8.3.1", "two of Host, one of them another",
                   ask(with(with(kGet, "host", "a"), "host", "b")), kProtocolError),
      // 8.1.1: content-length.
      stream_error("8.1.1", "more than content-length",
                   begin(with(kPost, "content-length", "4")) + data("hello", kEndStream), kProtocolError),
      stream_error("8.1.1", "more than content-length, not at the end yet",
                   begin(with(kPost, "content-length", "4")) + data("hello"), kProtocolError),
      stream_error("8.1.1", "less than content-length",
                   begin(with(kPost, "content-length", "6")) + data("hello", kEndStream), kProtocolError),
      stream_error("8.1.1", "less, and trailers",
                   begin(with(kPost, "content-length", "6")) + data("hello") + trailers({{"x", "1"}}),
                   kProtocolError),
      stream_error("8.1.1", "content-length and no body", ask(with(kPost, "content-length", "5")),
                   kProtocolError),
      stream_error("8.1.1", "two lengths",
                   begin(with(with(kPost, "content-length", "5"), "content-length", "6")), kProtocolError),
      stream_error("8.1.1", "one length twice",
                   begin(with(with(kPost, "content-length", "5"), "content-length", "5")), kProtocolError),
      stream_error("8.1.1", "a list of lengths", begin(with(kPost, "content-length", "5, 5")),
                   kProtocolError),
      stream_error("8.1.1", "a length with a sign", begin(with(kPost, "content-length", "+5")),
                   kProtocolError),
      stream_error("8.1.1", "no number", begin(with(kPost, "content-length", "5x")), kProtocolError),
      stream_error("8.1.1", "an empty length", begin(with(kPost, "content-length", "")), kProtocolError),
      stream_error("8.1.1", "too large a number",
                   begin(with(kPost, "content-length", "18446744073709551617")), kProtocolError),
      // 8.1: trailers.
      stream_error("8.1", "trailers that do not end the stream",
                   begin(kPost) + data("a") + frame(kHeaders, kEndHeaders, 1, block({{"x", "1"}})),
                   kProtocolError),
      stream_error("8.2.1", "an upper-case letter in trailers",
                   begin(kPost) + data("a") + trailers({{"X", "1"}}), kProtocolError),
      stream_error("8.2.1", "a line end in trailers",
                   begin(kPost) + data("a") + trailers({{"x", "1\r\ny: 2"}}), kProtocolError),
      stream_error("8.2.2", "a field of the connection in trailers",
                   begin(kPost) + data("a") + trailers({{"connection", "close"}}), kProtocolError),
      // 8.5: CONNECT.
      status("8.5", "CONNECT", begin({{":method", "CONNECT"}, {":authority", "a:443"}}), 405),
      stream_error("8.5", "CONNECT with a :path",
                   begin({{":method", "CONNECT"}, {":authority", "a:443"}, {":path", "/"}}), kProtocolError),
      stream_error("8.5", "CONNECT without :authority", begin({{":method", "CONNECT"}}), kProtocolError),
      // What is sound, and not for the app.
      status("9110 9.3.8", "TRACE", ask(but(kGet, ":method", "TRACE")), 405),
      status("6.5.2", "a field list larger than was said",
             in_pieces(block(with(kGet, "x", std::string(33'000, 'x'))), 16'384), 431),
  });
}

TEST_CASE("frames where they have no place") {
  const std::string get = block(kGet);
  play_all({
      // 5.1: states of a stream.
      connection_error("5.1", "DATA on an idle stream", data("a"), kProtocolError),
      connection_error("5.1", "RST_STREAM on an idle stream", frame(kReset, kNone, 1, number(kCancel)),
                       kProtocolError),
      connection_error("5.1", "WINDOW_UPDATE on an idle stream", frame(kWindow, kNone, 1, number(1)),
                       kProtocolError),
      connection_error("5.1", "CONTINUATION on an idle stream", frame(kContinuation, kEndHeaders, 1, get),
                       kProtocolError),
      connection_error("5.1", "DATA behind the end", ask(kGet) + data("a"), kStreamClosed),
      connection_error("5.1", "HEADERS behind the end", ask(kGet) + ask(kGet), kStreamClosed),
      ignored("5.1", "DATA behind one's own RST_STREAM",
              begin(kPost) + frame(kReset, kNone, 1, number(kCancel)) + data("a")),
      ignored("5.1", "WINDOW_UPDATE behind one's own RST_STREAM",
              begin(kPost) + frame(kReset, kNone, 1, number(kCancel)) + frame(kWindow, kNone, 1, number(1))),
      connection_error("5.1.1", "a stream with an even number", frame(kHeaders, kLast, 2, get),
                       kProtocolError),
      connection_error("5.1.1", "a smaller number than before",
                       frame(kHeaders, kLast, 3, block(without(kGet, ":path"))) + ask(kGet), kProtocolError),
      // 6: one after the other.
      connection_error("6.1", "DATA on stream 0", frame(kData, kNone, 0, "a"), kProtocolError),
      connection_error("6.1", "more padding than DATA", begin(kPost) + data(bytes({6}) + "hello", kPadded),
                       kProtocolError),
      connection_error("6.2", "HEADERS on stream 0", frame(kHeaders, kLast, 0, get), kProtocolError),
      connection_error("6.2", "more padding than HEADERS",
                       frame(kHeaders, kLast | kPadded, 1, bytes({255}) + get), kProtocolError),
      connection_error("6.3", "PRIORITY on stream 0", frame(kPriority, kNone, 0, number(0) + bytes({1})),
                       kProtocolError),
      connection_error("6.3", "PRIORITY of four bytes", frame(kPriority, kNone, 1, number(0)),
                       kFrameSizeError),
      ignored("5.3.2", "PRIORITY that depends on itself", frame(kPriority, kNone, 1, number(1) + bytes({1}))),
      connection_error("RFC 7540 5.3.1", "HEADERS that depend on themselves",
                       frame(kHeaders, kLast | kPrioritized, 1, number(1) + bytes({1}) + get),
                       kProtocolError),
      connection_error("6.4", "RST_STREAM on stream 0", frame(kReset, kNone, 0, number(kCancel)),
                       kProtocolError),
      connection_error("6.4", "RST_STREAM of three bytes", begin(kPost) + frame(kReset, kNone, 1, "abc"),
                       kFrameSizeError),
      connection_error("6.5", "SETTINGS on a stream", frame(kSettings, kNone, 1), kProtocolError),
      connection_error("6.5", "SETTINGS of five bytes", frame(kSettings, kNone, 0, "abcde"), kFrameSizeError),
      connection_error("6.5", "an ACK that says something", frame(kSettings, kAck, 0, setting(4, 1)),
                       kFrameSizeError),
      connection_error("6.5.2", "ENABLE_PUSH 2", frame(kSettings, kNone, 0, setting(2, 2)), kProtocolError),
      connection_error("6.5.2", "a window of 2^31", frame(kSettings, kNone, 0, setting(4, 0x80000000)),
                       kFlowControlError),
      connection_error("6.5.2", "MAX_FRAME_SIZE 16383", frame(kSettings, kNone, 0, setting(5, 16'383)),
                       kProtocolError),
      connection_error("6.5.2", "MAX_FRAME_SIZE 2^24", frame(kSettings, kNone, 0, setting(5, 1 << 24)),
                       kProtocolError),
      connection_error("RFC 8441 3", "ENABLE_CONNECT_PROTOCOL 2", frame(kSettings, kNone, 0, setting(8, 2)),
                       kProtocolError),
      connection_error("6.6", "PUSH_PROMISE", begin(kPost) + frame(kPush, kEndHeaders, 1, number(2) + get),
                       kProtocolError),
      connection_error("6.7", "PING on a stream", frame(kPing, kNone, 1, "12345678"), kProtocolError),
      connection_error("6.7", "PING of seven bytes", frame(kPing, kNone, 0, "1234567"), kFrameSizeError),
      connection_error("6.8", "GOAWAY on a stream", frame(kGoaway, kNone, 1, number(0) + number(0)),
                       kProtocolError),
      connection_error("6.8", "GOAWAY of seven bytes", frame(kGoaway, kNone, 0, "1234567"), kFrameSizeError),
      connection_error("6.9", "WINDOW_UPDATE of three bytes", frame(kWindow, kNone, 0, "abc"),
                       kFrameSizeError),
      connection_error("6.9", "a window made larger by nothing", frame(kWindow, kNone, 0, number(0)),
                       kProtocolError),
      connection_error("6.9.1", "the connection's window past 2^31-1",
                       frame(kWindow, kNone, 0, number(0x7fffffff)), kFlowControlError),
      connection_error("6.9", "a stream's window made larger by nothing",
                       begin(kPost) + frame(kWindow, kNone, 1, number(0)), kProtocolError),
      stream_error("6.9.1", "a stream's window past 2^31-1",
                   begin(kPost) + frame(kWindow, kNone, 1, number(0x7fffffff)), kFlowControlError),
      // Sound requests that are reset before they are read to their end: the app never hears of them.
      ignored("10.5", "a request and its RST_STREAM", ask(kGet) + frame(kReset, kNone, 1, number(kCancel))),
      ignored("10.5", "a request with a body and its RST_STREAM",
              begin(kPost) + data("a", kEndStream) + frame(kReset, kNone, 1, number(kCancel))),
      stream_error("10.5", "a request, and a window that makes us reset it",
                   ask(kGet) + frame(kWindow, kNone, 1, number(0x7fffffff)), kFlowControlError),
      stream_error("10.5", "the same with a body",
                   begin(kPost) + data("a", kEndStream) + frame(kWindow, kNone, 1, number(0x7fffffff)),
                   kFlowControlError),
      connection_error("10.5", "a request, and what ends the connection",
                       ask(kGet) + frame(kPing, kNone, 1, "12345678"), kProtocolError),
      // RFC 9218.
      connection_error("RFC 9218 7.1", "PRIORITY_UPDATE on a stream",
                       frame(kPriorityUpdate, kNone, 1, number(1) + "u=1"), kProtocolError),
      connection_error("RFC 9218 7.1", "PRIORITY_UPDATE for stream 0",
                       frame(kPriorityUpdate, kNone, 0, number(0) + "u=1"), kProtocolError),
      connection_error("RFC 9218 7.1", "PRIORITY_UPDATE of three bytes",
                       frame(kPriorityUpdate, kNone, 0, "abc"), kFrameSizeError),
      // 6.10: a block is one piece.
      connection_error("6.10", "CONTINUATION behind a whole block",
                       begin(kPost) + frame(kContinuation, kEndHeaders, 1, block({{"x", "1"}})),
                       kProtocolError),
      connection_error("6.10", "CONTINUATION of another stream",
                       frame(kHeaders, kEndStream, 1, get) + frame(kContinuation, kEndHeaders, 3),
                       kProtocolError),
      connection_error("6.10", "CONTINUATION on stream 0",
                       frame(kHeaders, kEndStream, 1, get) + frame(kContinuation, kEndHeaders, 0),
                       kProtocolError),
      connection_error("6.10", "DATA within a block", frame(kHeaders, kNone, 1, get) + data("a"),
                       kProtocolError),
      connection_error("6.10", "PING within a block",
                       frame(kHeaders, kNone, 1, get) + frame(kPing, kNone, 0, "12345678"), kProtocolError),
      connection_error("6.10", "HEADERS of another stream within a block",
                       frame(kHeaders, kNone, 1, get) + frame(kHeaders, kLast, 3, get), kProtocolError),
      connection_error("5.5", "an unknown frame within a block",
                       frame(kHeaders, kNone, 1, get) + frame(0xbe, kNone, 1), kProtocolError),
      // 4: frames, and HPACK.
      connection_error("4.2", "DATA larger than 16 KiB", begin(kPost) + data(std::string(16'385, 'a')),
                       kFrameSizeError),
      connection_error("4.2", "HEADERS larger than 16 KiB",
                       frame(kHeaders, kLast, 1, std::string(16'385, 'a')), kFrameSizeError),
      connection_error("4.2", "an unknown frame larger than 16 KiB",
                       frame(0xbe, kNone, 0, std::string(16'385, 'a')), kFrameSizeError),
      connection_error("RFC 7541 6.1", "index 0", frame(kHeaders, kLast, 1, bytes({0x80})),
                       kCompressionError),
      connection_error("RFC 7541 2.3.3", "an index that is not there",
                       frame(kHeaders, kLast, 1, bytes({0xff, 0})), kCompressionError),
      connection_error("RFC 7541 6.3", "a larger table than was said",
                       frame(kHeaders, kLast, 1, bytes({0x3f, 0xe2, 0x1f}) + get), kCompressionError),
      connection_error("RFC 7541 4.2", "the table changed within a block",
                       frame(kHeaders, kLast, 1, get + bytes({0x20})), kCompressionError),
      connection_error("RFC 7541 5.2", "a string that is cut off",
                       frame(kHeaders, kLast, 1, bytes({0x00, 5, 'a'})), kCompressionError),
      connection_error("RFC 7541 5.2", "Huffman with EOS",
                       frame(kHeaders, kLast, 1, bytes({0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0})),
                       kCompressionError),
      connection_error("RFC 7541 5.2", "Huffman with more padding than seven bits",
                       frame(kHeaders, kLast, 1, bytes({0x00, 0x82, 0x1f, 0xff, 0})), kCompressionError),
      connection_error(
          "RFC 7541 5.1", "a number without end",
          frame(kHeaders, kLast, 1, bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})),
          kCompressionError),
  });
}

TEST_CASE("the preface begins with SETTINGS (RFC 9113 3.4)") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, play::kPlainAndTls);
  Client client(play::connect(portherd.port()), std::nullopt);
  client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + ask(kGet));
  ends(client, outcome(client), kProtocolError);
  CHECK_FALSE(app.has_visitor());
}

TEST_CASE("one stream more than max_streams is refused, and the others are not (RFC 9113 5.1.2)") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, std::string("[front]\nmax_streams = 2\n") + play::kPlainAndTls);
  Client client(play::connect(portherd.port()));
  // It has not heard of the limit yet; who has acknowledged our SETTINGS gets GOAWAY for it.
  for (const std::uint32_t id : {1, 3, 5}) client.send(frame(kHeaders, kEndHeaders, id, block(kPost)));
  CHECK(client.next(kReset, 5).number() == kRefusedStream);
  client.send(frame(kData, kEndStream, 3, "hello"));
  play::Peer worker = app.accept();
  CHECK(seen_by(worker) == "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  answer(std::move(worker));
  CHECK(client.next(kHeaders, 3).status() == 204);
}
