#include "upstream/worker_protocol.h"

#include <algorithm>
#include <optional>

#include "upstream/grammar.h"

namespace upstream {
namespace {

void write_frame_head(const Frame& frame, runtime::ByteQueue& out) {
  put_frame_head(out.reserve(Frame::kHeadSize), frame);
  out.wrote(Frame::kHeadSize);
}

/// Takes the text up to the next NUL off the front.
std::string_view next_text(std::string_view& rest) {
  const auto end = std::min(rest.find('\0'), rest.size());
  const std::string_view text = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return text;
}

/// A field of a head, or of trailers. Nothing: it is none.
std::optional<Field> next_field(std::string_view& rest) {
  const std::string_view name = next_text(rest);
  const std::string_view value = runtime::trim(next_text(rest));
  if (!is_token(name) || !is_field_value(value)) return std::nullopt;
  return Field{name, value, identify(name)};
}

}  // namespace

void write_body_frame(runtime::Slice piece, bool last, runtime::ByteQueue& out) {
  while (piece.size > kMostBodyFrame) {
    write_body_frame({piece.chunk, piece.data, kMostBodyFrame}, false, out);
    piece.data += kMostBodyFrame;
    piece.size -= kMostBodyFrame;
  }
  if (piece.size == 0 && !last) return;
  write_frame_head({.length = static_cast<std::uint32_t>(piece.size),
                    .type = Frame::kRequestBody,
                    .flags = last ? Frame::kLastFlag : std::uint8_t{0}},
                   out);
  out.append(std::move(piece));
}

void write_abandon(runtime::ByteQueue& out) {
  write_frame_head({.type = Frame::kAbandon}, out);
}

void WorkerAnswerReader::begin(Method method, bool asked_upgrade) {
  *this = WorkerAnswerReader();
  method_ = method;
  asked_upgrade_ = asked_upgrade;
}

Step WorkerAnswerReader::next(runtime::InBuffer& in, ResponseHead& head, runtime::Slice& body) {
  while (!is_broken_) {
    if (!in_frame_) {
      if (done_seen_) {
        has_surplus_ = has_surplus_ || !in.is_empty();
        return Step::kEnd;
      }
      if (!begin_frame(in)) return is_broken_ ? Step::kBroken : Step::kMore;
    }
    if (frame_.type == Frame::kHead || frame_.type == Frame::kInterim) return take_head(in, head);
    if (frame_.type == Frame::kTrailers) {
      if (const Step step = take_trailers(in); step != Step::kEnd) return step;
      continue;
    }
    if (frame_.length > 0) return take_body(in, body);
    if (frame_.type == Frame::kNotTaken) {
      was_not_taken_ = true;
      return broken("the worker did not take the request");
    }
    end_frame();
  }
  return Step::kBroken;
}

Step WorkerAnswerReader::broken(std::string_view complaint) {
  complaint_ = complaint;
  is_broken_ = true;
  return Step::kBroken;
}

/// Takes the head of a frame. False: it is not whole yet, or a broken one.
bool WorkerAnswerReader::begin_frame(runtime::InBuffer& in) {
  const std::string_view bytes = in.bytes();
  if (bytes.size() < Frame::kHeadSize) return false;
  const auto byte = [bytes](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  frame_.length = byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
  frame_.type = static_cast<std::uint8_t>(byte(4));
  frame_.flags = static_cast<std::uint8_t>(byte(5));
  std::string_view complaint = complaint_about(frame_);
  if (byte(6) != 0 || byte(7) != 0) complaint = "a frame's last two bytes are not zero";
  if (!complaint.empty()) return broken(complaint), false;
  in.consume(Frame::kHeadSize);
  in_frame_ = true;
  return true;
}

/// Why this frame may not come now; empty: it may.
std::string_view WorkerAnswerReader::complaint_about(const Frame& frame) const {
  if ((frame.flags & ~(Frame::kLastFlag | Frame::kDoneFlag)) != 0) return "a frame has an unknown flag";
  const bool lets_go = frame.type == Frame::kDone || (frame.is_done() && frame.type != Frame::kNotTaken);
  if (lets_go && !frame.is_last() && !last_seen_ && !is_abandoned_) return "the worker let go before its answer was whole";
  switch (frame.type) {
    case Frame::kInterim:
      if (frame.flags != 0) return "an interim answer claims to be the last of something";
      if (interim_ == kMostInterim) return "there are too many interim answers";
      [[fallthrough]];
    case Frame::kHead:
      if (frame.length > kMostHeadFrame) return "a head is longer than a frame may be";
      return head_seen_ ? "a second head" : "";
    case Frame::kBody:
      if (frame.length > kMostBodyFrame) return "a piece of the body is longer than a frame may be";
      if (!head_seen_ || last_seen_) return "a body without a head, or behind its end";
      if (framing_ == Framing::kNone && frame.length > 0) return "a body where there can be none";
      if (framing_ != Framing::kLength) return "";
      if (frame.length > body_left_) return "the body is longer than its Content-Length";
      return frame.is_last() && frame.length < body_left_ ? "the body is shorter than its Content-Length"
                                                          : "";
    case Frame::kTrailers:
      if (frame.length > kMostTrailersFrame) return "trailers are longer than they may be";
      if (!head_seen_ || last_seen_ || !frame.is_last()) return "trailers that are not behind a body, or not its end";
      return framing_ == Framing::kNone || is_tunnel_ ? "trailers where there can be none" : "";
    case Frame::kDone:
      return frame.length > 0 || frame.is_last() ? "a done frame with a payload or an end" : "";
    case Frame::kNotTaken:
      return frame.length > 0 || head_seen_ ? "a refusal with a payload or behind a head" : "";
    default:
      return "a frame of unknown type";
  }
}

Step WorkerAnswerReader::take_head(runtime::InBuffer& in, ResponseHead& head) {
  const std::string_view payload = in.bytes().substr(0, frame_.length);
  if (payload.size() < frame_.length) return Step::kMore;
  const bool is_interim = frame_.type == Frame::kInterim;
  head.clear();
  if (!take_fields(payload, head)) return Step::kBroken;
  if (head.is_interim() != is_interim || (head.status == 101 && (is_interim || !asked_upgrade_)))
    return broken("the status does not fit its frame");
  in.consume(payload.size());
  if (is_interim) {
    ++interim_;
    in_frame_ = false;
    return Step::kInterim;
  }
  head_seen_ = true;
  return take_framing(head) && end_frame() ? Step::kHead : Step::kBroken;
}

bool WorkerAnswerReader::take_fields(std::string_view payload, ResponseHead& head) {
  constexpr std::size_t kUpToReason = 4;  // "200 "
  std::string_view rest = payload;
  const std::string_view status_line = next_text(rest);
  const auto status = runtime::parse_number(status_line.substr(0, 3));
  const bool has_reason = status_line.size() > 3;
  if (!status || *status < 100 || *status > 599 || (has_reason && status_line[3] != ' ') ||
      !is_field_value(status_line)) {
    return broken("the status line is none"), false;
  }
  head.status = static_cast<std::uint16_t>(*status);
  head.reason = has_reason ? status_line.substr(kUpToReason) : std::string_view();
  if (static_cast<std::size_t>(std::count(payload.begin(), payload.end(), '\0')) % 2 != 0) {
    return broken("a field has a name and no value"), false;
  }
  for (std::size_t left = payload.size() - status_line.size(); left > 0; left = rest.size()) {
    if (head.fields.size() == kMaxFields) return broken("the head has too many fields"), false;
    const auto field = next_field(rest);
    if (!field) return broken("a field is none"), false;
    head.fields.push_back(*field);
  }
  return true;
}

/// A body without Content-Length ends with the frame that says `last`.
bool WorkerAnswerReader::take_framing(ResponseHead& head) {
  bool has_length = false;
  for (const Field& field : head.fields) {
    if (field.id != FieldId::kContentLength) continue;
    const auto length = parse_length(field.value);
    if (has_length) return broken("Content-Length stands twice"), false;
    if (!length) return broken("Content-Length is not a number"), false;
    has_length = true;
    head.content_length = *length;
  }
  const bool has_no_body = method_ == Method::kHead || head.status == 204 || head.status == 304;
  const bool has_end =
      has_length || frame_.is_last();  // without a length, and no body follows: it is 0 bytes long
  is_tunnel_ = head.status == 101;
  framing_ = has_no_body ? Framing::kNone : has_end ? Framing::kLength : Framing::kChunked;
  head.framing = is_tunnel_ ? Framing::kNone : framing_;  // what follows is a tunnel, and no body of this answer
  body_left_ = framing_ == Framing::kLength ? head.content_length : 0;
  return true;
}

Step WorkerAnswerReader::take_body(runtime::InBuffer& in, runtime::Slice& body) {
  if (in.is_empty()) return Step::kMore;
  const runtime::Bytes n = std::min<runtime::Bytes>(frame_.length, in.bytes().size());
  body = in.take(n);
  if (framing_ == Framing::kLength) body_left_ -= n;
  frame_.length -= static_cast<std::uint32_t>(n);
  return frame_.length > 0 || end_frame() ? Step::kBody : Step::kBroken;
}

/// kEnd: the frame is read.
Step WorkerAnswerReader::take_trailers(runtime::InBuffer& in) {
  const std::string_view payload = in.bytes().substr(0, frame_.length);
  if (payload.size() < frame_.length) return Step::kMore;
  if (!payload.empty() && std::count(payload.begin(), payload.end(), '\0') % 2 != 1) return broken("a trailer has a name and no value");
  std::string_view rest = payload;
  while (!rest.empty()) {
    const auto field = next_field(rest);
    if (!field) return broken("a trailer is no field");
    trailers_.append(field->name).append(": ").append(field->value).append("\r\n");
  }
  in.consume(payload.size());
  return end_frame() ? Step::kEnd : Step::kBroken;
}

/// The frame is read; what its flags say is now true. False: it cannot be.
bool WorkerAnswerReader::end_frame() {
  in_frame_ = false;
  if (frame_.is_last()) {
    if (body_left_ > 0)
      return broken("the body is shorter than its Content-Length"), false;  // `last` in its head
    last_seen_ = true;
  }
  done_seen_ = frame_.is_done() || frame_.type == Frame::kDone;
  return true;
}

}  // namespace upstream
