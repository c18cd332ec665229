// THE STORY: one request and its answer, told in order: admit, route, prepare, gather, seek, send, await_head, relay, deliver, end.
// Knows neither the client's wire (client_stream.h) nor the worker's (upstream/answer_reader.h, request_writer.h).
// One class in the files of its story, each to be read from top to bottom: exchange.cpp (what it is, and whose), exchange_routes.cpp
// (what needs no worker), exchange_send.cpp, exchange_seek.cpp, exchange_incident.cpp (workers that are lost with it),
// exchange_answer.cpp, exchange_tunnel.cpp (after 101), exchange_deliver.cpp (slow clients), exchange_end.cpp (the clocks and
// the only way out).
// docs/life-of-a-request.md tells it in words.
#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include "conf/path_match.h"
#include "proxy/answers.h"
#include "proxy/client.h"
#include "proxy/client_stream.h"
#include "proxy/exchange_pool.h"
#include "proxy/file_answer.h"
#include "proxy/headers.h"
#include "proxy/origin.h"
#include "proxy/outcome.h"
#include "proxy/record.h"
#include "proxy/snapshot.h"
#include "proxy/upload.h"
#include "proxy/websocket_frames.h"
#include "runtime/buffer.h"
#include "runtime/loop.h"
#include "upstream/answer_reader.h"
#include "upstream/dispatch.h"
#include "upstream/inquest.h"
#include "upstream/message.h"
#include "upstream/retry.h"

namespace proxy {

class FrontThread;

enum class Phase : std::uint8_t { kIdle, kGather, kSeek, kSend, kInquest, kRelay, kTunnel, kDeliver, kFile, kEnded };

/// Owned by its session through an ExchangeHandle. Releasing it at any moment is a correct cancellation.
class Exchange {
 public:
  explicit Exchange(FrontThread& thread);

  /// What the session fills before begin(): the head, and the memory that its views look into.
  upstream::RequestHead& request() { return request_; }
  void keep(runtime::Chunk bytes) { kept_ = std::move(bytes); }

  /// The head is there. Everything the exchange has to say goes to `stream`; it may answer and end before this returns.
  void begin(ClientStream& stream, const ClientFacts& client);
  /// What came is not a request, or its body is not one: the client is told, once, or cut if the answer has begun.
  void refuse(ClientStream& stream, const ClientFacts& client, std::uint16_t status, std::string_view reason);
  /// A piece of the request body, in order; bytes for a tunnel too.
  void on_body(runtime::Slice);
  /// The request body is whole, or a tunnel's client has closed its sending side. `trailers`: field lines, each with its CRLF.
  void on_body_end(std::string_view trailers = {});
  /// The client stream has room again.
  void on_room();
  /// The client has gone (connection lost, stream reset): nobody is there to be answered, or to take what is queued of the answer.
  /// The session releases the exchange afterwards; exchange_ended() is not called.
  void client_gone(const Outcome& why = kClientGone);

  /// A tunnel to this worker.
  bool is_tunnel_to(upstream::WorkerId worker) const;
  /// A WebSocket that goes on tells its client that the service restarts (Close, 1012), as soon as a frame of the worker has ended,
  /// and ends; if none does within kFarewell, it is cut, with this outcome. False: this is none, or nobody knows where its frames
  /// end, and nothing has been done.
  bool close_websocket(const Outcome& if_cut);
  static constexpr runtime::Milliseconds kFarewell{500};

  /// Where a stream keeps the exchange longer than until the client has its last byte. Nothing, if it has not ended.
  void answer_taken();

  bool has_ended() const { return phase_ == Phase::kEnded; }
  /// A worker is busy with it, or was, or a file is sent: the client's half-close is only that. Before, it means gone.
  /// (It may come with a body's last byte, too, while that is on its way to the disk.)
  bool is_being_answered() const {
    return has_worker() || phase_ == Phase::kDeliver || phase_ == Phase::kFile ||
           (phase_ == Phase::kGather && upload_.is_whole());
  }

 private:
  friend class ExchangePool;

  bool has_worker() const { return phase_ == Phase::kSend || phase_ == Phase::kRelay || phase_ == Phase::kTunnel; }

  // exchange.cpp: the phases, in order, and what we answer ourselves.
  void meet(ClientStream& stream, const ClientFacts& client);
  bool admit();
  bool route();
  void find_rules();
  void go_to(std::size_t place);
  bool prepare();
  void answer_ourselves(std::uint16_t status, const Outcome&);
  bool is_let_in();
  void answer_closed();
  void redirect_to_https();
  void tell_options();
  void say(OwnAnswer&);

  // exchange_routes.cpp: what needs no worker.
  bool answer_by_route();
  void redirect(const conf::RouteMatch&);
  void look_up_file(const conf::RouteMatch&);
  void on_file();
  bool begin_file();
  void read_file_on();

  // exchange_send.cpp: the request's way to the worker.
  void gather();
  void gather_piece(runtime::Slice);
  bool open_body_file();
  void on_body_file();
  void go_on_if_gathered();
  Outcome tell_spool_fault(const SpoolFile&) const;
  void send();
  void send_continue();
  bool send_head();
  upstream::EnvironmentFacts environment_facts() const;
  void send_body();
  void send_rest();

  // exchange_seek.cpp: a worker, or another one.
  void seek(upstream::WorkerId tried = 0);
  void arm_patience();
  void on_leased(upstream::Lease&);
  void on_refused(upstream::Refusal);
  void attempt_failed(const Outcome&, bool connect_failed);
  void decide(bool connect_failed);
  void try_again(bool connect_failed);
  void give_up(bool connect_failed);

  // exchange_incident.cpp: workers that are lost with it.
  void note_loss();
  bool is_suspect() const;
  unsigned deaths() const;
  std::optional<upstream::WorkerId> awaited_word() const;
  void hold_inquest(upstream::WorkerId);
  void on_word();
  void answer_incident();

  // exchange_answer.cpp: the worker's answer, and what is wrong with it.
  void on_worker_readable();
  void read_answer();
  void on_interim();
  void on_head();
  void on_answer_body(runtime::Slice);
  void hold_or_resume();
  void go_on_with_answer();
  void tell_answer_end();
  void on_answer_end();
  void on_worker_closed(runtime::Io how);
  void on_broken_answer();
  std::string_view cause_of_loss() const;
  void blame_worker(std::string_view what, std::string_view cause) const;

  // exchange_tunnel.cpp: bytes both ways, and the end of a WebSocket.
  void on_tunnel_bytes();
  void pass_through(runtime::Slice);
  runtime::Bytes count_frames(std::string_view);
  void say_restart();

  // exchange_deliver.cpp: what of it the client does not take at once.
  bool may_keep(runtime::Bytes more);
  bool may_read_large();
  bool may_spool() const;
  bool takes_answer() const;
  void keep_answer(runtime::Slice);
  void pass_on(runtime::Slice);
  bool begin_spool();
  void on_spool();
  void deliver();
  void delivered();
  void deliver_rest(const Outcome& ending);

  // exchange_end.cpp: the clocks, and the end.
  void arm_deadline();
  bool waits_for_client() const;
  bool waits_for_disk() const { return upload_.waits_for_disk() || (spool_ && spool_->is_under_way()); }
  std::optional<runtime::Milliseconds> most_silence() const;
  bool is_out_of_time() const;
  void on_deadline();
  void end(const Outcome&);
  void let_lease_go(const Outcome& why);
  void tell_abandoned(upstream::Leftover&) const;
  void release_gathered();
  void record();
  void leave_row();
  void forget_untaken();
  void reset();

  const conf::App& app() const { return *app_; }
  /// Only a client that has said it would not throw them away (RFC 9110 6.5.1); in HTTP/2 they are a frame like any other.
  bool takes_trailers() const {
    return request_.version == upstream::Version::kHttp2 ||
           (request_.takes_trailers && request_.version == upstream::Version::kHttp11);
  }
  /// As far as the settings say; a worker of an earlier release may speak otherwise.
  bool app_speaks_http() const { return upstream::speech_of(app()) == upstream::Speech::kHttp; }
  bool worker_speaks_http() const { return lease_.worker().speech == upstream::Speech::kHttp; }

  FrontThread& thread_;
  Phase phase_ = Phase::kIdle;
  ClientStream* stream_ = nullptr;       // set by begin(); null when the client has gone
  const ClientFacts* client_ = nullptr;  // the connection's; outlives the exchange
  upstream::RequestHead request_;        // views into kept_
  Origin origin_;                        // by what trusted proxies say of it; the connection's until begin() has read that
  runtime::Chunk kept_;                  // the memory behind request_
  AppFields ours_;                       // fields that we add to the request
  SnapshotPointer snapshot_;             // the settings that it began with; empty before begin()
  const conf::App* app_ = nullptr;       // in snapshot_; null until routed
  upstream::Desk* desk_ = nullptr;       // the app's; null until routed
  upstream::AppRow* row_ = nullptr;      // where this thread counts for the app; null until routed
  const conf::Rules* rules_ = nullptr;   // the route's, or the app's; null until routed
  std::optional<conf::RouteMatch> match_;      // the route that has the path; looks into kept_; empty: none has
  upstream::Ticket ticket_;              // our place in line
  upstream::Lease lease_;                // held from seek to end
  upstream::Inquest inquest_;            // open in kInquest: how the worker ended that was lost last
  runtime::Timer deadline_;              // the one deadline of the current phase
  runtime::Deferred send_soon_;          // more of the body has come
  runtime::Time total_until_{};          // no phase after the first dispatch goes beyond it; 0: no total_timeout, or not there yet

  Upload upload_;                        // the request body, on its way to the worker
  runtime::Bytes gathered_ = 0;          // of it, on account of buffer_memory
  runtime::InBuffer from_worker_;
  upstream::AnswerReader reader_;
  upstream::ResponseHead answer_;        // views into from_worker_'s chunk
  ByteShare answer_memory_;              // what of the answer lies in stream_, and may lie there
  SpoolFile::Handle spool_;              // what the client has not taken beyond that; empty: nothing
  runtime::Bytes spooled_ = 0;           // of the answer, in all
  Outcome ending_;                       // in kDeliver: how the exchange will have ended
  bool may_spool_ = false;               // as far as is known, from send() on; false as soon as it has failed once
  bool head_sent_ = false;               // the client has the final head: nothing can be taken back
  bool continue_sent_ = false;           // 100 was sent or the body came anyway
  bool reads_large_ = false;             // the answer is long: read 64 KiB at a time
  WebsocketFrames frames_;               // WebSocket: those of the worker; not counting: it is another tunnel
  Outcome cut_;                          // while is_closing_: what it will have been if no frame ends in time
  bool is_closing_ = false;              // WebSocket: by close_websocket()
  bool worker_closed_ = false;           // tunnel: its sending side
  bool client_closed_ = false;           // tunnel: the client's sending side
  bool lives_long_ = false;              // a gRPC call, or an event stream: may be silent for stream_timeout
  bool answer_body_ended_ = false;       // the client was told the end; the worker may still be busy with it

  std::unique_ptr<FileAnswer> file_;     // in kFile: the answer is a file
  Record record_;                        // what the access log will say
  std::uint8_t connect_failures_ = 0;    // attempts that never got a connection, or one that was closing
  Outcome failure_;                      // of the last attempt that failed
  Outcome outcome_;                      // set by end()
  bool is_recorded_ = false;             // the access log has the event
};

}  // namespace proxy
