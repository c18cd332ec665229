// The PROXY protocol's header, from proxy-protocol.txt (HAProxy), 2.1 and 2.2, in every way that it can be
// cut.
#include "proxy/proxy_header.h"

#include "doctest_precompiled.h"
#include "unit/feed.h"

namespace {

using namespace std::string_literals;
using proxy::ProxyHeader;
using Step = ProxyHeader::Step;

constexpr const char* kRest = "GET / HTTP/1.1\r\n";

/// "client 192.0.2.1 56324", "proxy", "unknown", "broken: ...", or "more"; and that nothing behind it was
/// taken.
std::string read(const std::vector<std::string_view>& pieces) {
  ProxyHeader header;
  std::string waiting, left;
  Step step = Step::kMore;
  for (const std::string_view piece : pieces) {
    if (step != Step::kMore) {
      left += piece;
      continue;
    }
    runtime::Bytes used = 0;
    step = header.next(piece, used);
    if (step == Step::kMore) CHECK(used == piece.size());
    left += piece.substr(used);
  }
  if (step == Step::kMore) return "more";
  if (step == Step::kBroken) return "broken: " + std::string(header.complaint());
  CHECK(left == kRest);
  switch (header.from()) {
    case ProxyHeader::From::kClient:
      return "client " + header.client().text() + " " + std::to_string(header.client().port);
    case ProxyHeader::From::kProxy:
      return "proxy";
    case ProxyHeader::From::kUnknown:
      return "unknown";
  }
  return "";
}

/// However it is cut. What is broken is known before the rest comes, so that is not sent then.
std::string read(const std::string& header) {
  const std::string wire = header + kRest;
  const std::string whole = read(std::vector<std::string_view>{wire});
  for (const auto& pieces : feed::cuts(wire)) CHECK(read(pieces) == whole);
  return whole;
}

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string k4 =
    "\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb"s;  // 192.0.2.1:56324 to 198.51.100.2:443
const std::string k6 =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x08\xdc\x04\x01\xbb"s;

std::string block(char command, char family, const std::string& rest) {
  const auto size = rest.size();
  return kSignature + command + family + static_cast<char>(size >> 8) + static_cast<char>(size & 0xff) + rest;
}

}  // namespace

TEST_CASE("a line of version 1 says who the client is (2.1)") {
  CHECK(read("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n") == "client 192.0.2.1 56324");
  CHECK(read("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n") == "client 255.255.255.255 65535");
  CHECK(read("PROXY TCP4 192.0.2.1 198.51.100.2 0 0\r\n") == "client 192.0.2.1 0");
  CHECK(read("PROXY TCP6 2001:db8::7 2001:db8::8 56324 443\r\n") == "client 2001:db8::7 56324");
  CHECK(read("PROXY TCP6 2001:DB8::7 ::1 1 2\r\n") == "client 2001:db8::7 1");
  CHECK(read("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n") == "client 192.0.2.1 1");
  CHECK(read("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
             "65535 65535\r\n") == "client ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535");
  CHECK(read("PROXY UNKNOWN\r\n") == "unknown");
  CHECK(read("PROXY UNKNOWN whatever 1 \x01\xff\r\n") == "unknown");
  // The longest there can be: 107 bytes.
  const std::string longest =
      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
      "65535\r\n";
  REQUIRE(longest.size() == 107);
  CHECK(read(longest) == "unknown");
}

TEST_CASE("a line that is not one to the letter is refused (2.1)") {
  for (const char* line : {"PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",         // a port is missing
                           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n",    // a space at the end
                           "PROXY TCP4 192.0.2.1  198.51.100.2 56324 443\r\n",    // two spaces
                           "PROXY TCP4\t192.0.2.1 198.51.100.2 56324 443\r\n",    //
                           "PROXY  TCP4 192.0.2.1 198.51.100.2 56324 443\r\n",    //
                           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 5\r\n",   // one word too many
                           "PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n",    // a leading zero
                           "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",     //
                           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 -1\r\n",      //
                           "PROXY TCP4 192.0.2.1 198.51.100.2 +1 443\r\n",        //
                           "PROXY TCP4 192.0.2.01 198.51.100.2 56324 443\r\n",    // is it octal?
                           "PROXY TCP4 192.0.2 198.51.100.2 56324 443\r\n",       //
                           "PROXY TCP4 192.0.2.256 198.51.100.2 56324 443\r\n",   //
                           "PROXY TCP4 2001:db8::7 2001:db8::8 56324 443\r\n",    // another family
                           "PROXY TCP6 192.0.2.1 198.51.100.2 56324 443\r\n",     //
                           "PROXY TCP6 [2001:db8::7] 2001:db8::8 56324 443\r\n",  //
                           "PROXY TCP6 fe80::1%eth0 2001:db8::8 56324 443\r\n",   //
                           "PROXY TCP4 a.example 198.51.100.2 56324 443\r\n",     //
                           "PROXY TCP4 192.0.2.1 a.example 56324 443\r\n",        //
                           "PROXY tcp4 192.0.2.1 198.51.100.2 56324 443\r\n",     //
                           "PROXY UDP4 192.0.2.1 198.51.100.2 56324 443\r\n",     //
                           "PROXY UNKNOWNS\r\n",
                           "PROXY \r\n"}) {
    CAPTURE(line);
    CHECK(read(line) == "broken: the PROXY line is not one");
  }
  CHECK(read("PROXY TCP4 192.0.2.1\0 198.51.100.2 56324 443\r\n"s) == "broken: the PROXY line is not one");
}

TEST_CASE("a line is ended by CRLF and by nothing else, and is never longer than 107 bytes (2.1)") {
  CHECK(read("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n") ==
        "broken: the PROXY line is not ended by CRLF");
  CHECK(read("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r ") ==
        "broken: the PROXY line is not ended by CRLF");
  CHECK(read("PROXY UNKNOWN \r\r\n") == "broken: the PROXY line is not ended by CRLF");
  CHECK(read("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n") ==
        "broken: the PROXY line is longer than 107 bytes");
  CHECK(read("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n") == "unknown");
}

TEST_CASE("a block of version 2 says who the client is (2.2)") {
  CHECK(read(block('\x21', '\x11', k4)) == "client 192.0.2.1 56324");
  CHECK(read(block('\x21', '\x21', k6)) == "client 2001:db8::7 56324");
  // Of a Unix socket: no name that could be told.
  CHECK(read(block('\x21', '\x31', std::string(216, 'p'))) == "client unix 0");
  // What follows the addresses, TLVs or what else, is skipped unread.
  CHECK(read(block('\x21', '\x11', k4 + "\x03\x00\x04\x01\x02\x03\x04"s)) == "client 192.0.2.1 56324");
  CHECK(read(block('\x21', '\x21', k6 + std::string(300, '\xff'))) == "client 2001:db8::7 56324");
  CHECK(read(block('\x21', '\x31', std::string(230, 'p'))) == "client unix 0");
}

TEST_CASE(
    "LOCAL is the proxy itself, whatever else the block says; UNSPEC is a client without a name (2.2)") {
  CHECK(read(block('\x20', '\x00', "")) == "proxy");
  CHECK(read(block('\x20', '\x11', k4)) == "proxy");
  CHECK(read(block('\x20', '\xff', "what")) == "proxy");
  CHECK(read(block('\x21', '\x00', "")) == "unknown");
  CHECK(read(block('\x21', '\x00', k4)) == "unknown");
}

TEST_CASE("a block that is not one is refused (2.2)") {
  CHECK(read(block('\x11', '\x11', k4)) == "broken: unknown version of the PROXY protocol");
  CHECK(read(block('\x31', '\x11', k4)) == "broken: unknown version of the PROXY protocol");
  CHECK(read(block('\x22', '\x11', k4)) == "broken: unknown command of the PROXY protocol");
  for (const char family : {'\x01', '\x10', '\x12', '\x22', '\x32', '\x13', '\x41', '\xff'}) {
    CAPTURE(int{family});
    CHECK(read(block('\x21', family, std::string(216, '\0'))).starts_with("broken: unknown address family"));
  }
  CHECK(read(block('\x21', '\x11', k4.substr(1))) ==
        "broken: the PROXY header is too short for its addresses");
  CHECK(read(block('\x21', '\x11', "")) == "broken: the PROXY header is too short for its addresses");
  CHECK(read(block('\x21', '\x21', k4)) == "broken: the PROXY header is too short for its addresses");
  CHECK(read(block('\x21', '\x31', std::string(215, 'p'))) ==
        "broken: the PROXY header is too short for its addresses");
}

TEST_CASE("a block goes on for 4096 bytes at most") {
  const std::string longest = block('\x21', '\x11', k4 + std::string(4096 - 16 - 12, '\0')) + kRest;
  CHECK(read(std::vector<std::string_view>{longest}) == "client 192.0.2.1 56324");
  const std::string wire = block('\x21', '\x11', k4 + std::string(4097 - 16 - 12, '\0')) + kRest;
  CHECK(read(std::vector<std::string_view>{wire}) == "broken: the PROXY header is longer than 4096 bytes");
  CHECK(read(std::vector<std::string_view>{std::string_view(wire).substr(0, 16)}) ==
        "broken: the PROXY header is longer than 4096 bytes");
}

TEST_CASE("what begins like neither is refused at the first byte that says so") {
  CHECK(read("GET / HTTP/1.1\r\n") == "broken: no PROXY protocol header");
  CHECK(read(std::vector<std::string_view>{"G"}) == "broken: no PROXY protocol header");
  CHECK(read("\x16\x03\x01") == "broken: no PROXY protocol header");
  CHECK(read("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == "broken: no PROXY protocol header");
  CHECK(read("\r\n\r\nGET / HTTP/1.1\r\n") == "broken: no PROXY protocol header");
  CHECK(read(std::vector<std::string_view>{"PROX"}) == "more");
  CHECK(read(std::vector<std::string_view>{std::string_view(kSignature)}) == "more");
  CHECK(read(std::vector<std::string_view>{"PROXY UNKNOWN"}) == "more");
}
