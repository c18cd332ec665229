// RFC 9110 13 (conditions), 14 (ranges), 12.5.3 (codings), for a file that was changed on Sun, 06 Nov 1994
// 08:49:37 GMT.
#include "proxy/file_request.h"

#include "doctest_precompiled.h"
#include "upstream/grammar.h"

namespace {

using proxy::ByteRange;
using Kind = proxy::ByteRange::Kind;

constexpr std::int64_t kChanged = 784111777;
constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kTag = "\"2ebc98a1.0-3e8\"";

proxy::FileFacts a_file() {
  return {.size = 1000, .modified = kChanged, .nanoseconds = 0, .coding = proxy::Coding::kNone};
}

upstream::Fields fields_of(std::initializer_list<std::string_view> lines) {
  upstream::Fields fields;
  for (const std::string_view line : lines) fields.push_back(*upstream::parse_field_line(line));
  return fields;
}

// "206 first+size", or the status alone where no byte is sent.
std::string answer_to(std::initializer_list<std::string_view> lines,
                      upstream::Method method = upstream::Method::kGet, std::int64_t now = kChanged + 1000) {
  upstream::RequestHead head;
  head.method = method;
  head.fields = fields_of(lines);
  const proxy::FileFacts file = a_file();
  const std::string tag = entity_tag(file, now), modified = last_modified(file);
  const proxy::FileVerdict verdict = judge(proxy::FileRequest::of(head), file, tag, modified);
  const std::string status = std::to_string(verdict.status);
  if (verdict.status >= 300) return status;
  return status + " " + std::to_string(verdict.first) + "+" + std::to_string(verdict.size);
}

std::string line(std::string_view name, std::string_view value) {
  return std::string(name) + ": " + std::string(value);
}

}  // namespace

TEST_CASE("a tag is made of time, size and coding") {
  proxy::FileFacts file = a_file();
  CHECK(entity_tag(file, kChanged + 2) == kTag);
  file.nanoseconds = 255;
  CHECK(entity_tag(file, kChanged + 2) == "\"2ebc98a1.ff-3e8\"");
  file.coding = proxy::Coding::kGzip;
  CHECK(entity_tag(file, kChanged + 2) == "\"2ebc98a1.ff-3e8-gz\"");
  file.coding = proxy::Coding::kBrotli;
  CHECK(entity_tag(file, kChanged + 2) == "\"2ebc98a1.ff-3e8-br\"");
}

TEST_CASE("a file that may yet change within the same tick of the clock has a weak tag") {
  CHECK(entity_tag(a_file(), kChanged) == "W/\"2ebc98a1.0-3e8\"");
  CHECK(entity_tag(a_file(), kChanged + 1) == "W/\"2ebc98a1.0-3e8\"");
  CHECK(entity_tag(a_file(), kChanged - 100) == "W/\"2ebc98a1.0-3e8\"");  // a clock that is wrong
}

TEST_CASE("a time that a packer has wiped out validates nothing") {
  proxy::FileFacts file = a_file();
  for (const std::int64_t wiped : {0, 1}) {
    file.modified = wiped;
    CHECK(entity_tag(file, kChanged).empty());
    CHECK(last_modified(file).empty());
    proxy::FileRequest request;
    request.if_none_match = "\"\"";
    request.if_modified_since = std::string(kDate);
    CHECK(judge(request, file, "", "").status == 200);
  }
}

TEST_CASE("If-None-Match compares weakly: RFC 9110 13.1.2") {
  CHECK(answer_to({}) == "200 0+1000");
  CHECK(answer_to({line("If-None-Match", kTag)}) == "304");
  CHECK(answer_to({line("If-None-Match", "W/" + std::string(kTag))}) == "304");
  CHECK(answer_to({"If-None-Match: *"}) == "304");
  CHECK(answer_to({"If-None-Match: \"x\""}) == "200 0+1000");
  CHECK(answer_to({line("If-None-Match", "\"x\", " + std::string(kTag) + " , \"y\"")}) == "304");
  CHECK(answer_to({line("If-None-Match", "\"a,b\"," + std::string(kTag))}) == "304");
  CHECK(answer_to({"If-None-Match: \"x\"", line("if-none-match", kTag)}) == "304");
  CHECK(answer_to({line("If-None-Match", kTag)}, upstream::Method::kHead) == "304");
  CHECK(answer_to({line("If-None-Match", kTag)}, upstream::Method::kGet, kChanged) ==
        "304");                                                         // weak now, strong then
  CHECK(answer_to({"If-None-Match: 2ebc98a1.0-3e8"}) == "200 0+1000");  // no quotes, no tag
  CHECK(answer_to({"If-None-Match: \"2ebc98a1.0-3e8"}) == "200 0+1000");
  CHECK(answer_to({"If-None-Match: W/"}) == "200 0+1000");
  CHECK(answer_to({"If-None-Match:"}) == "200 0+1000");
}

TEST_CASE("If-Modified-Since counts only without If-None-Match: RFC 9110 13.1.3") {
  CHECK(answer_to({line("If-Modified-Since", kDate)}) == "304");
  CHECK(answer_to({line("If-Modified-Since", kBefore)}) == "200 0+1000");
  CHECK(answer_to({"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"}) == "304");
  CHECK(answer_to({"If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT"}) == "304");
  CHECK(answer_to({"If-Modified-Since: yesterday"}) == "200 0+1000");
  CHECK(answer_to({line("If-Modified-Since", kDate), line("If-Modified-Since", kDate)}) == "200 0+1000");
  CHECK(answer_to({line("If-Modified-Since", kDate), "If-None-Match: \"x\""}) == "200 0+1000");
  CHECK(answer_to({line("If-Modified-Since", kBefore), line("If-None-Match", kTag)}) == "304");
}

TEST_CASE("If-Match compares strongly, and comes first: RFC 9110 13.1.1, 13.2.2") {
  CHECK(answer_to({line("If-Match", kTag)}) == "200 0+1000");
  CHECK(answer_to({"If-Match: *"}) == "200 0+1000");
  CHECK(answer_to({"If-Match: \"x\""}) == "412");
  CHECK(answer_to({line("If-Match", "W/" + std::string(kTag))}) == "412");
  CHECK(answer_to({line("If-Match", kTag)}, upstream::Method::kGet, kChanged) == "412");  // ours is weak yet
  CHECK(answer_to({line("If-Match", kTag), line("If-None-Match", kTag)}) == "304");
  CHECK(answer_to({"If-Match: \"x\"", line("If-None-Match", kTag)}) == "412");
}

TEST_CASE("If-Unmodified-Since counts only without If-Match: RFC 9110 13.1.4") {
  CHECK(answer_to({line("If-Unmodified-Since", kDate)}) == "200 0+1000");
  CHECK(answer_to({line("If-Unmodified-Since", kBefore)}) == "412");
  CHECK(answer_to({"If-Unmodified-Since: never"}) == "200 0+1000");
  CHECK(answer_to({line("If-Unmodified-Since", kBefore), line("If-Match", kTag)}) == "200 0+1000");
}

TEST_CASE("a range is read as RFC 9110 14.1.2 says") {
  struct Case {
    std::string_view value;
    std::uint64_t file_size;
    ByteRange range;
  };
  for (const Case& c : {
           Case{"bytes=0-499", 10000, {Kind::kGood, 0, 500}},  // the examples of 14.1.2
           Case{"bytes=500-999", 10000, {Kind::kGood, 500, 500}},
           Case{"bytes=-500", 10000, {Kind::kGood, 9500, 500}},
           Case{"bytes=9500-", 10000, {Kind::kGood, 9500, 500}},
           Case{"bytes=0-0", 10000, {Kind::kGood, 0, 1}},
           Case{"bytes=9999-9999", 10000, {Kind::kGood, 9999, 1}},
           Case{"bytes=0-", 1, {Kind::kGood, 0, 1}},
           Case{"BYTES=0-0", 1, {Kind::kGood, 0, 1}},
           Case{"bytes=5-99999", 10, {Kind::kGood, 5, 5}},
           Case{"bytes=-99999", 10, {Kind::kGood, 0, 10}},
           Case{"bytes=0-18446744073709551615", 10, {Kind::kGood, 0, 10}},
           Case{"bytes= 0-1 ", 10, {Kind::kGood, 0, 2}},
           Case{"bytes=10-", 10, {Kind::kUnsatisfiable, 0, 0}},
           Case{"bytes=10-20", 10, {Kind::kUnsatisfiable, 0, 0}},
           Case{"bytes=-0", 10, {Kind::kUnsatisfiable, 0, 0}},
           Case{"bytes=0-", 0, {Kind::kUnsatisfiable, 0, 0}},
           Case{"bytes=-5", 0, {}},
           Case{"bytes=5-4", 10, {}},
           Case{"bytes=0-1,3-4", 10, {}},
           Case{"bytes=0-1, -1", 10, {}},
           Case{"bytes=", 10, {}},
           Case{"bytes=-", 10, {}},
           Case{"bytes=--1", 10, {}},
           Case{"bytes=+1-2", 10, {}},
           Case{"bytes=1 - 2", 10, {}},
           Case{"bytes=1", 10, {}},
           Case{"bytes=0x1-2", 10, {}},
           Case{"bytes=0-18446744073709551616", 10, {}},
           Case{"bytes 0-1", 10, {}},
           Case{"bytes:0-1", 10, {}},
           Case{"lines=0-1", 10, {}},
           Case{"0-1", 10, {}},
           Case{"", 10, {}},
       }) {
    CAPTURE(c.value);
    const ByteRange range = proxy::parse_range(c.value, c.file_size);
    CHECK(range.kind == c.range.kind);
    CHECK(range.first == c.range.first);
    CHECK(range.size == c.range.size);
  }
}

TEST_CASE(
    "a range is for GET, after the conditions, and only of what the client has: RFC 9110 13.1.5, 14.2") {
  CHECK(answer_to({"Range: bytes=1-3"}) == "206 1+3");
  CHECK(answer_to({"Range: bytes=1000-"}) == "416");
  CHECK(answer_to({"Range: bytes=0-1,5-6"}) == "200 0+1000");
  CHECK(answer_to({"Range: bytes=0-1", "Range: bytes=5-6"}) == "200 0+1000");
  CHECK(answer_to({"Range: bytes=1-3"}, upstream::Method::kHead) == "200 0+1000");
  CHECK(answer_to({"Range: bytes=1-3", line("If-None-Match", kTag)}) == "304");
  CHECK(answer_to({"Range: bytes=1000-", "If-Match: \"x\""}) == "412");
  CHECK(answer_to({"Range: bytes=1-3", line("If-Range", kTag)}) == "206 1+3");
  CHECK(answer_to({"Range: bytes=1-3", "If-Range: \"x\""}) == "200 0+1000");
  CHECK(answer_to({"Range: bytes=1000-", "If-Range: \"x\""}) == "200 0+1000");
  CHECK(answer_to({"Range: bytes=1-3", line("If-Range", "W/" + std::string(kTag))}) == "200 0+1000");
  CHECK(answer_to({"Range: bytes=1-3", line("If-Range", kDate)}) == "206 1+3");
  CHECK(answer_to({"Range: bytes=1-3", line("If-Range", kBefore)}) == "200 0+1000");
  CHECK(answer_to({"Range: bytes=1-3", "If-Range: Sat, 01 Jan 2000 00:00:00 GMT"}) == "200 0+1000");
  CHECK(answer_to({"Range: bytes=1-3", line("If-Range", kTag)}, upstream::Method::kGet, kChanged) ==
        "200 0+1000");
  CHECK(answer_to({"Range: bytes=1-3", line("If-Range", kDate)}, upstream::Method::kGet, kChanged) ==
        "200 0+1000");
  CHECK(answer_to({"If-Range: \"x\""}) == "200 0+1000");
}

TEST_CASE("Accept-Encoding is read with its weights: RFC 9110 12.5.3") {
  const auto codings = [](std::initializer_list<std::string_view> lines) {
    const proxy::Codings found = proxy::accepted_codings(fields_of(lines));
    return std::to_string(found.brotli) + " " + std::to_string(found.gzip);
  };
  CHECK(codings({}) == "0 0");
  CHECK(codings({"Accept-Encoding:"}) == "0 0");
  CHECK(codings({"Accept-Encoding: gzip, deflate, br"}) == "1000 1000");
  CHECK(codings({"Accept-Encoding: br;q=0.5, gzip ; Q=0.75"}) == "500 750");
  CHECK(codings({"Accept-Encoding: br;q=0, *"}) == "0 1000");
  CHECK(codings({"Accept-Encoding: *;q=0"}) == "0 0");
  CHECK(codings({"Accept-Encoding: gzip", "accept-encoding: BR"}) == "1000 1000");
  CHECK(codings({"Accept-Encoding: x-gzip"}) == "0 1000");
  CHECK(codings({"Accept-Encoding: gzipped, brotli, identity"}) == "0 0");
  for (const std::string_view bad :
       {"q=2", "q=1.001", "q=.5", "q=0.5000", "q=-1", "q=", "level=9", "q=0,5", "q=0.x"}) {
    CAPTURE(bad);
    CHECK(proxy::accepted_codings(fields_of({line("Accept-Encoding", "gzip;" + std::string(bad))})).gzip ==
          0);
  }
}
