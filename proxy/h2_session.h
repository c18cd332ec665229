// HTTP/2 with one client, RFC 9113: many requests at the same time on one connection. nghttp2 knows frames,
// HPACK and windows; this is the connection around it: reading, writing in whole records, clocks, floods, the
// end. Streams: h2_stream.h, callbacks: h2_wire.h.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/client.h"
#include "proxy/allowance.h"
#include "proxy/h2_head.h"
#include "proxy/h2_stream.h"
#include "proxy/linger.h"
#include "proxy/outcome.h"

struct nghttp2_session;

namespace proxy {

struct FreeWire {
  void operator()(nghttp2_session*) const;
};
using WireHandle = std::unique_ptr<nghttp2_session, FreeWire>;

class H2Session {
 public:
  /// `first`: bytes that came already.
  H2Session(Client& client, std::string_view first);
  ~H2Session();

  void on_readable();
  void flush();
  void on_deadline();
  /// GOAWAY in two steps (RFC 9113 6.8): no new requests after those that are on their way.
  void drain();
  /// drain_timeout is over: WebSockets are closed, whatever else runs is cut.
  void end_drain();
  /// The worker is to end: WebSockets to it are closed.
  void close_websockets(upstream::WorkerId worker);
  /// The connection is of no use any more: whatever runs is cancelled.
  void lost(const Outcome& why);
  /// The same for an idle one, which is told (GOAWAY) as far as the socket takes it at once.
  void give_way(const Outcome& why);

  // For its streams.
  nghttp2_session* wire() { return wire_.get(); }
  const ClientFacts& facts() const { return client_.facts(); }
  runtime::Time now();
  std::string_view date();
  void flush_soon() { client_.flush_soon(); }
  /// A piece of a body whose exchange has not begun yet.
  void body_is_early(const H2Stream& stream, runtime::Slice piece) {
    early_.push_back({stream.id(), std::move(piece)});
  }
  // What of the answers waits for the client, of all streams together.
  void is_owed(runtime::Bytes n);
  void has_gone(runtime::Bytes n);
  /// So much that no worker is read for any of them, until half of it has gone.
  bool is_laden() const { return is_laden_; }
  /// Exchange::on_room() is due, from the loop.
  void room_came(H2Stream& stream) { roomy_.push_back(&stream); }
  /// H2Stream::on_tunnel_open() is due, from the loop.
  void tunnel_opened(H2Stream& stream) {
    opened_.push_back(&stream);
    flush_soon();
  }

 private:
  friend struct H2Callbacks;
  enum class Drain : std::uint8_t { kNo, kNoticed, kGoneAway };
  struct Early {
    std::int32_t stream;  // that may be closed when its turn comes
    runtime::Slice piece;
  };

  // From nghttp2, while it reads.
  bool frame_begins();
  void progressed() { frames_.earn(kFramesEarned); }
  void reset_came(const H2Stream* stream);
  void block_begins() { block_size_ = 0; }
  bool field_came(runtime::Bytes size);
  bool block_is_malformed(runtime::Bytes size);
  void headers_begin(std::int32_t stream);
  void prioritizes(std::int32_t stream);
  void settings_came() { has_settings_ = true; }
  void ping_answered();
  H2Stream* request_begins(std::int32_t id);
  void head_is_whole(H2Stream& stream, bool has_body);
  void stream_closed(H2Stream& stream);
  // And while it writes.
  void frame_sent() { progressed(); }
  void reset_sent(const H2Stream* stream);
  runtime::Bytes data_length() const;
  bool send_data(H2Stream& stream, std::string_view frame_head, runtime::Bytes length);

  bool receive(std::string_view bytes);
  bool begin_fresh();
  H2Stream* stream(std::int32_t id);
  bool fill();
  bool write();
  void give_room();
  void begin_tunnels();
  void update_reading();
  void notice_idleness();
  void spend_reset();
  void calm_down();
  void go_away();
  void linger();
  void discard();
  void reset_stuck_streams();
  bool needs_ticking() const;
  void tick_soon();

  // nghttp2 counts neither frames without progress nor the resets that a client makes us send (MadeYouReset).
  static constexpr long kFramesAtOnce = 250, kFramesASecond = 100, kFramesEarned = 5;
  static constexpr long kResetsAtOnce = 200, kResetsASecond = 25;

  Client& client_;
  const conf::Clocks clocks_;  // as they were when it began
  const runtime::Milliseconds tick_;  // how often the clocks are looked at while something goes on
  const runtime::Bytes batch_;        // what is gathered for one write: a TLS record, or a few frames
  H2Head head_;
  std::vector<std::unique_ptr<H2Stream>> streams_;
  std::vector<H2Stream*> fresh_;   // heads that are whole, to begin when nghttp2 has read what is there
  std::vector<Early> early_;       // what came of their bodies until then: no more than one read
  std::vector<H2Stream*> opened_;  // tunnels of which the client may have been sure before they were
  std::vector<H2Stream*> roomy_;   // whose exchange is to be told that there is room
  runtime::ByteQueue out_;         // written by nghttp2, not yet taken by the socket
  runtime::Bytes unsent_ = 0;      // of the streams' answers
  Allowance frames_{kFramesAtOnce, kFramesASecond};
  Allowance resets_{kResetsAtOnce, kResetsASecond};
  const H2Stream* head_of_ = nullptr;  // whose header block is not whole
  runtime::Time head_began_{};         // while head_of_
  runtime::Time began_{};
  runtime::Time idle_since_{};     // when the last stream ended
  runtime::Time moved_{};          // when the socket last took something, or became full
  runtime::Time drain_began_{};    // while kNoticed
  Linger linger_;                  // begun when is_lingering_
  runtime::Bytes discarded_ = 0;   // since then
  runtime::Bytes block_size_ = 0;  // of the field block that comes, as far as it has come, decoded
  std::int32_t highest_ = -1;      // of the streams that HEADERS came for
  std::int32_t passed_over_ =
      0;  // the first of those that the client left out when it last did; they end before...
  std::int32_t went_on_with_ = 0;  // ...this one
  Drain drain_ = Drain::kNo;
  bool has_settings_ = false;   // the client's first SETTINGS came: it does speak HTTP/2
  bool is_full_ = false;        // the socket takes nothing now
  bool is_laden_ = false;       // unsent_ is too much
  bool is_lightened_ = false;   // and was until now: every exchange is to be told
  bool is_flooded_ = false;     // a budget is used up: nothing more goes into nghttp2
  bool is_terminated_ = false;  // we have said GOAWAY for a reason
  bool is_lingering_ = false;   // all is said; what still comes is read for a while
  WireHandle wire_;             // the last member: it calls back
};

}  // namespace proxy
