#include "proxy/h1_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "upstream/grammar.h"

namespace proxy {
namespace {

using runtime::equals_ignoring_case;
using upstream::FieldId;
using upstream::Framing;
using upstream::Method;
using upstream::RequestHead;
using upstream::Step;
using upstream::Version;

/// Empty: no refusal.
using Verdict = std::optional<Refusal>;

constexpr Refusal kBadRequestLine{400, "the request-line is not METHOD SP target SP HTTP/1.x"};
constexpr Refusal kBadTarget{400, "the target is not one that the method can have"};
constexpr Refusal kBadHost{400, "Host is not a host"};

/// "HTTP/1.1", exactly (RFC 9112 2.3). Minor versions above 1 mean 1.1 (RFC 9110 2.5).
Verdict take_version(std::string_view text, RequestHead& head) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' ||
      !is_digit(text[7])) {
    return kBadRequestLine;
  }
  if (text[5] != '1') return Refusal{505, "the version is not HTTP/1"};
  head.version = text[7] == '0' ? Version::kHttp10 : Version::kHttp11;
  return {};
}

/// Takes the line apart; the target stays as it came until the head is whole (take_target()).
Verdict take_request_line(std::string_view line, RequestHead& head) {
  std::size_t at = 0;
  while (at < line.size() && upstream::is_token_char(line[at])) ++at;
  if (at == 0 || at == line.size() || line[at] != ' ') return kBadRequestLine;
  const std::string_view rest = line.substr(at + 1);
  const auto space = rest.find(' ');
  // RFC 1945 5.1: a line without a version is HTTP/0.9, whose answers have no head.
  if (space == rest.npos) return Refusal{400, "the request-line has no version"};
  if (!upstream::is_target(rest.substr(0, space)))
    return Refusal{400, "the target has a character that is none of a target"};
  head.method_text = line.substr(0, at);
  head.method = upstream::parse_method(head.method_text);
  head.target = rest.substr(0, space);
  return take_version(rest.substr(space + 1), head);
}

/// Moves the authority of "http://host?query" one byte to the left, over the second slash, so that there is
/// room for the "/" that the target lacks (RFC 9112 3.2.1). `chunk` is the memory that the head's views look
/// into.
void make_room_for_slash(char* chunk, std::string_view& authority, std::string_view& target) {
  char* const begin = chunk + (authority.data() - chunk);
  std::memmove(begin - 1, begin, authority.size());
  begin[authority.size() - 1] = '/';
  authority = {begin - 1, authority.size()};
  target = {begin + authority.size() - 1, target.size() + 1};
}

/// absolute-form, RFC 9112 3.2.2: its authority wins over Host, what is left is an origin-form.
Verdict take_absolute_target(char* chunk, RequestHead& head) {
  const auto colon = head.target.find("://");
  if (colon == head.target.npos) return kBadTarget;
  const std::string_view scheme = head.target.substr(0, colon);
  head.says_https = equals_ignoring_case(scheme, "https");
  if (!head.says_https && !equals_ignoring_case(scheme, "http")) return kBadTarget;
  const std::string_view rest = head.target.substr(colon + 3);
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  head.authority = rest.substr(0, end);
  head.target = rest.substr(end);
  if (!upstream::is_host(head.authority)) return kBadHost;
  if (head.target.empty()) {
    head.target = head.method == Method::kOptions ? "*" : "/";  // RFC 9112 3.2.4
  } else if (head.target.front() == '?') {
    make_room_for_slash(chunk, head.authority, head.target);
  }
  return {};
}

/// authority-form, RFC 9112 3.2.3: "host:port".
Verdict take_authority_target(RequestHead& head) {
  const auto colon = head.target.rfind(':');
  const bool has_port =
      colon != head.target.npos && colon + 1 < head.target.size() && head.target.back() != ']';
  if (!has_port || !upstream::is_host(head.target)) return kBadTarget;
  head.authority = head.target;
  return {};
}

Verdict take_target(char* chunk, RequestHead& head) {
  if (head.method == Method::kConnect) return take_authority_target(head);
  if (head.target == "*") {
    if (head.method != Method::kOptions) return kBadTarget;
  } else if (head.target.front() != '/') {
    if (const Verdict refused = take_absolute_target(chunk, head)) return refused;
  }
  const auto mark = std::min(head.target.find('?'), head.target.size());
  head.path = head.target.substr(0, mark);
  head.query = head.target.substr(std::min(mark + 1, head.target.size()));
  return {};
}

/// What the fields of a head say about the message, gathered in one pass.
struct Said {
  std::string_view host, length, coding, upgrade;
  unsigned hosts = 0, lengths = 0, codings = 0, upgrades = 0;
  bool close = false, keep_alive = false, connection_upgrade = false;
};

void take_connection(std::string_view value, Said& said) {
  upstream::ListMembers members(value);
  while (const auto member = members.next()) {
    said.close = said.close || equals_ignoring_case(*member, "close");
    said.keep_alive = said.keep_alive || equals_ignoring_case(*member, "keep-alive");
    said.connection_upgrade = said.connection_upgrade || equals_ignoring_case(*member, "upgrade");
  }
}

Said read_fields(RequestHead& head) {
  Said said;
  for (const upstream::Field& field : head.fields) {
    if (field.id == FieldId::kOther) continue;
    if (field.id == FieldId::kHost) {
      said.host = field.value;
      ++said.hosts;
    } else if (field.id == FieldId::kContentLength) {
      said.length = field.value;
      ++said.lengths;
    } else if (field.id == FieldId::kTransferEncoding) {
      said.coding = field.value;
      ++said.codings;
    } else if (field.id == FieldId::kConnection) {
      take_connection(field.value, said);
    } else if (field.id == FieldId::kUpgrade) {
      said.upgrade = field.value;
      ++said.upgrades;
    } else if (field.id == FieldId::kTe) {
      head.takes_trailers = head.takes_trailers || upstream::has_member(field.value, "trailers");
    } else if (field.id == FieldId::kExpect && equals_ignoring_case(field.value, "100-continue")) {
      head.expects_continue = head.version == Version::kHttp11;
    }
  }
  return said;
}

/// RFC 9112 3.2: one, and a valid one; none at all only in HTTP/1.0.
Verdict take_host(const Said& said, RequestHead& head) {
  if (said.hosts > 1) return Refusal{400, "Host stands twice"};
  if (said.hosts == 0) {
    if (head.version == Version::kHttp10) return {};
    return Refusal{400, "Host is missing"};
  }
  if (!upstream::is_host(said.host)) return kBadHost;
  if (head.authority.empty()) head.authority = said.host;
  return {};
}

/// RFC 9112 6.1: chunked, the last coding and once, is all we decode.
Verdict take_coding(const Said& said, RequestHead& head) {
  if (said.lengths > 0) return Refusal{400, "Transfer-Encoding stands beside Content-Length"};
  if (head.version == Version::kHttp10) return Refusal{400, "Transfer-Encoding in HTTP/1.0"};
  head.framing = Framing::kChunked;
  if (said.codings == 1 && equals_ignoring_case(said.coding, "chunked")) return {};
  for (const upstream::Field& field : head.fields) {
    if (field.id != FieldId::kTransferEncoding) continue;
    upstream::ListMembers members(field.value);
    while (const auto member = members.next()) {
      if (upstream::is_token(*member) && !equals_ignoring_case(*member, "chunked")) {
        return Refusal{501, "the transfer coding is unknown"};
      }
    }
  }
  return Refusal{400, "Transfer-Encoding is not chunked, once"};
}

Verdict take_framing(const Said& said, RequestHead& head) {
  if (said.codings > 0) return take_coding(said, head);
  if (said.lengths == 0) return {};
  // RFC 9112 6.3 would let us take "5, 5" for 5. Others take the first, or the last.
  if (said.lengths > 1) return Refusal{400, "Content-Length stands twice"};
  const auto length = upstream::parse_length(said.length);
  if (!length) return Refusal{400, "Content-Length is not a number"};
  head.content_length = *length;
  head.framing = *length > 0 ? Framing::kLength : Framing::kNone;
  return {};
}

/// An app that switches to another HTTP gets requests that we have not seen: h2c and TLS are never asked for
/// on a client's behalf.
bool is_another_http(std::string_view upgrade) {
  upstream::ListMembers members(upgrade);
  while (const auto member = members.next()) {
    const std::string_view name = member->substr(0, member->find('/'));
    for (const std::string_view refused : {"h2c", "h2", "http", "tls"}) {
      if (equals_ignoring_case(name, refused)) return true;
    }
  }
  return false;
}

/// RFC 9110 7.8. One with a body would have to be read to its end first: then it is an ordinary request.
void take_upgrade(const Said& said, RequestHead& head) {
  const bool may = said.connection_upgrade && said.upgrades == 1 && head.version == Version::kHttp11 &&
                   head.framing == Framing::kNone && head.method != Method::kConnect;
  if (may && !said.upgrade.empty() && !is_another_http(said.upgrade)) head.upgrade = said.upgrade;
}

/// Everything behind the request-line.
Verdict take_meaning(char* chunk, RequestHead& head) {
  if (const Verdict refused = take_target(chunk, head)) return refused;
  const Said said = read_fields(head);
  if (const Verdict refused = take_host(said, head)) return refused;
  if (const Verdict refused = take_framing(said, head)) return refused;
  take_upgrade(said, head);
  // Behind a CONNECT come bytes of a tunnel that there will not be: none of them is a request.
  head.keep_alive =
      !said.close && (head.version == Version::kHttp11 || said.keep_alive) && head.method != Method::kConnect;
  return {};
}

}  // namespace

void H1Reader::begin(runtime::Bytes max_head, std::size_t max_fields) {
  max_head_ = max_head;
  max_fields_ = max_fields;
  state_ = State::kStart;
  empty_line_seen_ = false;
}

void H1Reader::next_message() {
  state_ = State::kStart;
  if (!chunked_.trailers().empty()) chunked_.begin();
  empty_line_seen_ = false;
}

Step H1Reader::next(runtime::InBuffer& in, RequestHead& head, runtime::Slice& body) {
  switch (state_) {
    case State::kStart:
      return begin_head(in, head);
    case State::kHead:
      return read_head(in, head);
    case State::kLength:
      return read_length(in, body);
    case State::kChunked:
      return read_chunked(in, body);
    case State::kEnd:
      return Step::kEnd;
    case State::kBroken:
      return Step::kBroken;
  }
  return Step::kBroken;
}

Step H1Reader::refuse(const Refusal& refusal) {
  refusal_ = refusal;
  state_ = State::kBroken;
  return Step::kBroken;
}

Step H1Reader::refuse_head() {
  using upstream::HeadFault;
  const std::string_view reason = upstream::describe(lines_.fault());
  switch (lines_.fault()) {
    case HeadFault::kTooLarge:
      if (!lines_.has_start_line()) return refuse({414, "the request-line is too long"});
      return refuse({431, reason});
    case HeadFault::kTooManyFields:
      return refuse({431, reason});
    case HeadFault::kNone:
    case HeadFault::kBareLineFeed:
    case HeadFault::kFolded:
    case HeadFault::kBadField:
      break;
  }
  return refuse({400, reason});
}

/// Up to the first byte of the request-line.
Step H1Reader::begin_head(runtime::InBuffer& in, RequestHead& head) {
  std::string_view bytes = in.bytes();
  if (bytes.starts_with("\r\n") && !empty_line_seen_) {
    empty_line_seen_ = true;
    in.consume(2);
    bytes = in.bytes();
  }
  if (bytes.empty() || (bytes == "\r" && !empty_line_seen_)) return Step::kMore;
  // Whatever does not begin with a method is refused before it has a line: a TLS client at a plain port, for
  // one.
  if (!upstream::is_token_char(bytes.front())) return refuse(kBadRequestLine);
  head.clear();
  lines_.begin(max_head_, max_fields_);
  state_ = State::kHead;
  return read_head(in, head);
}

Step H1Reader::read_head(runtime::InBuffer& in, RequestHead& head) {
  for (;;) {
    const auto got = lines_.next(in.bytes(), head.fields);
    if (got != upstream::HeadReader::Got::kStartLine) follow(head);
    switch (got) {
      case upstream::HeadReader::Got::kMore:
        return Step::kMore;
      case upstream::HeadReader::Got::kStartLine:
        if (lines_.start_line().size() > max_head_ / 2) return refuse({414, "the request-line is too long"});
        if (const Verdict refused = take_request_line(lines_.start_line(), head)) return refuse(*refused);
        break;
      case upstream::HeadReader::Got::kHead:
        return finish_head(in, head);
      case upstream::HeadReader::Got::kBroken:
        return refuse_head();
    }
  }
}

/// The buffer may have moved since the request-line came: what looks into it is taken anew.
void H1Reader::follow(RequestHead& head) {
  const std::string_view line = lines_.start_line();
  if (!line.empty() && head.method_text.data() != line.data()) take_request_line(line, head);
}

Step H1Reader::finish_head(runtime::InBuffer& in, RequestHead& head) {
  if (const Verdict refused = take_meaning(in.chunk().data(), head)) return refuse(*refused);
  in.consume(lines_.size());
  left_ = head.content_length;
  switch (head.framing) {
    case Framing::kNone:
    case Framing::kToClose:  // answers only
      state_ = State::kEnd;
      break;
    case Framing::kLength:
      state_ = State::kLength;
      break;
    case Framing::kChunked:
      state_ = State::kChunked;
      chunked_.begin();
      break;
  }
  return Step::kHead;
}

Step H1Reader::read_length(runtime::InBuffer& in, runtime::Slice& body) {
  if (in.is_empty()) return Step::kMore;
  body = in.take(static_cast<runtime::Bytes>(std::min<std::uint64_t>(left_, in.bytes().size())));
  left_ -= body.size;
  if (left_ == 0) state_ = State::kEnd;
  return Step::kBody;
}

Step H1Reader::read_chunked(runtime::InBuffer& in, runtime::Slice& body) {
  const Step step = chunked_.next(in, body);
  if (step == Step::kBroken) return refuse({400, chunked_.complaint()});
  if (step == Step::kEnd) state_ = State::kEnd;
  return step;
}

}  // namespace proxy
