// HTTP/1.1 with one client: requests one after the other on one connection, RFC 9112. Reads with h1_reader, writes with
// h1_writer, and is the ClientStream of the one exchange that runs. What happens to a request: exchange.h.
#pragma once
#include "proxy/client.h"
#include "proxy/client_stream.h"
#include "proxy/exchange.h"
#include "proxy/h1_reader.h"
#include "proxy/linger.h"
#include "proxy/outcome.h"

namespace proxy {

class H1Session final : public ClientStream {
 public:
  /// `first`: bytes that came already.
  H1Session(Client& client, runtime::InBuffer first);
  void begin() { parse(); }

  void on_readable();
  void flush();
  void on_deadline();
  /// The next answer says Connection: close (RFC 9112 9.6); an idle client is not cut off before.
  void drain() { is_draining_ = true; }
  /// drain_timeout is over: a WebSocket is closed, whatever else runs is cut.
  void end_drain();
  /// The worker is to end: a WebSocket to it is closed.
  void close_websockets(upstream::WorkerId worker);
  /// The connection is of no use any more: whatever runs is cancelled.
  void lost(const Outcome& why);

  // ClientStream
  void send_interim(const upstream::ResponseHead&) override;
  void send_head(const upstream::ResponseHead&) override;
  void send_body(runtime::Slice) override;
  void end_body(std::string_view trailers) override;
  void cut() override;
  void become_tunnel() override;
  runtime::Bytes unsent() const override { return out_.size(); }
  runtime::Bytes queued() const override { return out_.size(); }
  void want_room() override { was_full_ = true; }
  void body_taken(runtime::Bytes n) override;
  void stop_body() override;
  void exchange_ended() override { flush_soon(); }

 private:
  /// Where the connection is; rising within one exchange, then kHead again.
  enum class State : std::uint8_t { kHead, kExchange, kTunnel, kLingering };

  void parse();
  bool parse_step();
  bool parse_message();
  void on_input_end();
  void begin_exchange();
  void enter_exchange();
  bool pass_tunnel();
  void release_exchange();
  void linger();
  void discard();
  void update_reading();
  void flush_soon() { client_.flush_soon(); }

  Client& client_;
  H1Reader reader_;
  runtime::InBuffer in_;
  runtime::ByteQueue out_;
  ExchangeHandle exchange_;           // from the first byte of a head until the answer has been flushed
  State state_ = State::kHead;
  upstream::Framing answer_framing_ = upstream::Framing::kNone;  // of the answer being sent
  runtime::Bytes held_ = 0;           // body bytes given to the exchange and not yet taken
  Linger linger_;  // begun in kLingering
  bool keep_alive_ = true;            // another request may follow this one
  bool body_read_ = false;            // the request body's end was read
  bool body_stopped_ = false;         // nobody wants the rest of it
  bool was_full_ = false;             // unsent() went above the high mark, or the exchange waits for room
  bool input_ended_ = false;          // the client has closed its sending side
  bool tunnel_ended_ = false;         // the worker has closed its sending side
  bool parse_soon_ = false;           // flush() goes on with what is in in_
  bool is_draining_ = false;
  bool is_cut_ = false;               // cut(): close as soon as the exchange is released
};

}  // namespace proxy
