#include "proxy/h2_session.h"

#include <algorithm>

#include "proxy/front_thread.h"
#include "proxy/h2_wire.h"
#include "runtime/log.h"

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::Io;
using runtime::Milliseconds;
using runtime::Time;
using namespace std::chrono_literals;

// What one wake-up reads, in pieces and in all: one client must not hold the loop.
constexpr Bytes kReadAtOnce = 64 * 1024;
constexpr Bytes kReadATurn = 256 * 1024;

constexpr Bytes kRecord = 16 * 1024;  // RFC 8446 5.1
constexpr Bytes kPlainBatch = 64 * 1024;
constexpr Bytes kFrameHead = 9;
// A DATA frame that would be shorter than this waits for the next batch.
constexpr Bytes kLeastData = 512;

// What of its answers one client may leave unread, less what is read from a worker at a time: in all 1 MiB.
constexpr Bytes kMostUnsent = 1024 * 1024 - kReadAtOnce;

// Frames that nghttp2 may have queued for a client that reads nothing, before it is not read, either.
constexpr std::size_t kMostQueued = 1000;

// What a client may have been about to send when all was over (RFC 9113 6.8): the connection's window, and as
// much for heads and frames.
constexpr Bytes kMostDiscarded = 2 * 1024 * 1024;
// Who floods us is not waited for as long: to read what he sends costs us more than it costs him to send it.
constexpr Bytes kFloodDiscarded = 64 * 1024;
// Between the two steps of a drain, if the client does not answer the ping.
constexpr Milliseconds kNotice = 1s;

constexpr Outcome kTakesNothing{Fault::kClient, "client took nothing for too long"};
constexpr Outcome kSlowHead{Fault::kClient, "head came too slowly"};

/// Where bytes are read to: one a thread, because nghttp2 keeps nothing of it.
std::span<char> scratch() {
  thread_local const std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(kReadAtOnce);
  return {bytes.get(), kReadAtOnce};
}

Milliseconds tick_for(const conf::Clocks& clocks) {
  return std::clamp<Milliseconds>(std::min({clocks.head, clocks.write_idle, clocks.keep_alive}) / 4, 10ms,
                                  1s);
}

}  // namespace

H2Session::H2Session(Client& client, std::string_view first)
    : client_(client),
      clocks_(client.thread().snapshot().settings.front.clocks),
      tick_(tick_for(clocks_)),
      batch_(client.transport().tls() != nullptr ? kRecord : kPlainBatch),
      head_(client.thread().snapshot().settings.front.max_head, client.thread().snapshot().settings.front.max_fields),
      wire_(make_wire(*this, client.thread().snapshot().settings.front)) {
  began_ = idle_since_ = moved_ = now();
  client_.deadline().arm(tick_);
  flush_soon();
  if (!first.empty()) receive(first);
}

H2Session::~H2Session() = default;

Time H2Session::now() {
  return client_.thread().loop().now();
}

std::string_view H2Session::date() {
  return client_.thread().date();
}

// ---- reading ----

void H2Session::on_readable() {
  if (client_.is_closing()) return;
  if (is_lingering_) return discard();
  for (Bytes in_all = 0;;) {
    Bytes n = 0;
    const Io io = client_.transport().read(scratch(), n);
    if (io == Io::kWant) break;
    // RFC 9113 has no half-close of a connection: who stops sending frames, windows among them, has gone.
    if (io != Io::kProgress) return lost(kClientGone);
    if (!receive({scratch().data(), n})) return;
    if (is_flooded_) break;
    in_all += n;
    if (!client_.transport().has_pending()) break;
    if (in_all >= kReadATurn) {
      client_.read_on();
      break;
    }
  }
  update_reading();
  notice_idleness();
}

/// False: the connection is being closed.
bool H2Session::receive(std::string_view bytes) {
  if (is_flooded_) return true;
  const auto* const data = static_cast<const std::uint8_t*>(static_cast<const void*>(bytes.data()));
  const ssize_t n = nghttp2_session_mem_recv(wire_.get(), data, bytes.size());
  if (is_flooded_ || n == NGHTTP2_ERR_FLOODED || n == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) {
    calm_down();
    return true;
  }
  if (n < 0) {
    runtime::log(runtime::Level::kDebug, "client does not speak HTTP/2",
                 {{"client", facts().peer.text()}, {"cause", nghttp2_strerror(static_cast<int>(n))}});
    lost(kClientGone);
    return false;
  }
  if (!begin_fresh()) {
    lost(kClientGone);
    return false;
  }
  // Also when there is nothing to write any more: flush() sees that all is over.
  if (!out_.is_empty() || nghttp2_session_want_write(wire_.get()) != 0 ||
      nghttp2_session_want_read(wire_.get()) == 0)
    flush_soon();
  return true;
}

/// Every frame costs; progressed() gives back more, to those that brought something. False: enough.
bool H2Session::frame_begins() {
  if (!frames_.spend(now())) calm_down();
  return !is_flooded_;
}

/// Who has its answer may stop sending. Any other reset throws work away (CVE-2023-44487).
void H2Session::reset_came(const H2Stream* stream) {
  if (stream == nullptr || !stream->lingers()) spend_reset();
}

/// Resets of either side, but for those that the exchange or a clock wanted: whoever sends them, the client
/// is why.
void H2Session::spend_reset() {
  if (!resets_.spend(now())) calm_down();
}

/// nghttp2 resets the stream, but first it unpacks the rest of the block, of which it tells no more: a bomb behind an
/// error costs what it would cost without one. So a long block counts as many resets. False: enough.
bool H2Session::block_is_malformed(Bytes size) {
  constexpr Bytes kOne = 128;
  if (!resets_.spend(now(), static_cast<long>(size / kOne))) calm_down();
  return !is_flooded_;
}

/// False: enough. A block that is a little too large is answered 431; a bomb (a few bytes that name an entry
/// of the table again and again, CVE-2016-6581) is not even looked at to its end.
bool H2Session::field_came(Bytes size) {
  constexpr Bytes kAroundField = 32, kTimesTooLarge = 4;  // the first: RFC 9113 6.5.2
  block_size_ += size + kAroundField;
  if (block_size_ <= kTimesTooLarge * head_.most()) return true;
  calm_down();
  return false;
}

/// RFC 9113 5.1.1: streams that the client has passed over are closed, and HEADERS for one of them a
/// connection error. nghttp2 cannot tell them from trailers that crossed a reset of ours, so it reads over
/// them.
void H2Session::headers_begin(std::int32_t stream) {
  if (stream > highest_) {
    if (stream > highest_ + 2) {
      passed_over_ = highest_ + 2;
      went_on_with_ = stream;
    }
    highest_ = stream;
  } else if (stream >= passed_over_ && stream < went_on_with_) {
    nghttp2_session_terminate_session(wire_.get(), NGHTTP2_PROTOCOL_ERROR);
  }
}

/// RFC 9113 6.3, RFC 9218 7.1: only a stream has a priority. nghttp2 looks at it no more than we do.
void H2Session::prioritizes(std::int32_t stream) {
  if (stream == 0) nghttp2_session_terminate_session(wire_.get(), NGHTTP2_PROTOCOL_ERROR);
}

H2Stream* H2Session::request_begins(std::int32_t id) {
  streams_.push_back(std::make_unique<H2Stream>(*this, id, client_.thread().exchanges().take()));
  H2Stream& stream = *streams_.back();
  stream.index_ = streams_.size() - 1;
  head_.begin(stream.exchange().request());
  head_of_ = &stream;
  head_began_ = now();
  // Anew: who has begun to speak goes after those who are silent.
  if (client_.is_idle()) client_.begin_idle();
  tick_soon();
  return &stream;
}

void H2Session::head_is_whole(H2Stream& stream, bool has_body) {
  head_of_ = nullptr;
  client_.end_idle();
  const bool is_request = head_.finish(has_body);
  stream.exchange().keep(head_.chunk());
  if (!is_request) return stream.refuse(head_.refusal().status, head_.refusal().reason);
  fresh_.push_back(&stream);
}

/// Not from nghttp2's callback: a stream that was reset in the same breath never begins an exchange, whoever
/// reset it (CVE-2023-44487 by the client; CVE-2025-8671 by us, because the client provoked it). Ours is
/// still in nghttp2's queue, as is the GOAWAY that ends them all. False: the connection is broken.
bool H2Session::begin_fresh() {
  if (fresh_.empty()) return true;
  if (nghttp2_session_get_outbound_queue_size(wire_.get()) > 0 && !fill()) return false;
  if (nghttp2_session_want_read(wire_.get()) != 0) {
    for (H2Stream* const stream : fresh_) stream->begin();
    for (Early& early : early_) {
      if (H2Stream* const stream = this->stream(early.stream)) stream->on_early_body(std::move(early.piece));
    }
    for (H2Stream* const stream : fresh_) stream->on_early_end();
  }
  fresh_.clear();
  early_.clear();
  return true;
}

H2Stream* H2Session::stream(std::int32_t id) {
  return static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(wire_.get(), id));
}

void H2Session::stream_closed(H2Stream& stream) {
  if (head_of_ == &stream) head_of_ = nullptr;
  std::erase(fresh_, &stream);
  std::erase(roomy_, &stream);
  std::erase(opened_, &stream);
  stream.closed();
  const std::size_t index = stream.index_;
  streams_.back()->index_ = index;
  std::swap(streams_[index], streams_.back());
  streams_.pop_back();
  if (!streams_.empty()) return;
  idle_since_ = now();
  head_.rest();
}

/// Who does not read does not get to say more. Its window updates wait, too; the write clock ends it.
void H2Session::update_reading() {
  const bool reads = !is_full_ || nghttp2_session_get_outbound_queue_size(wire_.get()) < kMostQueued;
  client_.want_read(reads);
}

/// Also what is left of the last answer is somebody's request. PINGs make nobody less idle.
void H2Session::notice_idleness() {
  if (!client_.is_idle() && streams_.empty() && out_.is_empty()) client_.begin_idle();
}

/// From nghttp2's callbacks, too. What is left of the input is not read any more; GOAWAY ends all streams.
void H2Session::calm_down() {
  if (std::exchange(is_flooded_, true)) return;
  is_terminated_ = true;
  // Who comes again and again does not get to fill the log.
  constexpr Milliseconds kQuiet = 1s;
  thread_local Time told{};
  if (told == Time() || now() - told >= kQuiet) {
    told = now();
    runtime::log(runtime::Level::kWarning, "client floods us with what leads nowhere",
                 {{"client", facts().peer.text()}});
  }
  nghttp2_session_terminate_session(wire_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
  flush_soon();
}

// ---- writing ----

void H2Session::flush() {
  if (is_lingering_) return;
  begin_tunnels();
  if (!write()) return lost(kClientGone);
  client_.want_write(is_full_);
  if (is_full_) tick_soon();
  give_room();
  if (out_.is_empty() && nghttp2_session_want_read(wire_.get()) == 0 &&
      nghttp2_session_want_write(wire_.get()) == 0) {
    return linger();
  }
  update_reading();
  notice_idleness();
}

/// Until there is nothing to say or the socket is full. False: the connection is broken.
bool H2Session::write() {
  const bool was_full = std::exchange(is_full_, false);
  for (;;) {
    if (!fill()) return false;
    if (out_.is_empty()) return true;
    const Bytes before = out_.size();
    const Io io = client_.transport().flush(out_);
    if (out_.size() < before || !was_full) moved_ = now();
    if (io == Io::kFailed || io == Io::kClosed) return false;
    if (io == Io::kWant) {
      is_full_ = true;
      return true;
    }
  }
}

/// Gathers a batch.
bool H2Session::fill() {
  while (out_.size() + kLeastData < batch_) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t n = nghttp2_session_mem_send(wire_.get(), &bytes);
    if (n < 0) return false;
    if (n == 0) return true;
    out_.append_copy({static_cast<const char*>(static_cast<const void*>(bytes)), static_cast<Bytes>(n)});
  }
  return true;
}

/// Such that the frame fills the batch, or, if too little of it is left, the next one.
Bytes H2Session::data_length() const {
  const Bytes room = out_.size() + kLeastData < batch_ ? batch_ - out_.size() : batch_;
  return std::min(room, kRecord) - kFrameHead;
}

/// False: later, the batch is full.
bool H2Session::send_data(H2Stream& stream, std::string_view frame_head, Bytes length) {
  if (!out_.is_empty() && out_.size() + kFrameHead + length > batch_) return false;
  out_.append_copy(frame_head);
  stream.move_body(length, out_);
  return true;
}

void H2Session::begin_tunnels() {
  for (H2Stream* const stream : std::exchange(opened_, {})) stream->on_tunnel_open();
}

void H2Session::is_owed(Bytes n) {
  unsent_ += n;
  if (unsent_ >= kMostUnsent) is_laden_ = true;
}

void H2Session::has_gone(Bytes n) {
  unsent_ -= n;
  if (!is_laden_ || unsent_ > kMostUnsent / 2) return;
  is_laden_ = false;
  is_lightened_ = true;
  flush_soon();
}

void H2Session::give_room() {
  if (std::exchange(is_lightened_, false)) {
    for (const auto& stream : streams_) stream->exchange().on_room();
  }
  for (std::size_t i = 0; i < roomy_.size(); ++i) {
    Exchange& exchange = roomy_[i]->exchange();
    if (!exchange.has_ended()) exchange.on_room();
  }
  roomy_.clear();
}

void H2Session::reset_sent(const H2Stream* stream) {
  if (stream == nullptr || !stream->is_cut()) spend_reset();
}

// ---- clocks, and the end ----

void H2Session::tick_soon() {
  const Time soon = now() + tick_;
  runtime::Timer& deadline = client_.deadline();
  if (!deadline.is_armed() || deadline.deadline() > soon) deadline.arm_at(soon);
}

bool H2Session::needs_ticking() const {
  return !streams_.empty() || is_full_ || !has_settings_ || drain_ == Drain::kNoticed;
}

void H2Session::on_deadline() {
  if (is_lingering_) return client_.close();
  const Time at = now();
  if (is_full_ && at - moved_ >= clocks_.write_idle) {
    if (!client_.transport().has_been_taken_from()) return lost(kTakesNothing);
    moved_ = at;
  }
  if (head_of_ != nullptr && at - head_began_ >= clocks_.head) return lost(kSlowHead);
  if (!has_settings_ && at - began_ >= clocks_.head) return lost(kSlowHead);
  if (drain_ == Drain::kNoticed && at - drain_began_ >= kNotice) go_away();
  if (!is_full_) reset_stuck_streams();
  if (streams_.empty() && at - idle_since_ >= clocks_.keep_alive && !std::exchange(is_terminated_, true)) {
    nghttp2_session_terminate_session(wire_.get(), NGHTTP2_NO_ERROR);
    flush_soon();
  }
  if (needs_ticking()) return client_.deadline().arm(tick_);
  client_.deadline().arm_at(std::max(idle_since_ + clocks_.keep_alive, at + tick_));
}

/// A client that opens no window for one stream may be busy with the others; but this one does not hold its
/// worker for ever. Nor does one that is answered hold its place for ever, because its request does not end.
void H2Session::reset_stuck_streams() {
  const Time at = now(), taken = at - clocks_.write_idle;
  for (const auto& stream : streams_) {
    if (stream->is_cut()) continue;
    if (stream->is_stuck_since(taken)) stream->reset(kTakesNothing);
    if (stream->has_lingered_until(at)) stream->stop();
  }
}

void H2Session::drain() {
  if (drain_ != Drain::kNo || is_lingering_) return;
  drain_ = Drain::kNoticed;
  drain_began_ = now();
  nghttp2_submit_shutdown_notice(wire_.get());
  // When its answer comes, so has everything that the client sent before it heard of the notice.
  nghttp2_submit_ping(wire_.get(), NGHTTP2_FLAG_NONE, nullptr);
  tick_soon();
  flush_soon();
}

void H2Session::end_drain() {
  bool has_websockets = false;
  for (const auto& stream : streams_) {
    const bool is_one = stream->exchange().close_websocket(kDrained);
    has_websockets = has_websockets || is_one;
    if (!is_one && !stream->is_cut() && !stream->lingers()) stream->reset(kDrained);
  }
  if (!has_websockets) return lost(kDrained);
  if (drain_ == Drain::kNoticed) go_away();
}

void H2Session::close_websockets(upstream::WorkerId worker) {
  for (const auto& stream : streams_) {
    Exchange& exchange = stream->exchange();
    if (exchange.is_tunnel_to(worker)) exchange.close_websocket(kRetired);
  }
}

void H2Session::ping_answered() {
  if (drain_ == Drain::kNoticed) go_away();
}

void H2Session::go_away() {
  drain_ = Drain::kGoneAway;
  const std::int32_t last = nghttp2_session_get_last_proc_stream_id(wire_.get());
  nghttp2_submit_goaway(wire_.get(), NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0);
  flush_soon();
}

void H2Session::linger() {
  is_lingering_ = true;
  client_.begin_idle();
  for (const auto& stream : streams_) stream->gone(kClientGone);  // no frame of theirs will be sent any more
  client_.transport().close_write();
  client_.want_read(true);
  linger_.begin(now());
  client_.deadline().arm_at(linger_.end());
}

void H2Session::discard() {
  Bytes n = 0;
  const Io io = client_.transport().discard(n);
  if (io == Io::kWant) return;
  discarded_ += n;
  if (io != Io::kProgress || discarded_ >= (is_flooded_ ? kFloodDiscarded : kMostDiscarded)) return client_.close();
  linger_.go_on(now());
  client_.deadline().arm_at(linger_.end());
}

void H2Session::give_way(const Outcome& why) {
  if (!is_lingering_) {
    nghttp2_session_terminate_session(wire_.get(), NGHTTP2_NO_ERROR);
    if (write()) client_.transport().close_write();
  }
  lost(why);
}

void H2Session::lost(const Outcome& why) {
  if (client_.is_closing()) return;
  for (const auto& stream : streams_) stream->gone(why);
  client_.close();
}

}  // namespace proxy
