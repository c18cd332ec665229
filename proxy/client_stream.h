// The client's side of one exchange: an HTTP/1 connection that has one request going, or one HTTP/2 stream.
// The one virtual interface of the project. Called by the Exchange; implemented by H1Session and H2Session::Stream.
#pragma once
#include <string_view>

#include "runtime/buffer.h"
#include "upstream/message.h"

namespace proxy {

class ClientStream {
 public:
  /// What a client stream has unsent when it is full and when it has room again. Between them nothing happens. A worker is
  /// read up to 16 KiB at a time where something is unsent, so that it stays below 64 KiB in all.
  static constexpr runtime::Bytes kHighMark = 48 * 1024;
  static constexpr runtime::Bytes kLowMark = 16 * 1024;

  /// A 1xx head; not called for HTTP/1.0 clients. Fields are already rewritten (proxy/headers).
  virtual void send_interim(const upstream::ResponseHead&) = 0;
  /// The final head, once. `framing` of the head says what the body will be; the stream chooses its own framing for
  /// the client. With Framing::kNone the answer ends here: end_body() is still called.
  virtual void send_head(const upstream::ResponseHead&) = 0;
  /// Body bytes behind what is queued. Never refuses: the Exchange watches unsent().
  virtual void send_body(runtime::Slice) = 0;
  /// The answer is whole. `trailers`: field lines, each with its CRLF; left out where the client's framing has no place for them.
  virtual void end_body(std::string_view trailers) = 0;
  /// The answer will never be whole: the connection is broken or the stream reset, so that no client takes a part
  /// for the whole. Nothing is sent after it.
  virtual void cut() = 0;
  /// After a 101: bytes go through untouched both ways from now on, as send_body() and Exchange::on_body().
  virtual void become_tunnel() = 0;

  /// Queued and not yet taken by the kernel; more than kHighMark also while the connection is full with what its other
  /// streams have not taken. When it has fallen to kLowMark after having been at kHighMark or above,
  /// Exchange::on_room() is called from the loop.
  virtual runtime::Bytes unsent() const = 0;
  /// Queued for this stream alone and not yet taken: what the client has not got of it if it goes now.
  virtual runtime::Bytes queued() const = 0;
  /// on_room() is wanted at kLowMark, although unsent() is not full now; something is unsent.
  virtual void want_room() = 0;
  /// The Exchange has passed n body bytes on: the client may send as many again. Until then it is held back.
  virtual void body_taken(runtime::Bytes n) = 0;
  /// Nothing more of the request body will be read (refused, or the answer came first): an HTTP/1 connection will be
  /// closed after the answer unless the body has ended, an HTTP/2 stream too, and both when they have lingered (linger.h).
  virtual void stop_body() = 0;
  /// The exchange is over (after end_body() or cut()): the last call. The stream releases it later, from the loop, when the client
  /// has taken the last byte; if it keeps it longer, it says so by Exchange::answer_taken().
  virtual void exchange_ended() = 0;

 protected:
  ~ClientStream() = default;
};

}  // namespace proxy
