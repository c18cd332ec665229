// What can come between the phases of an exchange: clients that leave, clocks, workers that fail; and what we answer then.
#include <algorithm>

#include "proxy/access_log.h"
#include "proxy/exchange.h"
#include "proxy/front_thread.h"
#include "runtime/log.h"

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::Io;
using upstream::Framing;
using upstream::Step;

// Workers that take no connection, one after the other, before a request is given up.
constexpr std::uint8_t kMostConnectFailures = 8;

/// A connection that broke leaves its reader without a complaint.
std::string_view cause_of(const upstream::AnswerReader& reader) {
  return reader.complaint().empty() ? "the connection ended" : reader.complaint();
}

}  // namespace

void Exchange::refuse(ClientStream& stream, const ClientFacts& client, std::uint16_t status, std::string_view reason) {
  const Outcome outcome{Fault::kClient, reason};
  if (phase_ == Phase::kEnded) return;
  if (phase_ == Phase::kIdle) {
    stream_ = &stream;
    client_ = &client;
    record_.begin(thread_.loop().now());
  }
  answer_ourselves(status, outcome);
}

void Exchange::client_gone(const Outcome& why) {
  if (phase_ == Phase::kIdle || phase_ == Phase::kEnded) return;
  stream_ = nullptr;
  if (phase_ == Phase::kTunnel && send_soon_.is_scheduled()) send_rest();  // its last words are the worker's
  if (phase_ == Phase::kEnded) return;
  if (record_.status == 0) record_.status = 499;  // nginx's number for it; no answer has this status
  end(why);
}

/// One deadline at a time: the next silence's, or total_timeout's if that comes first.
void Exchange::arm_deadline() {
  if (phase_ == Phase::kIdle || phase_ == Phase::kSeek || phase_ == Phase::kEnded) return;
  const bool has_total = total_until_ != runtime::Time{};
  const std::optional<runtime::Milliseconds> silence = most_silence();
  if (!silence) return has_total ? deadline_.arm_at(total_until_) : deadline_.cancel();
  if (!has_total) return deadline_.arm(*silence);
  deadline_.arm_at(std::min(thread_.loop().now() + *silence, total_until_));
}

/// The rest of its body is due, and there is somebody who wants it.
bool Exchange::waits_for_client() const { return upload_.waits_for_client() && !answer_body_ended_; }

/// The client's while its body is due and nothing of it is left to send, else the worker's. Nothing while the client
/// does not take what the worker said: that is the session's clock.
std::optional<runtime::Milliseconds> Exchange::most_silence() const {
  const conf::Clocks& clocks = thread_.site().settings.front.clocks;
  switch (phase_) {
    case Phase::kGather:
      return clocks.body_idle;
    case Phase::kSend:
    case Phase::kRelay:
      if (stream_->unsent() > ClientStream::kHighMark) return std::nullopt;
      if (waits_for_client()) return lives_long_ ? app().stream_timeout : clocks.body_idle;
      return lives_long_ && phase_ == Phase::kRelay ? app().stream_timeout : app().request_timeout;
    case Phase::kFile:
      return file_->is_waiting() ? std::optional(app().request_timeout) : std::nullopt;
    case Phase::kTunnel:
      // Half-closed it has to come to an end.
      return worker_closed_ || client_closed_ ? std::min(app().request_timeout, app().stream_timeout) : app().stream_timeout;
    case Phase::kIdle:
    case Phase::kSeek:
    case Phase::kEnded:
      return std::nullopt;
  }
  return std::nullopt;
}

bool Exchange::is_out_of_time() const { return total_until_ != runtime::Time{} && thread_.loop().now() >= total_until_; }

void Exchange::on_deadline() {
  switch (phase_) {
    case Phase::kGather:
      return answer_ourselves(408, kBodyTimeout);
    case Phase::kSeek:
      // Nobody came to try again with: what the client hears is how the first attempt ended.
      if (record_.attempts > 0) return answer_ourselves(502, failure_);
      desk_->dispatch().figures().refused.fetch_add(1, std::memory_order_relaxed);
      return answer_ourselves(503, kQueueTimeout);
    case Phase::kSend:
    case Phase::kRelay:
      if (is_out_of_time()) return answer_ourselves(504, kOutOfTime);
      if (waits_for_client()) return answer_ourselves(408, kBodyTimeout);
      return answer_ourselves(504, head_sent_ ? kAnswerSilent : kAnswerTimeout);
    case Phase::kTunnel:
      stream_->cut();
      return end(is_out_of_time() ? kOutOfTime : kStreamSilent);
    case Phase::kFile:
      return answer_ourselves(503, kDiskTimeout);
    case Phase::kIdle:
    case Phase::kEnded:
      return;
  }
}

void Exchange::on_worker_closed(Io how) {
  if (phase_ == Phase::kTunnel) {
    worker_closed_ = true;
    lease_.connection().watch().want_read(false);
    stream_->end_body({});
    // Its half is closed. A broken connection takes the other half with it.
    if (how == Io::kFailed || (client_closed_ && upload_.has_drained())) return end(kOk);
    return arm_deadline();
  }
  if (how == Io::kClosed && reader_.on_close() == Step::kEnd) return on_answer_end();
  if (!head_sent_) return attempt_failed(kWorkerLost, /*connect_failed=*/false);
  if (!answer_body_ended_) blame_worker("worker cut its answer off", cause_of(reader_));
  answer_ourselves(502, kAnswerCut);
}

void Exchange::on_broken_answer() {
  if (reader_.was_not_taken()) return attempt_failed(kWorkerLost, /*connect_failed=*/false);
  blame_worker(kBadAnswer.cause, reader_.complaint());
  answer_ourselves(502, kBadAnswer);
}

void Exchange::blame_worker(std::string_view what, std::string_view cause) const {
  runtime::log(runtime::Level::kWarning, what,
               {{"app", app().name}, {"worker", record_.slot}, {"pid", record_.pid}, {"cause", cause}});
}

void Exchange::attempt_failed(const Outcome& outcome, bool connect_failed) {
  failure_ = outcome;
  // A worker that took no connection has not had the request; it counts as tried only against a bound of its own.
  const bool gives_up = connect_failed && ++connect_failures_ >= kMostConnectFailures;
  const upstream::Attempt attempt{.attempts = gives_up ? upstream::kMostAttempts : static_cast<unsigned>(record_.attempts - connect_failures_),
                                  .is_idempotent = upstream::is_idempotent(request_.method),
                                  .connect_failed = connect_failed,
                                  .was_not_taken = !connect_failed && reader_.was_not_taken(),
                                  .accepted = upload_.accepted(),
                                  .answer_begun = head_sent_,
                                  .body_is_here = upload_.can_start_again()};
  if (upstream::decide(attempt) != upstream::Verdict::kRetry) {
    if (!connect_failed) blame_worker("worker gave no answer", cause_of(reader_));
    return answer_ourselves(502, outcome);
  }
  upstream::Dispatch& dispatch = desk_->dispatch();
  dispatch.figures().retried.fetch_add(1, std::memory_order_relaxed);
  // A worker that is well may close an idle connection just when it is used; if it is the only one, it is asked again.
  const upstream::WorkerId failed = lease_.worker().id;
  const bool is_stale = !connect_failed && lease_.connection().is_reused();
  lease_.give_back(false);
  from_worker_.clear();
  seek(is_stale && !dispatch.has_other(failed) ? 0 : failed);
}

/// An answer of ours; once the app's answer has begun there is only the cut, so that no part is taken for the whole.
void Exchange::answer_ourselves(std::uint16_t status, const Outcome& outcome) {
  if (phase_ == Phase::kEnded) return;
  if (answer_body_ended_) return end(outcome);
  if (head_sent_) {
    stream_->cut();
    return end(outcome);
  }
  OwnAnswer answer(status, request_.method);
  if (status == 503) answer.retry_after(std::chrono::seconds(1));
  say(answer);
  end(outcome);
}

void Exchange::redirect_to_https() {
  OwnAnswer answer(308, request_.method);
  answer.location_https(host_of(request_.authority), thread_.site().https_port, request_.target);
  say(answer);
  end(kOk);
}

/// OPTIONS that no app may see any more (RFC 9110 7.6.2, 9.3.7).
void Exchange::tell_options() {
  OwnAnswer answer(200, request_.method);
  answer.allow();
  say(answer);
  end(kOk);
}

void Exchange::say(OwnAnswer& answer) {
  record_.status = answer.head().status;
  head_sent_ = true;
  if (!upload_.is_whole() && request_.framing != Framing::kNone) stream_->stop_body();
  stream_->send_head(answer.head());
  if (answer.head().framing != Framing::kNone) stream_->send_body(answer.body());
  stream_->end_body({});
}

void Exchange::on_tunnel_bytes() {
  if (const Bytes n = from_worker_.bytes().size(); n > 0) {
    record_.sent += n;
    stream_->send_body(from_worker_.take(n));
  }
  from_worker_.rest();
  hold_or_resume();
  arm_deadline();
}

upstream::EnvironmentFacts Exchange::environment_facts() const {
  return {.server_port = client_->port, .remote = client_->peer, .is_tls = client_->is_tls};
}

void Exchange::record(const Outcome& outcome) {
  if (desk_ != nullptr) {
    upstream::AppFigures& figures = desk_->dispatch().figures();
    if (outcome.fault == Fault::kApp || outcome.fault == Fault::kUs) figures.failed.fetch_add(1, std::memory_order_relaxed);
    if (outcome == kOk && record_.worker != 0) {
      figures.served.fetch_add(1, std::memory_order_relaxed);
      thread_.site().board.worker[record_.row].served.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (!thread_.access_log().is_on()) return;
  AccessEvent event = record_.event(request_, *client_, thread_.loop().now());
  event.id = ours_.request_id();
  event.app = desk_ != nullptr ? std::string_view(app().name) : std::string_view();
  event.outcome = outcome;
  thread_.access_log().write(event);
}

void Exchange::reset() {
  deadline_.cancel();
  ticket_.leave();
  lease_.give_back(false);
  request_.clear();
  answer_.clear();
  kept_ = runtime::Chunk();
  ours_.clear();
  upload_.clear();
  release_gathered();
  from_worker_.clear();
  file_.reset();
  record_ = {};
  phase_ = Phase::kIdle;
  stream_ = nullptr;
  client_ = nullptr;
  desk_ = nullptr;
  head_sent_ = continue_sent_ = reads_large_ = worker_closed_ = client_closed_ = answer_body_ended_ = false;
  lives_long_ = false;
  total_until_ = {};
  connect_failures_ = 0;
}

}  // namespace proxy
