// The environment that our Python worker gets, pair by pair (PEP 3333, RFC 3875).
#include "upstream/environment.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <map>

#include "unit/feed.h"
#include "upstream/grammar.h"
#include "upstream/worker_frames.h"

using namespace upstream;

namespace {

struct Request {
  RequestHead head;
  std::vector<Field> ours;
  EnvironmentFacts facts;
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;

  explicit Request(std::string_view target,
                   std::vector<std::pair<std::string_view, std::string_view>> fields = {}) {
    head.method_text = "GET";
    head.target = target;
    head.path = target.substr(0, target.find('?'));
    if (head.path.size() < target.size()) head.query = target.substr(head.path.size() + 1);
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
    const bool is_written = write_environment(head, ours, facts, framing, length, out);
    CHECK(is_written == !out.is_empty());
    return feed::text_of(out);
  }

  std::map<std::string, std::string> pairs() const {
    const std::string all = frame();
    REQUIRE(all.size() > 8);
    std::vector<std::string> texts(1);
    for (const char c : all.substr(8)) {
      if (c == '\0')
        texts.emplace_back();
      else
        texts.back() += c;
    }
    REQUIRE(texts.size() % 2 == 0);
    std::map<std::string, std::string> all_pairs;
    for (std::size_t i = 0; i < texts.size(); i += 2) CHECK(all_pairs.emplace(texts[i], texts[i + 1]).second);
    return all_pairs;
  }
};

}  // namespace

TEST_CASE("the keys of a request") {
  Request request("/a%20b/%C3%A9?x=%20",
                  {{"Host", "example.com:8000"}, {"User-Agent", "me"}, {"X-One", "1"}});
  CHECK(request.pairs() == std::map<std::string, std::string>{{"REQUEST_METHOD", "GET"},
                                                              {"SCRIPT_NAME", ""},
                                                              {"PATH_INFO", "/a b/\xc3\xa9"},
                                                              {"QUERY_STRING", "x=%20"},
                                                              {"REQUEST_URI", "/a%20b/%C3%A9?x=%20"},
                                                              {"SERVER_NAME", "example.com"},
                                                              {"SERVER_PORT", "8000"},
                                                              {"SERVER_PROTOCOL", "HTTP/1.1"},
                                                              {"REMOTE_ADDR", "192.0.2.60"},
                                                              {"REMOTE_PORT", "4321"},
                                                              {"wsgi.url_scheme", "http"},
                                                              {"HTTP_HOST", "example.com:8000"},
                                                              {"HTTP_USER_AGENT", "me"},
                                                              {"HTTP_X_ONE", "1"}});
}

TEST_CASE("the frame says how long it is, and whether a body follows") {
  Request request("/");
  std::string frame = request.frame();
  const std::size_t length = static_cast<unsigned char>(frame[0]) +
                             256 * static_cast<std::size_t>(static_cast<unsigned char>(frame[1]));
  CHECK(length == frame.size() - 8);
  CHECK(frame.substr(4, 4) == std::string("\x01\x01\0\0", 4));
  request.framing = Framing::kChunked;
  CHECK(request.frame().substr(4, 4) == std::string("\x01\0\0\0", 4));
  CHECK(request.pairs().count("CONTENT_LENGTH") == 0);
}

TEST_CASE("the body's type and length have keys of their own (RFC 3875 4.1.2, 4.1.3)") {
  Request request("/", {{"Content-Type", "text/plain"}, {"content-length", "7"}});
  request.framing = Framing::kLength;
  request.length = 12;
  CHECK(request.pairs().at("CONTENT_TYPE") == "text/plain");
  CHECK(request.pairs().at("CONTENT_LENGTH") == "12");
  CHECK(request.pairs().count("HTTP_CONTENT_TYPE") == 0);
  CHECK(request.pairs().count("HTTP_CONTENT_LENGTH") == 0);
  request.framing = Framing::kNone;
  CHECK(request.pairs().at("CONTENT_LENGTH") == "0");
}

TEST_CASE("fields of one name become one value, ours among them; cookies by semicolon") {
  Request request("/", {{"X-A", "1"}, {"Cookie", "a=1"}, {"x-a", "2"}, {"cookie", "b=2"}, {"X-B", "3"}});
  request.ours = {{"X-A", "4"}, {"X-Request-Id", "5", FieldId::kXRequestId}};
  const auto said = request.pairs();
  CHECK(said.at("HTTP_X_A") == "1,2,4");
  CHECK(said.at("HTTP_COOKIE") == "a=1; b=2");
  CHECK(said.at("HTTP_X_B") == "3");
  CHECK(said.at("HTTP_X_REQUEST_ID") == "5");
}

TEST_CASE("names that only look alike stay apart") {
  // Of one length and with one last letter: they share their mark.
  const auto said =
      Request("/", {{"X-Aa", "1"}, {"X-Ba", "2"}, {"x-aA", "3"}, {"X-Ca", "4"}, {"X-Aa", "5"}}).pairs();
  CHECK(said.at("HTTP_X_AA") == "1,3,5");
  CHECK(said.at("HTTP_X_BA") == "2");
  CHECK(said.at("HTTP_X_CA") == "4");
}

TEST_CASE("what belongs to the connection has no key") {
  const auto said =
      Request("/", {{"Transfer-Encoding", "chunked"}, {"Connection", "x"}, {"Upgrade", "y"}}).pairs();
  CHECK(said.count("HTTP_TRANSFER_ENCODING") + said.count("HTTP_CONNECTION") + said.count("HTTP_UPGRADE") ==
        0);
}

TEST_CASE("a code that is none stays as it is") {
  CHECK(Request("/%zz%4%").pairs().at("PATH_INFO") == "/%zz%4%");
  CHECK(Request("/%2541%2f").pairs().at("PATH_INFO") == "/%41/");
}

TEST_CASE("a NUL in the path cannot be an environment") {
  CHECK(Request("/%00").frame().empty());
  CHECK(Request("/a%00HTTP_X%00b").frame().empty());
  CHECK_FALSE(Request("/?%00").frame().empty());  // a query stays encoded
}

TEST_CASE("more than a frame holds cannot be an environment") {
  const std::string value(kMostHeadFrame, 'v');
  CHECK(Request("/", {{"A", value}}).frame().empty());
  CHECK_FALSE(Request("/", {{"A", std::string_view(value).substr(1000)}}).frame().empty());
}

TEST_CASE("names, ports and schemes that nobody said") {
  Request request("*");
  request.head.authority = {};
  request.head.version = Version::kHttp10;
  request.facts = {};
  request.facts.is_tls = true;
  const auto said = request.pairs();
  CHECK(said.at("SERVER_NAME") == "localhost");
  CHECK(said.at("SERVER_PORT") == "443");
  CHECK(said.at("wsgi.url_scheme") == "https");
  CHECK(said.at("SERVER_PROTOCOL") == "HTTP/1.0");
  CHECK(said.at("REMOTE_ADDR") == "unix");
  CHECK(said.at("PATH_INFO") == "*");
  CHECK(said.count("HTTP_HOST") == 0);
}

TEST_CASE("IPv6 on both ends") {
  Request request("/");
  request.head.authority = "[2001:db8::1]:8000";
  request.facts.remote.family = AF_INET6;
  ::inet_pton(AF_INET6, "2001:db8::2", request.facts.remote.bytes);
  CHECK(request.pairs().at("SERVER_NAME") == "[2001:db8::1]");
  CHECK(request.pairs().at("REMOTE_ADDR") == "2001:db8::2");
}
