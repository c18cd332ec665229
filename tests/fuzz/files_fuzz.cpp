// Requests for files: whatever the path says, the name stays below the folder; whatever the fields say, the
// answer is a part of the file. First line: the path; all others: fields.
#include "fuzz/expect.h"
#include "proxy/file_path.h"
#include "proxy/file_request.h"
#include "conf/path_match.h"
#include "proxy/redirect.h"
#include "runtime/text.h"
#include "upstream/grammar.h"

namespace {

const std::vector<conf::Route>& routes() {
  static const std::vector<conf::Route> all = [] {
    std::vector<conf::Route> made(3);
    made[0].redirect = "https://a.example/x";
    made[1].path = "/static/";
    made[2].path = "/old";
    made[2].redirect = "/";
    return made;
  }();
  return all;
}

void expect_below(const std::string& name) {
  fuzz::expect(name.find('\0') == name.npos, "no NUL in a name");
  fuzz::expect(!name.starts_with('/') && !name.ends_with('/'), "a name is relative");
  if (name.empty()) return;
  for (const std::string_view segment : runtime::split(name, '/')) {
    fuzz::expect(!segment.empty(), "no segment is empty");
    fuzz::expect(!segment.starts_with('.') || segment == ".well-known", "no segment is hidden");
  }
}

void look_at(std::string_view path) {
  if (!upstream::is_target(path) || !path.starts_with('/')) return;
  const auto match = conf::match_route(routes(), path);
  fuzz::expect(match.has_value(), "\"/\" has what no other route has");
  if (const auto name = proxy::file_path(match->below())) expect_below(*name);
  const std::string target = proxy::redirect_target(*match->route, match->rest, "q");
  if (match->route == &routes()[0]) fuzz::expect(target.starts_with("https://a.example/x"), "the host stays");
  if (match->route == &routes()[2]) {
    fuzz::expect(target.starts_with('/') && !target.starts_with("//") && !target.starts_with("/\\"),
                 "a path is no host");
  }
}

void ask(const upstream::RequestHead& head, const proxy::FileFacts& file) {
  const proxy::FileRequest request = proxy::FileRequest::of(head);
  fuzz::expect(request.codings.brotli <= 1000 && request.codings.gzip <= 1000, "a weight is at most 1");
  const proxy::FileVerdict verdict = judge(request, file, entity_tag(file, 1'000'000), last_modified(file));
  switch (verdict.status) {
    case 200:
      return fuzz::expect(verdict.first == 0 && verdict.size == file.size, "200 is the whole");
    case 206:
      return fuzz::expect(
          verdict.size > 0 && verdict.first < file.size && verdict.size <= file.size - verdict.first,
          "206 is a part");
    case 304:
    case 412:
    case 416:
      return fuzz::expect(verdict.size == 0, "nothing of the file is sent");
    default:
      fuzz::expect(false, "no other status");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  upstream::RequestHead head;
  std::string_view path;
  bool is_first = true;
  for (const std::string_view line : runtime::split(text, '\n')) {
    if (std::exchange(is_first, false)) {
      path = line;
    } else if (const auto field = upstream::parse_field_line(line)) {
      head.fields.push_back(*field);
    }
  }
  look_at(path);
  for (const upstream::Method method : {upstream::Method::kGet, upstream::Method::kHead}) {
    head.method = method;
    for (const std::uint64_t file_size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}}) {
      ask(head, {.size = file_size, .modified = 784111777, .nanoseconds = 0, .coding = proxy::Coding::kNone});
    }
    ask(head, {.size = 5, .modified = 999'999, .nanoseconds = 1, .coding = proxy::Coding::kGzip});
  }
  return 0;
}
