// Both forms of an access event, to the byte.
#include "proxy/access_event.h"

#include <ctime>

#include "doctest_precompiled.h"

namespace {

using namespace std::chrono_literals;
using proxy::AccessEvent;

AccessEvent plain_event() {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  AccessEvent event;
  event.time = runtime::WallTime(971186136042ms);  // the tenth of October 2000, as in Apache's manual
  event.id = "1f";
  event.app = "shop";
  event.generation = 2;
  event.worker = 3;
  event.pid = 812;
  event.client.family = AF_INET;
  event.client.bytes[0] = 127;
  event.client.bytes[3] = 1;
  event.method = "GET";
  event.host = "shop.example.com";
  event.target = "/apache_pb.gif?a=b";
  event.path = "/apache_pb.gif";
  event.version = upstream::Version::kHttp10;
  event.tls = "TLSv1.3";
  event.status = 200;
  event.bytes_in = 5;
  event.bytes_out = 2326;
  event.queue = 17us;
  event.first_byte = 1500us;
  event.total = 12'345'678us;
  event.attempts = 1;
  event.referer = "http://www.example.com/start.html";
  event.user_agent = "Mozilla/4.08 [en] (Win98; I ;Nav)";
  return event;
}

std::string json(const AccessEvent& event) {
  std::string line;
  proxy::append_json(event, line);
  return line;
}

std::string combined(const AccessEvent& event) {
  std::string line;
  proxy::append_combined(event, line);
  return line;
}

/// The value of a field whose value is a string, as it stands there.
std::string user_agent_in_json(std::string_view text) {
  AccessEvent event = plain_event();
  event.user_agent = text;
  const std::string line = json(event);
  constexpr std::string_view kBefore = "\"user_agent\":\"";
  const std::size_t begin = line.find(kBefore) + kBefore.size();
  return line.substr(begin, line.size() - begin - std::string_view("\"}\n").size());
}

}  // namespace

TEST_CASE("json is one flat object, always with the same fields in the same order") {
  CHECK(json(plain_event()) ==
        R"({"time":"2000-10-10T13:55:36.042Z","id":"1f","app":"shop","generation":2,"worker":3,"pid":812,)"
        R"("client":"127.0.0.1","method":"GET","host":"shop.example.com","path":"/apache_pb.gif?a=b",)"
        R"("protocol":"HTTP/1.0","tls":"TLSv1.3","status":200,"bytes_in":5,"bytes_out":2326,)"
        R"("queue_ms":0.017,"first_byte_ms":1.500,"total_ms":12345.678,"attempts":1,"outcome":"ok",)"
        R"-("referer":"http://www.example.com/start.html","user_agent":"Mozilla/4.08 [en] (Win98; I ;Nav)"})-"
        "\n");
}

TEST_CASE("json says null for what there was none of") {
  AccessEvent event;
  event.client.family = AF_UNIX;
  event.outcome = proxy::kNoSuchHost;
  event.status = 404;
  CHECK(json(event) ==
        R"({"time":"1970-01-01T00:00:00.000Z","id":"","app":"","generation":null,"worker":null,"pid":null,)"
        R"("client":"unix","method":"","host":"","path":"","protocol":"HTTP/1.1","tls":"","status":404,)"
        R"("bytes_in":0,"bytes_out":0,"queue_ms":0.000,"first_byte_ms":null,"total_ms":0.000,"attempts":0,)"
        R"("outcome":"client: no app has this host","referer":"","user_agent":""})"
        "\n");
}

TEST_CASE("json: whose fault it was stands before the cause") {
  AccessEvent event = plain_event();
  event.outcome = proxy::kQueueFull;
  CHECK(json(event).find(R"("outcome":"us: queue is full")") != std::string::npos);
  event.outcome = proxy::kAnswerTimeout;
  CHECK(json(event).find(R"("outcome":"app: worker did not answer in time")") != std::string::npos);
}

TEST_CASE("json: quotes and control characters are escaped") {
  CHECK(user_agent_in_json("a\"b\\c") == R"(a\"b\\c)");
  CHECK(user_agent_in_json({"\0\t\n\r\x1f\x7f", 6}) == R"(\u0000\u0009\u000a\u000d\u001f\u007f)");
}

TEST_CASE("json: UTF-8 stays, and what is none becomes U+FFFD") {
  CHECK(user_agent_in_json("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x91") ==
        "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x91");
  CHECK(user_agent_in_json("\xff") == "\\ufffd");
  CHECK(user_agent_in_json("\x80x") == "\\ufffdx");
  CHECK(user_agent_in_json("\xc3") == "\\ufffd");                                   // cut off
  CHECK(user_agent_in_json("\xe2\x82") == "\\ufffd\\ufffd");                        // cut off
  CHECK(user_agent_in_json("\xc0\xaf") == "\\ufffd\\ufffd");                        // '/' in two bytes
  CHECK(user_agent_in_json("\xe0\x80\xaf") == "\\ufffd\\ufffd\\ufffd");             // '/' in three
  CHECK(user_agent_in_json("\xed\xa0\x80") == "\\ufffd\\ufffd\\ufffd");             // a surrogate
  CHECK(user_agent_in_json("\xf4\x90\x80\x80") == "\\ufffd\\ufffd\\ufffd\\ufffd");  // past U+10FFFF
}

TEST_CASE("combined is Apache's, to the byte") {
  CHECK(combined(plain_event()) ==
        R"(127.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET /apache_pb.gif?a=b HTTP/1.0" 200 2326 )"
        R"-("http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)")-"
        "\n");
}

TEST_CASE("combined: what there is none of is a dash") {
  AccessEvent event = plain_event();
  event.bytes_out = 0;
  event.referer = event.user_agent = {};
  CHECK(combined(event).ends_with("HTTP/1.0\" 200 - \"-\" \"-\"\n"));
  event.method = {};
  CHECK(combined(event).find("] \"-\" 200") != std::string::npos);
}

TEST_CASE("combined: hostile bytes are escaped as Apache does it") {
  AccessEvent event = plain_event();
  event.client.family = AF_INET6;
  std::fill(std::begin(event.client.bytes), std::end(event.client.bytes), static_cast<unsigned char>(0));
  event.client.bytes[15] = 1;
  event.method = "GE\"T";
  event.target = "/\\x\xc3\xbc";
  event.version = upstream::Version::kHttp2;
  event.referer = "\b\n\r\t\v\f\x01";
  event.user_agent = {"a\0b\x7f\xff", 5};
  CHECK(
      combined(event) ==
      R"(::1 - - [10/Oct/2000:13:55:36 +0000] "GE\"T /\\x\xc3\xbc HTTP/2.0" 200 2326 "\b\n\r\t\v\x0c\x01" "a\x00b\x7f\xff")"
      "\n");
}

TEST_CASE("combined: the time is local, with its distance from UTC") {
  AccessEvent event = plain_event();
  event.time += 10s;  // the text of a second is kept
  ::setenv("TZ", "XXX+07:30", 1);
  ::tzset();
  CHECK(combined(event).find("[10/Oct/2000:06:25:46 -0730]") != std::string::npos);
  ::setenv("TZ", "UTC", 1);
  ::tzset();
}
