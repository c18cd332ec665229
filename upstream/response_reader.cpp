#include "upstream/response_reader.h"

#include <algorithm>
#include <limits>

#include "upstream/grammar.h"

namespace upstream {

void ResponseReader::begin(Method method, bool asked_upgrade) {
  *this = ResponseReader();
  method_ = method;
  asked_upgrade_ = asked_upgrade;
  lines_.begin(kMaxHead, kMaxFields);
}

Step ResponseReader::next(runtime::InBuffer& in, ResponseHead& head, runtime::Slice& body) {
  switch (state_) {
    case State::kHead:
      return read_head(in, head);
    case State::kLength:
      if (left_ == 0) return ended(in);
      [[fallthrough]];
    case State::kToClose:
      if (in.is_empty()) return Step::kMore;
      body = in.take(static_cast<runtime::Bytes>(std::min<std::uint64_t>(left_, in.bytes().size())));
      if (state_ == State::kLength) left_ -= body.size;
      return Step::kBody;
    case State::kChunked: {
      const Step step = chunked_.next(in, body);
      if (step == Step::kBroken) return broken(chunked_.complaint());
      return step == Step::kEnd ? ended(in) : step;
    }
    case State::kTunnel:
      return Step::kMore;
    case State::kEnd:
      return ended(in);
    case State::kBroken:
      return Step::kBroken;
  }
  return Step::kBroken;
}

Step ResponseReader::on_close() {
  keep_alive_ = false;
  switch (state_) {
    case State::kLength:
      if (left_ > 0) break;
      [[fallthrough]];
    case State::kToClose:
    case State::kEnd:
      state_ = State::kEnd;
      return Step::kEnd;
    case State::kHead:
      return broken(lines_.has_start_line() ? "the head is cut off" : "there is no answer");
    case State::kChunked:
    case State::kTunnel:
    case State::kBroken:
      break;
  }
  return broken("the body is cut off");
}

Step ResponseReader::broken(std::string_view complaint) {
  if (state_ != State::kBroken) complaint_ = complaint;
  state_ = State::kBroken;
  return Step::kBroken;
}

/// A byte behind the answer is one that nobody asked for: an app that miscounts, or a second answer for the
/// next request.
Step ResponseReader::ended(const runtime::InBuffer& in) {
  state_ = State::kEnd;
  has_surplus_ = has_surplus_ || !in.is_empty();
  return Step::kEnd;
}

Step ResponseReader::read_head(runtime::InBuffer& in, ResponseHead& head) {
  if (in.is_empty()) return Step::kMore;
  if (!lines_.has_start_line()) head.clear();
  for (;;) {
    switch (lines_.next(in.bytes(), head.fields)) {
      case HeadReader::Got::kMore:
        return Step::kMore;
      case HeadReader::Got::kStartLine:
        if (!take_status_line(lines_.start_line(), head)) return Step::kBroken;
        break;
      case HeadReader::Got::kHead:
        head.reason = lines_.start_line().substr(std::min<std::size_t>(13, lines_.start_line().size()));
        in.consume(lines_.size());
        return finish_head(head);
      case HeadReader::Got::kBroken:
        return broken(describe(lines_.fault()));
    }
  }
}

/// "HTTP/1.1 200 OK"; the reason, and the space before it, may be missing (RFC 9112 4).
bool ResponseReader::take_status_line(std::string_view line, ResponseHead& head) {
  constexpr std::string_view kUpToMinor = "HTTP/1.";
  constexpr std::size_t kUpToCode = 9, kUpToReason = 13;  // "HTTP/1.1 ", "HTTP/1.1 200 "
  if (line.size() < kUpToReason - 1 || !line.starts_with(kUpToMinor) || (line[7] != '0' && line[7] != '1') ||
      line[8] != ' ' || (line.size() >= kUpToReason && line[kUpToReason - 1] != ' ')) {
    return broken("the status line is none"), false;
  }
  const auto code = runtime::parse_number(line.substr(kUpToCode, 3));
  if (!code || *code < 100 || *code > 599) return broken("the status is not a number from 100 to 599"), false;
  if (!is_field_value(line.substr(kUpToReason - 1)))
    return broken("the reason has a control character"), false;
  is_http10_ = line[7] == '0';
  head.version = is_http10_ ? Version::kHttp10 : Version::kHttp11;
  head.status = static_cast<std::uint16_t>(*code);
  return true;
}

/// RFC 9112 6.3, but what may be an attack or a bug is broken.
bool ResponseReader::take_framing(ResponseHead& head) {
  bool has_length = false, is_chunked = false, says_close = false, says_keep_alive = false;
  for (const Field& field : head.fields) {
    if (field.id == FieldId::kContentLength) {
      const auto length = parse_length(field.value);
      if (has_length) return broken("Content-Length stands twice"), false;
      if (!length) return broken("Content-Length is not a number"), false;
      has_length = true;
      head.content_length = *length;
    } else if (field.id == FieldId::kTransferEncoding) {
      if (is_chunked || is_http10_ || !runtime::equals_ignoring_case(field.value, "chunked")) {
        return broken("Transfer-Encoding is not chunked, once, in HTTP/1.1"), false;
      }
      is_chunked = true;
    } else if (field.id == FieldId::kConnection) {
      says_close = says_close || has_member(field.value, "close");
      says_keep_alive = says_keep_alive || has_member(field.value, "keep-alive");
    }
  }
  if (has_length && is_chunked) return broken("Content-Length stands beside Transfer-Encoding"), false;
  head.framing = is_chunked ? Framing::kChunked : has_length ? Framing::kLength : Framing::kToClose;
  head.keep_alive = !says_close && (!is_http10_ || says_keep_alive);
  return true;
}

Step ResponseReader::finish_head(ResponseHead& head) {
  if (!take_framing(head)) return Step::kBroken;
  if (head.is_interim()) {
    interim_bytes_ += lines_.size();
    if (++interim_ > kMostInterim) return broken("there are too many interim answers");
    if (interim_bytes_ > kMaxHead) return broken("the interim answers are too long");
    head.framing = Framing::kNone;
    lines_.begin(kMaxHead, kMaxFields);
    return Step::kInterim;
  }
  const bool is_tunnel = head.status == 101;
  if (is_tunnel && !asked_upgrade_) return broken("101 without an Upgrade in the request");
  if (is_tunnel || method_ == Method::kHead || head.status == 204 || head.status == 304)
    head.framing = Framing::kNone;
  head.keep_alive = head.keep_alive && !is_tunnel && head.framing != Framing::kToClose;
  keep_alive_ = head.keep_alive;
  left_ = head.framing == Framing::kLength ? head.content_length : 0;
  switch (head.framing) {
    case Framing::kNone:
      state_ = is_tunnel ? State::kTunnel : State::kEnd;
      break;
    case Framing::kLength:
      state_ = State::kLength;
      break;
    case Framing::kChunked:
      state_ = State::kChunked;
      chunked_.begin();
      break;
    case Framing::kToClose:
      state_ = State::kToClose;
      left_ = std::numeric_limits<std::uint64_t>::max();
      break;
  }
  return Step::kHead;
}

}  // namespace upstream
