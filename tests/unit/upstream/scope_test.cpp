// The scope that our ASGI worker gets, text by text.
#include "upstream/scope.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include "unit/feed.h"
#include "upstream/grammar.h"
#include "upstream/worker_frames.h"

using namespace upstream;

namespace {

using Texts = std::vector<std::string>;
using Said = std::vector<std::pair<std::string_view, std::string_view>>;

struct Request {
  RequestHead head;
  std::vector<Field> ours;
  EnvironmentFacts facts;
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;

  explicit Request(const Said& fields = {}) {
    head.method_text = "GET";
    head.path = "/a%20b/%2F";
    head.query = "x=%20";
    head.target = "/a%20b/%2F?x=%20";
    head.authority = "example.com:8000";
    for (const auto& [name, value] : fields) head.fields.push_back({name, value, identify(name)});
    facts.server_port = 8000;
    facts.remote.family = AF_INET;
    facts.remote.port = 4321;
    ::inet_pton(AF_INET, "192.0.2.60", facts.remote.bytes);
  }

  /// The frame; empty if there can be none.
  std::string frame() const {
    runtime::ByteQueue out;
    const bool is_written = write_scope(head, ours, facts, framing, length, out);
    CHECK(is_written == !out.is_empty());
    return feed::text_of(out);
  }
  Texts texts() const {
    Texts texts(1);
    for (const char c : frame().substr(8)) c == '\0' ? (void)texts.emplace_back() : texts.back().push_back(c);
    return texts;
  }
  /// Behind the nine that every scope begins with, and the host.
  Texts fields() const {
    const Texts all = texts();
    REQUIRE(all.size() >= 11);
    return {all.begin() + 11, all.end()};
  }
};

}  // namespace

TEST_CASE("the texts of a scope: nothing is decoded") {
  CHECK(Request(Said{{"Host", "example.com:8000"}, {"User-Agent", "me"}}).texts() ==
        Texts{"http", "1.1", "GET", "/a%20b/%2F", "x=%20", "192.0.2.60", "4321", "example.com", "8000", "host", "example.com:8000",
              "user-agent", "me"});
}

TEST_CASE("fields keep their order, spelling and repetition; only their case is gone") {
  Request request(Said{{"X_One", "1"}, {"X-One", "2"}, {"X-ONE", "3"}, {"Content-Type", "a/b"}});
  request.ours = {{"X-Request-Id", "5", FieldId::kXRequestId}};
  CHECK(request.fields() == Texts{"x_one", "1", "x-one", "2", "x-one", "3", "content-type", "a/b", "x-request-id", "5"});
}

TEST_CASE("what belongs to the connection is left out") {
  CHECK(Request(Said{{"Transfer-Encoding", "chunked"}, {"Connection", "x"}, {"Upgrade", "y"}, {"Trailer", "z"}}).fields().empty());
}

TEST_CASE("the crumbs of a cookie are joined in HTTP/2, and only there") {
  Request request(Said{{"Cookie", "a=1"}, {"X", "y"}, {"Cookie", "b=2"}});
  CHECK(request.fields() == Texts{"cookie", "a=1", "x", "y", "cookie", "b=2"});
  request.head.version = Version::kHttp2;
  CHECK(request.fields() == Texts{"x", "y", "cookie", "a=1; b=2"});
  CHECK(request.texts()[1] == "2");
}

TEST_CASE("a length is said where it is known, by what comes and not by what was said") {
  Request request(Said{{"Content-Length", "7"}});
  CHECK(request.fields() == Texts{"content-length", "0"});
  request.framing = Framing::kLength;
  request.length = 12;
  CHECK(request.fields() == Texts{"content-length", "12"});
  request.framing = Framing::kChunked;
  CHECK(request.fields().empty());
}

TEST_CASE("the scheme says whether it is a WebSocket") {
  Request request;
  request.facts.is_tls = true;
  CHECK(request.texts()[0] == "https");
  request.head.upgrade = "WebSocket";
  CHECK(request.texts()[0] == "wss");
  request.facts.is_tls = false;
  CHECK(request.texts()[0] == "ws");
  request.head.upgrade = "something-else";
  CHECK(request.texts()[0] == "http");
}

TEST_CASE("the frame of a scope says whether a body follows, and may be no longer than others") {
  Request request;
  CHECK(request.frame().substr(4, 4) == std::string("\x04\x01\0\0", 4));
  request.framing = Framing::kChunked;
  CHECK(request.frame().substr(4, 4) == std::string("\x04\0\0\0", 4));
  const std::string large(kMostHeadFrame, 'x');
  request.ours = {{"X", large}};
  CHECK(request.frame().empty());
  const std::string with_nul("a\0b", 3);
  request.ours = {{"X", with_nul}};
  CHECK(request.frame().empty());
}
