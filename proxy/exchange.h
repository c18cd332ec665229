// THE STORY: one request and its answer, told in order: admit, route, prepare, gather, seek, send, await_head, relay, end.
// Knows neither the client's wire (client_stream.h) nor the worker's (upstream/answer_reader.h, request_writer.h).
// Read exchange.cpp from top to bottom; docs/life-of-a-request.md tells it in words.
#pragma once
#include <memory>

#include "proxy/client.h"
#include "proxy/client_stream.h"
#include "proxy/outcome.h"
#include "runtime/buffer.h"
#include "runtime/loop.h"
#include "upstream/answer_reader.h"
#include "upstream/dispatch.h"
#include "upstream/message.h"
#include "upstream/retry.h"

namespace proxy {

struct Site;
class FrontThread;

enum class Phase : std::uint8_t { kIdle, kAdmit, kRoute, kPrepare, kGather, kSeek, kSend, kAwaitHead, kRelay, kEnded };

/// Owned by its session through an ExchangeHandle. Releasing it at any moment is a correct cancellation.
class Exchange {
 public:
  explicit Exchange(FrontThread& thread);

  /// What the session fills before begin(): the head, and the memory that its views look into.
  upstream::RequestHead& request() { return request_; }
  void keep(runtime::Chunk bytes) { kept_ = std::move(bytes); }

  /// The head is there. Everything the exchange has to say goes to `stream`; it may answer and end before this returns.
  void begin(ClientStream& stream, const ClientFacts& client);
  /// A piece of the request body, in order. Bytes that came through a tunnel too.
  void on_body(runtime::Slice);
  /// The request body is whole (also called for a tunnel whose client has closed its sending side).
  void on_body_end();
  /// The client stream has room again.
  void on_room();
  /// The client has gone (connection lost, stream reset): nobody is there to be answered. The session releases
  /// the exchange after this; exchange_ended() is not called.
  void client_gone();

  bool has_ended() const { return phase_ == Phase::kEnded; }
  bool wants_body() const { return !body_stopped_; }

 private:
  friend class ExchangePool;
