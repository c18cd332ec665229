#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)";

struct Seen {
  std::string request;  // what the app saw
  play::Answer answer;  // what the client saw
};

Seen exchange(play::Supervisor& portherd, play::App& app, std::string_view request, std::string_view answer) {
  play::Peer client = play::connect(portherd.port());
  client.send(request);
  play::Peer worker = app.accept();
  Seen seen;
  seen.request = worker.read_head();
  worker.send(answer);
  worker.close();
  seen.answer = client.read_answer();
  return seen;
}

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

std::string with(std::string_view more) {
  std::string config = kConfig;
  config += more;
  return config;
}
}  // namespace

TEST_CASE("hop-by-hop fields, and those that Connection names, end at the front, in both directions") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const Seen seen =
      exchange(portherd, app,
               "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Secret\r\nKeep-Alive: timeout=5\r\n"
               "X-Secret: 1\r\nTE: trailers, deflate\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: "
               "keep-alive\r\nX-Stays: 1\r\n\r\n",
               "HTTP/1.1 200 OK\r\nConnection: close, X-Inner\r\nX-Inner: 1\r\nKeep-Alive: timeout=2\r\n"
               "Proxy-Connection: close\r\nX-Outer: 1\r\nContent-Length: 0\r\n\r\n");
  for (const char* const name : {"X-Secret", "Keep-Alive", "Proxy-Connection", "Upgrade"}) {
    CAPTURE(name);
    CHECK(play::field_of(seen.request, name).empty());
  }
  CHECK(play::field_of(seen.request, "X-Stays") == "1");
  CHECK(play::field_of(seen.request, "TE").find("deflate") == std::string::npos);
  for (const char* const name : {"X-Inner", "Keep-Alive", "Proxy-Connection"}) {
    CAPTURE(name);
    CHECK(seen.answer.field(name).empty());
  }
  CHECK(seen.answer.field("X-Outer") == "1");
  CHECK(seen.answer.field("Connection") != "close, X-Inner");
}

TEST_CASE("the app learns who asked, how and for what; what strangers claim about that is dropped") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const Seen seen = exchange(
      portherd, app,
      "GET / HTTP/1.1\r\nHost: shop.example:8080\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"
      "X-Forwarded-Host: evil.example\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX_Forwarded_For: "
      "6.6.6.6\r\n"
      "X-Request-Start: t=1\r\n\r\n",
      kOk);
  CHECK(play::field_of(seen.request, "Host") == "shop.example:8080");
  CHECK(play::field_of(seen.request, "X-Forwarded-For") == "127.0.0.1");
  CHECK(play::field_of(seen.request, "X-Forwarded-Proto") == "http");
  CHECK(play::field_of(seen.request, "X-Forwarded-Host") == "shop.example:8080");
  CHECK(play::field_of(seen.request, "Forwarded").find("127.0.0.1") != std::string::npos);
  CHECK(seen.request.find("6.6.6.6") == std::string::npos);
  CHECK(seen.request.find("evil") == std::string::npos);
  CHECK(play::field_of(seen.request, "X-Request-Start").starts_with("t="));
  CHECK(play::field_of(seen.request, "X-Request-Start") != "t=1");
}

TEST_CASE("a trusted proxy is believed") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, with("[front]\ntrusted_proxies = [\"127.0.0.0/8\"]\n"));
  const Seen seen =
      exchange(portherd, app,
               "GET / HTTP/1.1\r\nHost: inner\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
               "X-Forwarded-Host: shop.example\r\n\r\n",
               kOk);
  CHECK(play::field_of(seen.request, "X-Forwarded-For").starts_with("192.0.2.7"));
  CHECK(play::field_of(seen.request, "X-Forwarded-Proto") == "https");
  CHECK(play::field_of(seen.request, "X-Forwarded-Host") == "shop.example");
}

TEST_CASE("every request has an id of its own that the app sees") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const char* const request = "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n";
  const std::string first = play::field_of(exchange(portherd, app, request, kOk).request, "X-Request-Id");
  const std::string second = play::field_of(exchange(portherd, app, request, kOk).request, "X-Request-Id");
  CHECK_FALSE(first.empty());
  CHECK(first != "mine");
  CHECK(first != second);
}

TEST_CASE("a trace begins at the front, unless a trusted proxy has begun it") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  const std::string theirs = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\ntraceparent: " + theirs + "\r\ntracestate: a=1\r\n\r\n";
  {
    auto portherd = play::Supervisor::serve(folder, kConfig);
    const std::string seen = exchange(portherd, app, request, kOk).request;
    CHECK(play::field_of(seen, "traceparent").starts_with("00-" + play::field_of(seen, "X-Request-Id") + "-"));
    CHECK(play::field_of(seen, "tracestate").empty());
  }
  auto portherd = play::Supervisor::serve(folder, with("[front]\ntrusted_proxies = [\"127.0.0.0/8\"]\n"));
  const std::string seen = exchange(portherd, app, request, kOk).request;
  CHECK(play::field_of(seen, "traceparent") == theirs);
  CHECK(play::field_of(seen, "tracestate") == "a=1");
}

TEST_CASE("fields that the front need not touch go through as they are") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const Seen seen =
      exchange(portherd, app,
               "GET /%7euser/../x?q=%zz&a=b HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: b=2\r\n"
               "Accept: */*\r\nX-Latin: caf\xe9\r\nX-Empty:\r\nAuthorization: Basic eDp5\r\n\r\n",
               "HTTP/1.1 200 Fine\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Latin: caf\xe9\r\n"
               "Content-Length: 0\r\n\r\n");
  CHECK(seen.request.starts_with("GET /%7euser/../x?q=%zz&a=b HTTP/1.1\r\n"));
  CHECK(play::field_of(seen.request, "Cookie").find("a=1") != std::string::npos);
  CHECK(play::field_of(seen.request, "Cookie").find("b=2") != std::string::npos);
  CHECK(play::field_of(seen.request, "X-Latin") == "caf\xe9");
  CHECK(play::field_of(seen.request, "Authorization") == "Basic eDp5");
  CHECK(seen.answer.field("Set-Cookie") == "a=1, b=2");
  CHECK(seen.answer.field("X-Latin") == "caf\xe9");
}

TEST_CASE("a Python app behind a trusted proxy has the client and the scheme that the proxy says, and so has the log") {
  const play::Folder folder;
  folder.write("shop.py",
               "def app(environ, start_response):\n    start_response('200 OK', [])\n"
               "    return [(environ['wsgi.url_scheme'] + ' ' + environ['REMOTE_ADDR']).encode()]\n"
               "async def asgi(scope, receive, send):\n    if scope['type'] != 'http':\n        return\n"
               "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
               "    await send({'type': 'http.response.body', 'body': (scope['scheme'] + ' ' + scope['client'][0]).encode()})\n");
  const std::string request =
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n";
  for (const std::string target : {"shop:app", "shop:asgi"}) {
    CAPTURE(target);
    for (const std::string trusted : {"127.0.0.1", "10.0.0.1"}) {
      auto portherd = play::Supervisor::run(
          folder, {target, "--python", "$PYTHON", "--bind", "127.0.0.1:$PORT", "--forwarded-allow-ips", trusted});
      portherd.wait_ready();
      play::Peer client = play::connect(portherd.port());
      client.send(request);
      const bool is_believed = trusted == "127.0.0.1";
      CHECK(client.read_answer().body == (is_believed ? "https 192.0.2.7" : "http 127.0.0.1"));
      portherd.expect_line(is_believed ? "192.0.2.7 - - [" : "127.0.0.1 - - [");
    }
  }
}
