// One HTTP/2 stream: one request and its answer. The ClientStream of an exchange; frames and windows are
// nghttp2's, which asks for the body when there is room for it. The connection: h2_session.h.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/client_stream.h"
#include "proxy/exchange.h"
#include "proxy/linger.h"

namespace proxy {

class H2Session;

class H2Stream final : public ClientStream {
 public:
  H2Stream(H2Session& session, std::int32_t id, ExchangeHandle exchange);

  std::int32_t id() const { return id_; }
  Exchange& exchange() { return *exchange_; }
  bool has_begun() const { return has_begun_; }

  // From the session: what the client did. None of it from inside a call of the exchange.
  void begin();
  void refuse(std::uint16_t status, std::string_view reason);
  void on_body(std::string_view bytes);
  /// A field behind the body; nghttp2 has looked at its shape. Before on_body_end().
  void on_trailer(std::string_view name, std::string_view value);
  void on_body_end();
  // What of it came before begin().
  void on_early_body(runtime::Slice piece);
  void on_early_end();
  /// What came for a tunnel before it was open. From the session, when the exchange has returned.
  void on_tunnel_open();
  /// Nobody is there any more to be answered.
  void gone(const Outcome& why);
  /// nghttp2 has forgotten the stream: what its body has used of the connection's window is given back.
  void closed();
  /// Its answer waits and the client has taken nothing of it since then.
  bool is_stuck_since(runtime::Time then) const {
    return (!body_.is_empty() || (body_ended_ && !is_sent_)) && moved_ < then;
  }
  /// It is answered, but the client has not come to the end of its request.
  bool lingers() const { return is_sent_ && !request_ended_ && !is_cut_ && exchange_->has_ended(); }
  /// And has been given its time for that.
  bool has_lingered_until(runtime::Time now) const { return lingers() && linger_.end() <= now; }
  void reset(const Outcome& why);
  /// RFC 9113 8.1: the client keeps the answer, and stops sending.
  void stop();
  bool is_cut() const { return is_cut_; }

  // From nghttp2, while it writes.
  struct Offer {
    runtime::Bytes size = 0;
    bool is_last = false;  ///< the body ends with it
  };
  /// Of the answer's body, at most `most` bytes. Nothing and not the last: more comes later, then nghttp2 is
  /// told.
  Offer offer(runtime::Bytes most);
  /// The next n bytes that were offered go out.
  void move_body(runtime::Bytes n, runtime::ByteQueue& out);
  /// END_STREAM is written.
  void answer_sent();
  /// The body's last byte is about to be written. True: trailers follow it.
  bool begin_trailers();

  // ClientStream
  void send_interim(const upstream::ResponseHead&) override;
  void send_head(const upstream::ResponseHead&) override;
  void send_body(runtime::Slice) override;
  void end_body(std::string_view trailers) override;
  void cut() override;
  void become_tunnel() override;
  runtime::Bytes unsent() const override;
  runtime::Bytes queued() const override { return body_.size(); }
  void want_room() override { was_full_ = true; }
  void body_taken(runtime::Bytes n) override;
  void stop_body() override { body_stopped_ = true; }
  void exchange_ended() override;

 private:
  friend class H2Session;
  runtime::Slice copy_in(std::string_view& bytes);
  void give(runtime::Slice piece);
  void give_end();
  void go_on();

  H2Session& session_;
  const std::int32_t id_;
  ExchangeHandle exchange_;  // from the first byte of the head until nghttp2 closes the stream
  std::size_t index_ = 0;    // the session's: where it is among its streams
  runtime::ByteQueue body_;  // of the answer
  runtime::ByteQueue for_tunnel_;  // came before it was open: a client may be that sure, but the app is not told
  std::string request_trailers_, trailers_;  // the answer's; field lines, each with its CRLF
  runtime::Chunk in_;        // where pieces of the request's body are copied to
  runtime::Bytes in_used_ = 0;
  runtime::Bytes held_ = 0;     // body bytes given to the exchange and not yet taken
  runtime::Time moved_{};       // when the client last took something, while there is something
  Linger linger_;               // begun when lingers()
  bool has_begun_ = false;      // the exchange has the head
  bool body_ended_ = false;     // the answer is whole
  bool is_sent_ = false;        // and its END_STREAM is written
  bool is_waiting_ = false;     // nghttp2 waits to be told that there is body
  bool was_full_ = false;       // unsent() went above the high mark, or the exchange waits for room
  bool body_stopped_ = false;   // nobody wants the rest of the request's body
  bool request_ended_ = false;  // END_STREAM came
  bool is_tunnel_ = false;      // RFC 8441: what the client sends is no body
  bool is_open_ = false;        // and the app has agreed to it
  bool has_many_trailers_ = false;  // more of them than may be
  bool is_cut_ = false;         // reset by us, on behalf of the exchange or of a clock
};

}  // namespace proxy
