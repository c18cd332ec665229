// One client connection from accept to close: handshake, then the session that its first bytes or ALPN ask for.
// The session (h1_session, h2_session) reads and writes; the Client owns socket, watch and the one deadline.
#pragma once
#include <memory>
#include <variant>

#include "proxy/client_facts.h"
#include "proxy/transport.h"
#include "runtime/loop.h"
#include "upstream/figures.h"
#include "upstream/roster.h"

namespace proxy {

class FrontThread;
class H1Session;
class H2Session;
class ProxyHeader;

class Client {
 public:
  /// `proxy_protocol`: its header comes first, and says who the client is.
  Client(FrontThread& thread, Transport transport, const ClientFacts& facts, bool proxy_protocol);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  FrontThread& thread() { return thread_; }
  Transport& transport() { return transport_; }
  const ClientFacts& facts() const { return facts_; }

  /// Interest in the socket. Reading is on from the start. Who wants to read again is told also of what TLS has read ahead.
  void want_read(bool);
  /// More is there, but others have to have their turn, too: on_readable() comes again without the socket.
  void read_on();
  void want_write(bool);
  /// The session's flush() is called at the end of this turn.
  void flush_soon() { flush_.schedule(); }
  /// The one deadline of the connection: what happens is session.on_deadline().
  runtime::Timer& deadline() { return deadline_; }
  /// No request is in flight from now on; nothing is, or the beginning of a head, or an answer's last bytes in the kernel.
  /// The client goes to the end of the line of those that make room for others.
  void begin_idle();
  /// A request is whole, or refused: from now on the connection is not closed for the sake of others.
  void end_idle();
  bool is_idle() const { return is_idle_; }
  /// The end: the connection is closed and this object destroyed at the end of the turn. May be called twice.
  void close();
  bool is_closing() const { return is_closing_; }

  /// No new request after the one that runs; HTTP/1 idle connections wait for one more, HTTP/2 gets GOAWAY in two steps.
  void drain();
  /// drain_timeout is over: WebSockets are closed (Exchange::close_websocket), whatever else runs is cut.
  void end_drain();
  /// And so is their time for it: whatever is left is cut.
  void cut();
  /// The worker is to end: WebSockets to it are closed.
  void close_websockets(upstream::WorkerId worker);
  /// Idle, and others need the place: HTTP/2 hears GOAWAY, HTTP/1 nothing.
  void give_way();
  /// Something has come that nobody has looked at yet: a request perhaps.
  bool has_unread();

 private:
  friend class ClientLine;
  friend class ClientList;
  void on_readable();
  void on_read_on();
  void on_writable();
  void on_deadline();
  void flush();
  void read_proxy_header();
  void on_proxy_header();
  void shake_hands();
  void handshake_ended(upstream::Handshake result);
  void read_preface();
  void begin_h1();
  void begin_h2();

  FrontThread& thread_;
  Transport transport_;
  ClientFacts facts_;
  runtime::IoWatch watch_;
  runtime::Timer deadline_;
  runtime::Timer read_on_;        // armed: bytes wait inside TLS, of which the socket says nothing
  runtime::Deferred flush_;
  std::variant<std::monostate, std::unique_ptr<H1Session>, std::unique_ptr<H2Session>> session_;  // empty: handshake or preface
  std::unique_ptr<ProxyHeader> proxy_header_;  // set: it has not come to its end, and nothing else is read
  runtime::InBuffer first_;       // bytes before it is known what they are
  bool hands_shaken_ = false;     // plain, or the TLS handshake is done
  bool is_counted_ = true;        // under its address, in Site::addresses; by the acceptor, or by on_proxy_header()
  bool is_closing_ = false;       // close() was called: buried
  bool is_draining_ = false;      // drain() came before there was a session
  bool is_idle_ = true;           // ClientList's: which of its lines this is in
  Client* next_ = nullptr;        // in that line
  Client* previous_ = nullptr;
};

}  // namespace proxy
