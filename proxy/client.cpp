#include "proxy/client.h"

#include <array>

#include "proxy/front_thread.h"
#include "proxy/h1_session.h"
#include "proxy/h2_session.h"
#include "proxy/proxy_header.h"

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::Io;

// RFC 9113 3.4: what an HTTP/2 client with prior knowledge says first.
constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

constexpr Outcome kGaveWay{Fault::kUs, "idle, and others needed the place"};

}  // namespace

Client::Client(FrontThread& thread, Transport transport, const ClientFacts& facts, bool proxy_protocol)
    : thread_(thread),
      transport_(std::move(transport)),
      facts_(facts),
      watch_(thread.loop(), transport_.fd(), runtime::bind<&Client::on_readable>(this),
             runtime::bind<&Client::on_writable>(this)),
      deadline_(thread.loop(), runtime::bind<&Client::on_deadline>(this)),
      read_on_(thread.loop(), runtime::bind<&Client::on_read_on>(this)),
      flush_(thread.loop(), runtime::bind<&Client::flush>(this)),
      proxy_header_(proxy_protocol ? std::make_unique<ProxyHeader>() : nullptr),
      hands_shaken_(transport_.tls() == nullptr),
      is_counted_(!proxy_protocol) {
  watch_.want_read(true);
  const conf::Clocks& clocks = thread.snapshot().settings.front.clocks;
  deadline_.arm(hands_shaken_ && !proxy_header_ ? clocks.head : clocks.handshake);
}

Client::~Client() = default;

void Client::want_read(bool wanted) {
  const bool did_not = !watch_.wants_read();
  watch_.want_read(wanted && !is_closing_);
  if (did_not && watch_.wants_read() && transport_.has_pending()) read_on();
}

void Client::read_on() { read_on_.arm(runtime::Milliseconds(0)); }

void Client::on_read_on() {
  if (watch_.wants_read()) on_readable();
}

void Client::want_write(bool wanted) { watch_.want_write(wanted && !is_closing_); }

void Client::begin_idle() {
  if (!is_closing_) thread_.clients().begin_idle(*this);
}

void Client::end_idle() {
  if (!is_closing_) thread_.clients().end_idle(*this);
}

void Client::close() {
  if (std::exchange(is_closing_, true)) return;
  if (!hands_shaken_ && transport_.tls()->has_begun() && !thread_.snapshot().trusts(facts_)) {
    thread_.site().unfinished_handshakes->give_up(facts_.peer, thread_.loop().now());
  }
  watch_.want_read(false);
  watch_.want_write(false);
  deadline_.cancel();
  read_on_.cancel();
  thread_.clients().remove(*this);
}

void Client::on_readable() {
  if (is_closing_) return;
  if (proxy_header_) return read_proxy_header();
  if (!hands_shaken_) return shake_hands();
  if (auto* h1 = std::get_if<std::unique_ptr<H1Session>>(&session_)) return (*h1)->on_readable();
  if (auto* h2 = std::get_if<std::unique_ptr<H2Session>>(&session_)) return (*h2)->on_readable();
  read_preface();
}

void Client::on_writable() {
  if (is_closing_) return;
  if (!hands_shaken_) return shake_hands();
  flush_soon();
}

/// Its bytes are taken from the socket, and none of those behind them: TLS reads the socket by itself.
void Client::read_proxy_header() {
  std::array<char, 512> bytes;
  Bytes here = 0, used = 0;
  if (const Io io = transport_.peek(bytes, here); io != Io::kProgress) return io == Io::kWant ? void() : close();
  const ProxyHeader::Step step = proxy_header_->next({bytes.data(), here}, used);
  transport_.skip(used);
  switch (step) {
    case ProxyHeader::Step::kMore:
      return;
    case ProxyHeader::Step::kBroken:
      thread_.turned_away().add(facts_.peer, proxy_header_->complaint());
      return close();
    case ProxyHeader::Step::kDone:
      on_proxy_header();
  }
}

void Client::on_proxy_header() {
  if (proxy_header_->from() == ProxyHeader::From::kClient) facts_.peer = proxy_header_->client();
  facts_.is_unnamed = proxy_header_->from() == ProxyHeader::From::kUnknown;
  proxy_header_.reset();
  is_counted_ = thread_.site().addresses->enter(facts_.peer);
  if (!is_counted_) return close();
  if (hands_shaken_) deadline_.arm(thread_.snapshot().settings.front.clocks.head);
  on_readable();
}

void Client::shake_hands() {
  if (!thread_.may_shake_hands()) return;  // the socket is as ready in the next turn
  TlsStream& tls = *transport_.tls();
  switch (tls.handshake()) {
    case Io::kWant:
      return watch_.want_write(tls.wants_write());
    case Io::kClosed:
    case Io::kFailed:
      handshake_ended(upstream::Handshake::kFailed);
      return close();
    case Io::kProgress:
      break;
  }
  hands_shaken_ = true;
  thread_.site().unfinished_handshakes->finish(facts_.peer);
  handshake_ended(upstream::Handshake::kOk);
  facts_.tls_version = tls.version();
  begin_idle();
  watch_.want_write(false);
  deadline_.arm(thread_.snapshot().settings.front.clocks.head);
  if (tls.alpn() == "h2") {
    begin_h2();
  } else {
    begin_h1();
  }
  // The first request may have come with the end of the handshake: then the socket has nothing more to say.
  if (!is_closing_ && transport_.has_pending()) on_readable();
}

void Client::handshake_ended(upstream::Handshake result) {
  upstream::count(thread_.figures().handshakes[static_cast<std::size_t>(result)]);
}

/// Plain: HTTP/1.1 or h2c, known by the first bytes.
void Client::read_preface() {
  const std::span<char> room = first_.room();
  Bytes n = 0;
  switch (transport_.read(room, n)) {
    case Io::kWant:
      return;
    case Io::kClosed:
    case Io::kFailed:
      return close();
    case Io::kProgress:
      first_.added(n);
  }
  const std::string_view first = first_.bytes();
  if (first.starts_with(kH2Preface)) return begin_h2();
  if (!kH2Preface.starts_with(first)) return begin_h1();
}

void Client::begin_h1() {
  session_ = std::make_unique<H1Session>(*this, std::move(first_));
  auto& session = *std::get<std::unique_ptr<H1Session>>(session_);
  if (is_draining_) session.drain();
  session.begin();
}

void Client::begin_h2() {
  session_ = std::make_unique<H2Session>(*this, first_.bytes());
  first_.clear();
  if (is_draining_ && !is_closing_) std::get<std::unique_ptr<H2Session>>(session_)->drain();
}

void Client::on_deadline() {
  if (auto* h1 = std::get_if<std::unique_ptr<H1Session>>(&session_)) return (*h1)->on_deadline();
  if (auto* h2 = std::get_if<std::unique_ptr<H2Session>>(&session_)) return (*h2)->on_deadline();
  if (!hands_shaken_ && !proxy_header_) handshake_ended(upstream::Handshake::kTimeout);
  close();
}

void Client::flush() {
  if (is_closing_) return;
  if (auto* h1 = std::get_if<std::unique_ptr<H1Session>>(&session_)) return (*h1)->flush();
  if (auto* h2 = std::get_if<std::unique_ptr<H2Session>>(&session_)) return (*h2)->flush();
}

void Client::drain() {
  is_draining_ = true;
  if (auto* h1 = std::get_if<std::unique_ptr<H1Session>>(&session_)) return (*h1)->drain();
  if (auto* h2 = std::get_if<std::unique_ptr<H2Session>>(&session_)) return (*h2)->drain();
}

void Client::end_drain() {
  if (auto* h1 = std::get_if<std::unique_ptr<H1Session>>(&session_)) return (*h1)->end_drain();
  if (auto* h2 = std::get_if<std::unique_ptr<H2Session>>(&session_)) return (*h2)->end_drain();
  close();
}

void Client::close_websockets(upstream::WorkerId worker) {
  if (auto* h1 = std::get_if<std::unique_ptr<H1Session>>(&session_)) return (*h1)->close_websockets(worker);
  if (auto* h2 = std::get_if<std::unique_ptr<H2Session>>(&session_)) return (*h2)->close_websockets(worker);
}

void Client::cut() {
  if (auto* h1 = std::get_if<std::unique_ptr<H1Session>>(&session_)) return (*h1)->lost(kDrained);
  if (auto* h2 = std::get_if<std::unique_ptr<H2Session>>(&session_)) return (*h2)->lost(kDrained);
  close();
}

void Client::give_way() {
  if (auto* h1 = std::get_if<std::unique_ptr<H1Session>>(&session_)) return (*h1)->lost(kGaveWay);
  if (auto* h2 = std::get_if<std::unique_ptr<H2Session>>(&session_)) return (*h2)->give_way(kGaveWay);
  close();
}

bool Client::has_unread() {
  char byte = 0;
  Bytes n = 0;
  return transport_.has_pending() || transport_.peek({&byte, 1}, n) == Io::kProgress;
}

}  // namespace proxy
