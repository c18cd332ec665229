// What an app may say wrong, and what becomes of it: a 502 as long as the client has no head yet, else a
// connection or a stream that is broken, so that no part is taken for the whole. Each case has its cause in
// the log.
#include <span>
#include <thread>

#include "play.h"

using namespace std::literals;

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
threads = 1
[apps.app]
proxy = ["unix:app.sock"]
)";

struct Case {
  const char* section;  // RFC 9112, unless it says otherwise
  std::string_view said;
  const char* cause;  // in the log
};

#define OK "HTTP/1.1 200 OK\r\n"
#define HELLO "Content-Length: 5\r\n\r\nhello"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n"

constexpr const char* kNoStatusLine = "the status line is none";
constexpr const char* kNoStatus = "the status is not a number from 100 to 599";
constexpr const char* kNoField = "a line of the head is not a field";
constexpr const char* kBareLine = "a line of the head does not end in CRLF";
constexpr const char* kFolded = "a line of the head begins with white space";
constexpr const char* kNoLength = "Content-Length is not a number";
constexpr const char* kNoCoding = "Transfer-Encoding is not chunked, once, in HTTP/1.1";
constexpr const char* kHeadCut = "the head is cut off";
constexpr const char* kBodyCut = "the body is cut off";

constexpr Case kNoAnswers[] = {
    {"4", "nonsense\r\n\r\n"sv, kNoStatusLine},
    {"4", "\r\nHTTP/1.1 200 OK\r\n" HELLO ""sv, kNoStatusLine},
    {"4", " HTTP/1.1 200 OK\r\n" HELLO ""sv, kNoStatusLine},
    {"4", "HTTP/1.1\r\n\r\n"sv, kNoStatusLine},
    {"4", "HTTP/1.1 200OK\r\n" HELLO ""sv, kNoStatusLine},
    {"4", "HTTP/1.1  200 OK\r\n" HELLO ""sv, kNoStatusLine},
    {"4", "HTTP/1.1\t200 OK\r\n" HELLO ""sv, kNoStatusLine},
    {"4", "HTTP/1.1 2000 OK\r\n" HELLO ""sv, kNoStatusLine},
    {"4", "HTTP/1.1 20 OK\r\n" HELLO ""sv, kNoStatusLine},
    {"4", "HTTP/1.1 2x0 OK\r\n" HELLO ""sv, kNoStatus},
    {"4", "HTTP/1.1 -20 OK\r\n" HELLO ""sv, kNoStatus},
    {"4", "HTTP/1.1 099 Low\r\n" HELLO ""sv, kNoStatus},
    {"9110 15", "HTTP/1.1 600 High\r\n" HELLO ""sv, kNoStatus},
    {"2.3", "http/1.1 200 OK\r\n" HELLO ""sv, kNoStatusLine},
    {"2.3", "HTTP/2 200 OK\r\n" HELLO ""sv, kNoStatusLine},
    {"2.3", "HTTP/2.0 200 OK\r\n" HELLO ""sv, kNoStatusLine},
    {"2.3", "HTTP/0.9 200 OK\r\n" HELLO ""sv, kNoStatusLine},
    {"2.3", "ICY 200 OK\r\n" HELLO ""sv, kNoStatusLine},
    {"4", "HTTP/1.1 200 O\0K\r\n" HELLO ""sv, "the reason has a control character"},
    {"4", "HTTP/1.1 200 O\rK\r\n" HELLO ""sv, "the reason has a control character"},
    {"2.2", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"sv, kBareLine},
    {"2.2", OK "Content-Length: 5\n\r\nhello"sv, kBareLine},
    {"5", OK "Bad Name: x\r\n" HELLO ""sv, kNoField},
    {"5", OK "no field\r\n" HELLO ""sv, kNoField},
    {"5", OK ": x\r\n" HELLO ""sv, kNoField},
    {"5.1", OK "A : x\r\n" HELLO ""sv, kNoField},
    {"5.1", OK "Content-Length : 5\r\n\r\nhello"sv, kNoField},
    {"5", OK "caf\xc3\xa9: x\r\n" HELLO ""sv, kNoField},
    {"9110 5.5", OK "A: b\0c\r\n" HELLO ""sv, kNoField},
    {"9110 5.5", OK "A: b\rSet-Cookie: evil\r\n" HELLO ""sv, kNoField},
    {"9110 5.5", OK "A: b\x7f\r\n" HELLO ""sv, kNoField},
    {"9110 5.5", OK "A: b\x1b[0m\r\n" HELLO ""sv, kNoField},
    {"5.2", OK "A: b\r\n c\r\n" HELLO ""sv, kFolded},
    {"2.2", OK " A: b\r\n" HELLO ""sv, kFolded},
    {"6.3", OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"sv, "Content-Length stands twice"},
    {"6.3", OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"sv, "Content-Length stands twice"},
    {"6.3", OK "Content-Length: 5, 5\r\n\r\nhello"sv, kNoLength},
    {"6.3", OK "Content-Length: -5\r\n\r\nhello"sv, kNoLength},
    {"6.3", OK "Content-Length: +5\r\n\r\nhello"sv, kNoLength},
    {"6.3", OK "Content-Length: 5x\r\n\r\nhello"sv, kNoLength},
    {"6.3", OK "Content-Length:\r\n\r\nhello"sv, kNoLength},
    {"6.3", OK "Content-Length: 18446744073709551621\r\n\r\nhello"sv, kNoLength},
    {"6.1", OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
     "Content-Length stands beside Transfer-Encoding"},
    {"6.1", CHUNKED "Content-Length: 5\r\n\r\n0\r\n\r\n"sv, "Content-Length stands beside Transfer-Encoding"},
    {"6.1", CHUNKED "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, kNoCoding},
    {"6.1", OK "Transfer-Encoding: gzip\r\n\r\nhello"sv, kNoCoding},
    {"6.1", OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"sv, kNoCoding},
    {"6.1", OK "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"sv, kNoCoding},
    {"6.1", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, kNoCoding},
    {"9110 15.2.2", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"sv,
     "101 without an Upgrade in the request"},
    {"8", ""sv, "there is no answer"},
    {"8", "HTTP/1.1 2"sv, "there is no answer"},
    {"8", OK ""sv, kHeadCut},
    {"8", OK "Content-Length: 5\r\n"sv, kHeadCut},
    {"8", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"sv, "there is no answer"},
};

constexpr Case kCutAnswers[] = {
    {"8", OK "Content-Length: 10\r\n\r\nhello"sv, kBodyCut},
    {"8", CHUNKED "\r\n5\r\nhello\r\n"sv, kBodyCut},
    {"8", CHUNKED "\r\n5\r\nhello\r\n0\r\n"sv, kBodyCut},
    {"8", CHUNKED "\r\n9\r\nhello"sv, kBodyCut},
    {"7.1", CHUNKED "\r\n5\r\nhello\r\nx\r\n"sv, "a chunk's size is not a number"},
    {"7.1", CHUNKED "\r\n5\r\nhello, world\r\n0\r\n\r\n"sv, "a chunk's data is not as long as its size says"},
    {"7.1", CHUNKED "\r\n5\r\nhello\n0\r\n\r\n"sv, "a chunk's data is not as long as its size says"},
    {"7.1", CHUNKED "\r\n5\r\nhello\r\n0\n\r\n"sv, "a line of the chunked coding does not end in CRLF"},
    {"7.1", CHUNKED "\r\n5\r\nhello\r\n10000000000000000\r\n"sv, "a chunk's size is not a number"},
    {"7.1.1", CHUNKED "\r\n5\r\nhello\r\n1;=\r\n"sv, "a chunk's size is followed by what is no extension"},
    {"7.1.2", CHUNKED "\r\n5\r\nhello\r\n0\r\nA : b\r\n\r\n"sv, "a trailer is not a field"},
};

// The client has a whole answer; what stands behind it never gets to anybody.
constexpr Case kLongAnswers[] = {
    {"6.3", OK HELLO ", and more"sv, "nobody has asked for what stands behind it"},
    {"6.3", OK HELLO "\r\n"sv, "nobody has asked for what stands behind it"},
    {"6.3", CHUNKED "\r\n5\r\nhello\r\n0\r\n\r\nmore"sv, "nobody has asked for what stands behind it"},
    {"9.3.2", OK HELLO OK "Content-Length: 4\r\n\r\nevil"sv, "nobody has asked for what stands behind it"},
    {"9.3.2", OK HELLO "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"sv,
     "nobody has asked for what stands behind it"},
};

/// The actors of a case. Requests are POST, which may not be tried a second time.
struct Scene {
  const play::Folder folder;
  play::App app{folder, "app.sock"};
  play::Supervisor portherd = play::Supervisor::serve(folder, kConfig);

  play::Answer answer_to_http1(std::string_view said) {
    play::Peer client = play::connect(portherd.port());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    play_worker(said);
    play::Answer answer = client.read_answer();
    while (answer.status >= 100 && answer.status < 200) answer = client.read_answer();
    if (answer.status == 502 || answer.is_whole) CHECK_MESSAGE(is_good(client), "the connection goes on");
    return answer;
  }
  /// curl's exit status, its body and status code.
  play::Ended answer_to_http2(std::string_view said) {
    play::Ended curl;
    std::thread client([&] {
      curl = play::run({"curl", "-sS", "--http2-prior-knowledge", "-X", "POST", "-w", " %{http_code}",
                        "http://127.0.0.1:" + std::to_string(portherd.port()) + "/"});
    });
    play_worker(said);
    client.join();
    return curl;
  }
  /// Until the log has one line more with this cause than before.
  void wait_for(const char* cause) {
    const std::size_t count = ++causes_[cause];
    const auto is_there = [&] {
      const std::size_t found = portherd.lines_with("cause=\"" + std::string(cause) + "\"").size();
      REQUIRE(found <= count);
      return found == count;
    };
    if (!is_there()) portherd.wait_until("the log says why", [&](const play::Status&) { return is_there(); });
  }

 private:
  void play_worker(std::string_view said) {
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send(said);
    worker.shut_writing();
    CHECK(worker.read_to_end() == "");  // nothing more is asked on this connection
  }
  bool is_good(play::Peer& client) {
    client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send(OK "Connection: close\r\nContent-Length: 4\r\n\r\nnext");
    return client.read_answer().body == "next";
  }
  std::map<std::string, std::size_t> causes_;
};

}  // namespace

TEST_CASE("what an app may not say is 502, and the next request is answered") {
  Scene scene;
  for (const Case& it : kNoAnswers) {
    CAPTURE(it.section);
    CAPTURE(it.said);
    CHECK(scene.answer_to_http1(it.said).status == 502);
    scene.wait_for(it.cause);
    CHECK(scene.answer_to_http2(it.said).out == "502 Bad Gateway\n 502");
    scene.wait_for(it.cause);
  }
}

TEST_CASE("an answer that breaks off when its head has gone never looks whole") {
  Scene scene;
  for (const Case& it : kCutAnswers) {
    CAPTURE(it.section);
    CAPTURE(it.said);
    const play::Answer answer = scene.answer_to_http1(it.said);
    CHECK(answer.status == 200);
    CHECK(answer.body == "hello");
    CHECK_FALSE(answer.is_whole);
    scene.wait_for(it.cause);
    const play::Ended curl = scene.answer_to_http2(it.said);
    CHECK(curl.status != 0);  // a reset stream
    scene.wait_for(it.cause);
  }
}

TEST_CASE("an answer to the end of the connection is whole only if that was no reset") {
  Scene scene;
  play::Peer client = play::connect(scene.portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = scene.app.accept();
  worker.send(OK "\r\nhello");
  client.read_head();
  CHECK(client.read(10) == "5\r\nhello\r\n");
  worker.close();  // with the request unread: a Unix socket's reset
  CHECK(client.read_to_end() == "");
  scene.wait_for("the connection ended");
}

TEST_CASE("what stands behind an answer is no answer to anybody") {
  Scene scene;
  for (const Case& it : kLongAnswers) {
    CAPTURE(it.section);
    CAPTURE(it.said);
    const play::Answer answer = scene.answer_to_http1(it.said);
    CHECK(answer.body == "hello");
    CHECK(answer.is_whole);
    scene.wait_for(it.cause);
    CHECK(scene.answer_to_http2(it.said).out == "hello 200");
    scene.wait_for(it.cause);
  }
}

TEST_CASE("a second answer that comes later ends its connection, and no request gets it") {
  Scene scene;
  play::Peer client = play::connect(scene.portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = scene.app.accept();
  worker.read_head();
  worker.send(OK HELLO);
  CHECK(client.read_answer().body == "hello");
  worker.send(OK "Content-Length: 4\r\n\r\nevil");
  CHECK(worker.read_to_end() == "");
  scene.wait_for("nobody has asked for it");
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  worker = scene.app.accept();
  worker.read_head();
  worker.send(OK "Content-Length: 4\r\n\r\nnext");
  CHECK(client.read_answer().body == "next");
}

TEST_CASE("a 101 to a protocol that was not asked for is 502 (RFC 9110 7.8)") {
  Scene scene;
  for (const std::string_view upgrade :
       {""sv, "Upgrade: h2c\r\n"sv, "Upgrade: websocket, other\r\n"sv, "Upgrade:\r\n"sv}) {
    CAPTURE(upgrade);
    play::Peer client = play::connect(scene.portherd.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket, x/1\r\n\r\n");
    play::Peer worker = scene.app.accept();
    worker.read_head();
    worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" + std::string(upgrade) +
                "\r\nevil");
    CHECK(client.read_answer().status == 502);
    CHECK(worker.read_to_end() == "");
    scene.wait_for("101 to a protocol that was not asked for");
  }
  play::Peer client = play::connect(scene.portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket, x/1\r\n\r\n");
  play::Peer worker = scene.app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: X/1\r\n\r\nhello");
  CHECK(client.read_head().starts_with("HTTP/1.1 101 "));
  CHECK(client.read(5) == "hello");
}

TEST_CASE("floods of fields and of interim answers are 502, too") {
  Scene scene;
  std::string fields = OK, many = OK, hints;
  for (int i = 0; i < 1024; ++i) fields += "A" + std::to_string(i) + ": " + std::string(1024, 'x') + "\r\n";
  for (int i = 0; i < 300; ++i) many += "A: b\r\n";
  for (int i = 0; i < 17; ++i) hints += "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  const std::string hint = "HTTP/1.1 103 Early Hints\r\nLink: " + std::string(33 * 1024, 'x') + "\r\n\r\n",
                    two = hint + hint;
  const std::string line = OK "A: " + std::string(1024 * 1024, 'x');
  const Case cases[] = {
      {"5", fields, "the head is too large"},
      {"5", line, "the head is too large"},
      {"5", many, "the head has too many fields"},
      {"9110 15.2", hints, "there are too many interim answers"},
      {"9110 15.2", two, "the interim answers are too long"},
  };
  for (const Case& it : cases) {
    CAPTURE(it.cause);
    CHECK(scene.answer_to_http1(it.said).status == 502);
    scene.wait_for(it.cause);
    CHECK(scene.answer_to_http2(it.said).out == "502 Bad Gateway\n 502");
    scene.wait_for(it.cause);
  }
}

TEST_CASE("an app that does not answer in time is 504") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
request_timeout = "300ms"
)");
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  CHECK(client.read_answer().status == 504);

  play::Peer cut = play::connect(portherd.port());
  cut.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer silent = app.accept();
  silent.read_head();
  silent.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");  // and then nothing
  const play::Answer answer = cut.read_answer();
  CHECK(answer.body == "hello");
  CHECK_FALSE(answer.is_whole);
}

TEST_CASE("a proxy worker that is not there is 502 at once, and found when it is") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)");
  CHECK(play::get(portherd.port()).status == 502);

  play::App app(folder, "app.sock");
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(client.read_answer().status == 204);
}
