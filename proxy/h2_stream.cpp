#include "proxy/h2_stream.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "proxy/h2_session.h"
#include "proxy/h2_wire.h"
#include "upstream/chunked_reader.h"
#include "upstream/field_set.h"
#include "upstream/grammar.h"
#include "upstream/put.h"

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::Slice;
using upstream::Field;
using upstream::FieldId;
using upstream::Framing;
using upstream::ResponseHead;

/// RFC 9113 8.2.2: what belongs to a connection has no place in HTTP/2. The exchange has taken them out;
/// should one be left, the client would have to treat the answer as malformed. RFC 8441 5: nor is there an
/// Accept.
constexpr upstream::FieldSet kNotInHttp2{FieldId::kConnection,      FieldId::kKeepAlive,
                                         FieldId::kProxyConnection, FieldId::kTransferEncoding,
                                         FieldId::kUpgrade,         FieldId::kSecWebsocketAccept};

std::uint8_t* bytes_of(std::string_view text) {
  // nghttp2 copies what it is given; its type says otherwise.
  return static_cast<std::uint8_t*>(static_cast<void*>(const_cast<char*>(text.data())));
}

/// The fields of an answer as nghttp2 wants them. One at a time on a thread: it keeps its capacity.
class Block {
 public:
  Block() { pairs_.clear(); }

  void add(std::string_view name, std::string_view value) {
    pairs_.push_back({bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  void add_status(std::uint16_t status) {
    digits_ = {static_cast<char>('0' + status / 100 % 10), static_cast<char>('0' + status / 10 % 10),
               static_cast<char>('0' + status % 10)};
    add(":status", {digits_.data(), digits_.size()});
  }
  /// nghttp2 writes names in lower case.
  void add_fields(const ResponseHead& head, bool with_length) {
    for (const Field& field : head.fields) {
      if (kNotInHttp2.has(field.id) || (field.id == FieldId::kContentLength && !with_length)) continue;
      add(field.name, field.value);
    }
  }
  const nghttp2_nv* data() const { return pairs_.data(); }
  std::size_t size() const { return pairs_.size(); }

 private:
  static thread_local std::vector<nghttp2_nv> pairs_;
  std::array<char, 3> digits_{};
};
thread_local std::vector<nghttp2_nv> Block::pairs_;

constexpr Bytes kSmall = 1024;

/// The first small piece of a body, copied into a chunk that it shares with those of other streams. Most
/// answers are nothing more, and a chunk for each of them would be memory that no cache has seen lately. Only
/// the first: so a stream keeps alive one such chunk at most.
Slice share(std::string_view bytes) {
  thread_local runtime::Chunk chunk;
  thread_local Bytes used = 0;
  if (!chunk || chunk.capacity() - used < bytes.size()) {
    chunk = runtime::Chunk::make();
    used = 0;
  } else if (!chunk.is_shared()) {
    used = 0;
  }
  char* const at = chunk.data() + used;
  std::memcpy(at, bytes.data(), bytes.size());
  used += bytes.size();
  return {chunk, at, bytes.size()};
}

}  // namespace

H2Stream::H2Stream(H2Session& session, std::int32_t id, ExchangeHandle exchange)
    : session_(session), id_(id), exchange_(std::move(exchange)) {}

// ---- what the client does ----

void H2Stream::begin() {
  has_begun_ = true;
  is_tunnel_ = !exchange_->request().upgrade.empty();
  exchange_->begin(*this, session_.facts());
}

void H2Stream::refuse(std::uint16_t status, std::string_view reason) {
  has_begun_ = true;
  exchange_->refuse(*this, session_.facts(), status, reason);
}

void H2Stream::on_body(std::string_view bytes) {
  while (!bytes.empty() && !body_stopped_ && !exchange_->has_ended()) {
    Slice piece = copy_in(bytes);
    held_ += piece.size;
    if (has_begun_) {
      give(std::move(piece));
    } else {
      session_.body_is_early(*this, std::move(piece));
    }
  }
  if (bytes.empty()) return;
  // Nobody wants it any more, but there are clients that must send all of it.
  nghttp2_session_consume(session_.wire(), id_, bytes.size());
  if (lingers()) linger_.go_on(session_.now());
}

/// The front of `bytes`, copied behind what came before. Into a chunk of the stream's own: so no stream keeps
/// alive the memory that another one has filled.
Slice H2Stream::copy_in(std::string_view& bytes) {
  constexpr Bytes kWorthwhile = 1024;
  const Bytes room = in_ ? in_.capacity() - in_used_ : 0;
  if (room == 0 || (room < kWorthwhile && room < bytes.size())) {
    in_ = runtime::Chunk::make();
    in_used_ = 0;
  }
  const Bytes n = std::min(bytes.size(), in_.capacity() - in_used_);
  Slice piece{in_, in_.data() + in_used_, n};
  std::memcpy(in_.data() + in_used_, bytes.data(), n);
  in_used_ += n;
  bytes.remove_prefix(n);
  return piece;
}

/// Bounded as those of a chunked body are.
void H2Stream::on_trailer(std::string_view name, std::string_view value) {
  const Bytes size = name.size() + value.size() + upstream::kAroundField;
  has_many_trailers_ =
      has_many_trailers_ || request_trailers_.size() + size > upstream::ChunkedReader::kMostExtra;
  if (has_many_trailers_ || exchange_->has_ended()) return;
  request_trailers_.append(name).append(": ").append(value).append("\r\n");
}

void H2Stream::on_body_end() {
  request_ended_ = true;
  in_ = runtime::Chunk();
  if (has_begun_) give_end();
}

void H2Stream::on_early_body(Slice piece) {
  give(std::move(piece));
}

void H2Stream::on_early_end() {
  if (request_ended_) give_end();
}

/// Before the app has agreed to the tunnel it would take what comes for its next request.
void H2Stream::give(Slice piece) {
  if (exchange_->has_ended()) return;
  if (is_tunnel_ && !is_open_) return for_tunnel_.append(std::move(piece));
  exchange_->on_body(std::move(piece));
}

void H2Stream::give_end() {
  if (exchange_->has_ended() || (is_tunnel_ && !is_open_)) return;
  if (has_many_trailers_) return exchange_->refuse(*this, session_.facts(), 431, "trailers are too long");
  exchange_->on_body_end(request_trailers_);
}

void H2Stream::on_tunnel_open() {
  is_open_ = true;
  while (!for_tunnel_.is_empty()) give(for_tunnel_.take_first());
  if (request_ended_) give_end();
}

void H2Stream::gone(const Outcome& why) {
  if (has_begun_) exchange_->client_gone(why);
}

void H2Stream::closed() {
  gone(kClientGone);
  session_.has_gone(body_.size());
  if (held_ > 0) nghttp2_session_consume_connection(session_.wire(), std::exchange(held_, 0));
}

void H2Stream::reset(const Outcome& why) {
  is_cut_ = true;
  gone(why);
  nghttp2_submit_rst_stream(session_.wire(), NGHTTP2_FLAG_NONE, id_, NGHTTP2_CANCEL);
  session_.flush_soon();
}

void H2Stream::stop() {
  is_cut_ = true;
  nghttp2_submit_rst_stream(session_.wire(), NGHTTP2_FLAG_NONE, id_, NGHTTP2_NO_ERROR);
  session_.flush_soon();
}

// ---- ClientStream ----

void H2Stream::send_interim(const ResponseHead& head) {
  Block block;
  block.add_status(head.status);
  block.add_fields(head, /*with_length=*/false);
  nghttp2_submit_headers(session_.wire(), NGHTTP2_FLAG_NONE, id_, nullptr, block.data(), block.size(),
                         nullptr);
  session_.flush_soon();
}

void H2Stream::send_head(const ResponseHead& head) {
  const bool opens = is_tunnel_ && head.status == 101;
  if (is_tunnel_ && !opens) stop_body();
  Block block;
  block.add_status(opens ? 200 : head.status);  // RFC 8441 5
  block.add_fields(head, /*with_length=*/head.framing == Framing::kLength || head.framing == Framing::kNone);
  if (upstream::find(head.fields, FieldId::kDate) == nullptr) block.add("date", session_.date());
  const nghttp2_data_provider body = body_provider(*this);
  const bool has_body = opens || (head.framing != Framing::kNone &&
                                  !(head.framing == Framing::kLength && head.content_length == 0));
  nghttp2_submit_response(session_.wire(), id_, block.data(), block.size(), has_body ? &body : nullptr);
  session_.flush_soon();
}

void H2Stream::send_body(Slice piece) {
  if (is_cut_) return;
  session_.is_owed(piece.size);
  if (body_.is_empty()) {
    moved_ = session_.now();
    if (piece.size <= kSmall) piece = share(piece.view());
    body_.append_carried(std::move(piece));
  } else {
    body_.append(std::move(piece));
  }
  was_full_ = was_full_ || body_.size() >= kHighMark;
  go_on();
}

Bytes H2Stream::unsent() const {
  return session_.is_laden() ? std::max(body_.size(), kHighMark + 1) : body_.size();
}

void H2Stream::end_body(std::string_view trailers) {
  body_ended_ = true;
  trailers_ = trailers;
  if (body_.is_empty()) moved_ = session_.now();  // END_STREAM alone may have to wait for a window, too
  go_on();
}

void H2Stream::go_on() {
  if (std::exchange(is_waiting_, false)) nghttp2_session_resume_data(session_.wire(), id_);
  session_.flush_soon();
}

void H2Stream::cut() {
  is_cut_ = true;  // what nghttp2 was offered of the body stays: it may be on its way
  nghttp2_submit_rst_stream(session_.wire(), NGHTTP2_FLAG_NONE, id_, NGHTTP2_INTERNAL_ERROR);
  session_.flush_soon();
}

void H2Stream::become_tunnel() {
  session_.tunnel_opened(*this);
}

/// What came of the body, or for a tunnel whose app has gone, nobody waits for any more: it holds no memory,
/// and takes none of the connection's window from the others.
void H2Stream::exchange_ended() {
  body_stopped_ = true;
  in_ = runtime::Chunk();
  for_tunnel_.clear();
  body_taken(held_);
  if (is_sent_) answer_sent();
}

void H2Stream::body_taken(Bytes n) {
  n = std::min(n, held_);
  held_ -= n;
  if (n == 0) return;
  nghttp2_session_consume(session_.wire(), id_, n);
  session_.flush_soon();
}

// ---- while nghttp2 writes ----

H2Stream::Offer H2Stream::offer(Bytes most) {
  const Bytes size = std::min(most, body_.size());
  const bool is_last = body_ended_ && size == body_.size();
  is_waiting_ = size == 0 && !is_last;
  return {size, is_last};
}

void H2Stream::move_body(Bytes n, runtime::ByteQueue& out) {
  assert(n <= body_.size());
  moved_ = session_.now();
  session_.has_gone(n);
  while (n > 0) {
    Slice piece = body_.at(0);
    piece.size = std::min(piece.size, n);
    n -= piece.size;
    body_.drop(piece.size);
    out.append(std::move(piece));
  }
  if (was_full_ && body_.size() <= kLowMark) {
    was_full_ = false;
    session_.room_came(*this);
  }
}

/// RFC 9113 8.1: a HEADERS frame that ends the stream.
bool H2Stream::begin_trailers() {
  if (trailers_.empty()) return false;
  Block block;
  for (std::string_view rest = trailers_; !rest.empty();) {
    const std::size_t end = rest.find("\r\n");
    if (const auto field = upstream::parse_field_line(rest.substr(0, end)))
      block.add(field->name, field->value);
    rest.remove_prefix(end + 2);
  }
  return nghttp2_submit_trailer(session_.wire(), id_, block.data(), block.size()) == 0;
}

/// From here to the end of its body curl 7.88 reads nothing more, windows neither: so it gets one that lasts
/// for most bodies.
void H2Stream::answer_sent() {
  is_sent_ = true;
  exchange_->answer_taken();
  if (!lingers()) return;
  linger_.begin(session_.now());
  nghttp2_session_set_local_window_size(session_.wire(), NGHTTP2_FLAG_NONE, id_, kConnectionWindow);
}

}  // namespace proxy
