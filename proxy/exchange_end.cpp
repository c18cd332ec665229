// How an exchange ends: by its answer, by a client that leaves, or by a clock; and what is written down of it.
#include <algorithm>

#include "proxy/access_log.h"
#include "proxy/exchange.h"
#include "proxy/front_thread.h"
#include "proxy/tally.h"
#include "upstream/remainder.h"

namespace proxy {
namespace {

/// The connection is broken, or nothing that comes from it can be understood.
bool is_workers_end(const Outcome& why) { return why == kWorkerLost || why == kAnswerCut || why == kBadAnswer || why == kIncident; }

}  // namespace

void Exchange::client_gone(const Outcome& why) {
  if (phase_ == Phase::kIdle || is_recorded_) return;
  forget_untaken();
  stream_ = nullptr;
  if (phase_ == Phase::kEnded) {
    if (outcome_ == kOk) outcome_ = why;
    return record();
  }
  if (phase_ == Phase::kTunnel && send_soon_.is_scheduled()) send_rest();  // its last words are the worker's
  if (phase_ == Phase::kEnded) return;
  if (record_.status == 0) record_.status = 499;  // nginx's number for it; no answer has this status
  end(why);
}

/// One deadline at a time: the next silence's, or total_timeout's if that comes first.
void Exchange::arm_deadline() {
  if (phase_ == Phase::kIdle || phase_ == Phase::kSeek || phase_ == Phase::kInquest || phase_ == Phase::kEnded) return;
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
  const conf::Clocks& clocks = snapshot_->settings.front.clocks;
  switch (phase_) {
    case Phase::kGather:
      return upload_.waits_for_disk() ? rules_->request_timeout : clocks.body_idle;
    case Phase::kSend:
    case Phase::kRelay:
      if (!takes_answer()) return waits_for_disk() ? std::optional(rules_->request_timeout) : std::nullopt;
      if (waits_for_client()) return lives_long_ ? rules_->stream_timeout : clocks.body_idle;
      return lives_long_ && phase_ == Phase::kRelay ? rules_->stream_timeout : rules_->request_timeout;
    case Phase::kDeliver:
      return waits_for_disk() ? std::optional(rules_->request_timeout) : std::nullopt;
    case Phase::kFile:
      return file_->is_waiting() ? std::optional(rules_->request_timeout) : std::nullopt;
    case Phase::kTunnel:
      // Half-closed it has to come to an end.
      return worker_closed_ || client_closed_ ? std::min(rules_->request_timeout, rules_->stream_timeout) : rules_->stream_timeout;
    case Phase::kIdle:
    case Phase::kSeek:
    case Phase::kInquest:
    case Phase::kEnded:
      return std::nullopt;
  }
  return std::nullopt;
}

bool Exchange::is_out_of_time() const { return total_until_ != runtime::Time{} && thread_.loop().now() >= total_until_; }

void Exchange::on_deadline() {
  switch (phase_) {
    case Phase::kGather:
      if (upload_.waits_for_disk()) return answer_ourselves(503, kDiskTimeout);
      return answer_ourselves(408, kBodyTimeout);
    case Phase::kSeek:
      return is_out_of_time() ? answer_ourselves(504, kOutOfTime) : arm_patience();
    case Phase::kInquest:
      inquest_.close();
      return is_out_of_time() ? answer_ourselves(504, kOutOfTime) : decide(/*connect_failed=*/false);
    case Phase::kSend:
    case Phase::kRelay:
      if (is_out_of_time()) return answer_ourselves(504, kOutOfTime);
      if (waits_for_disk()) return answer_ourselves(503, kDiskTimeout);
      if (waits_for_client()) return answer_ourselves(408, kBodyTimeout);
      return answer_ourselves(504, head_sent_ ? kAnswerSilent : kAnswerTimeout);
    case Phase::kTunnel:
      stream_->cut();
      if (is_closing_) return end(cut_);
      return end(is_out_of_time() ? kOutOfTime : kStreamSilent);
    case Phase::kDeliver:
      return answer_ourselves(504, is_out_of_time() ? kOutOfTime : kDiskTimeout);
    case Phase::kFile:
      return answer_ourselves(503, kDiskTimeout);
    case Phase::kIdle:
    case Phase::kEnded:
      return;
  }
}

/// The only way out: slot and line free, the figures counted, the session told. The event is written when the client has taken
/// the last byte, which holds neither slot nor buffers of ours.
void Exchange::end(const Outcome& outcome) {
  deadline_.cancel();
  record_.stop_waiting(thread_.loop().now());
  ticket_.leave();
  inquest_.close();
  if (lease_) let_lease_go(outcome);
  release_gathered();
  file_.reset();
  spool_.reset();
  // An HTTP/2 client may take what is queued, or end its request, much later; others need the memory now.
  from_worker_.clear();
  upload_.clear();
  phase_ = Phase::kEnded;
  outcome_ = outcome;
  stream_ != nullptr ? stream_->exchange_ended() : record();
}

void Exchange::answer_taken() {
  if (phase_ == Phase::kEnded) record();
}

/// What is still queued the client never gets. Its framing is taken for body: so the rest is not said to be more than it was.
void Exchange::forget_untaken() {
  if (stream_ != nullptr) record_.sent -= std::min<std::uint64_t>(record_.sent, stream_->queued());
}

/// Before its answer is whole: unless it was the worker that broke off, it may be busy with it still. Then the slot stays taken
/// until it has let go: a worker that is given more than it can take makes the next request wait behind this one.
void Exchange::let_lease_go(const Outcome& why) {
  const bool has_begun = has_worker() && lease_.is_connected() && upload_.accepted() > 0;
  if (!has_begun || why == kOk || is_workers_end(why)) return lease_.give_back(false, /*has_answered=*/why == kOk);
  upstream::Leftover left;
  left.reader = std::move(reader_);
  left.head = std::move(answer_);
  left.in = std::move(from_worker_);
  left.id = ours_.request_id();
  left.request_timeout = rules_->request_timeout;
  left.graceful_timeout = app().graceful_timeout;
  left.has_answered = record_.first_byte != runtime::Time{};
  left.is_tunnel = phase_ == Phase::kTunnel && worker_speaks_http();
  left.is_stuck = why == kAnswerTimeout;
  const bool finishes = rules_->on_abandon == conf::OnAbandon::kFinish && phase_ != Phase::kTunnel && upload_.fill_all();
  left.wire = upload_.take_wire();
  if (!finishes) tell_abandoned(left);
  left.lease = std::move(lease_);
  desk_->leave_behind(std::move(left));
}

void Exchange::tell_abandoned(upstream::Leftover& left) const {
  if (worker_speaks_http()) {
    if (!left.is_tunnel) left.wire.clear();
    left.is_last = true;
  } else {
    upstream::write_abandon(left.wire);
    left.reader.abandon();
  }
}

void Exchange::release_gathered() {
  if (gathered_ > 0) thread_.site().buffer_memory->give_back(std::exchange(gathered_, 0));
}

/// Once: into the figures and the access log. Nothing of the answer lies in the stream any more.
void Exchange::record() {
  if (std::exchange(is_recorded_, true)) return;
  answer_memory_.give_back();
  if (ours_.request_id().empty()) name_request(request_, snapshot_->trusts(*client_), ours_);
  AccessEvent event = record_.event(request_, *client_, thread_.loop().now());
  event.client = origin_.client;
  event.id = ours_.request_id();
  event.app = app_ != nullptr ? std::string_view(app().name) : std::string_view();
  event.outcome = outcome_;
  event.lives_long = lives_long_ || record_.status == 101;
  tally(event, row_ != nullptr ? *row_ : thread_.row(upstream::kNoApp));
  leave_row();
  if (const conf::AccessLog& how = snapshot_->settings.log.access; how.is_on) thread_.access_log().write(event, how);
}

void Exchange::leave_row() {
  if (row_ != nullptr) upstream::count_down(std::exchange(row_, nullptr)->in_flight);
}

void Exchange::reset() {
  if (phase_ == Phase::kEnded) record();
  leave_row();
  deadline_.cancel();
  ticket_.leave();
  inquest_.close();
  lease_.give_back(false);
  request_.clear();
  answer_.clear();
  kept_ = runtime::Chunk();
  ours_.clear();
  upload_.clear();
  release_gathered();
  from_worker_.clear();
  file_.reset();
  spool_.reset();
  answer_memory_.give_back();
  spooled_ = 0;
  record_ = {};
  phase_ = Phase::kIdle;
  stream_ = nullptr;
  client_ = nullptr;
  app_ = nullptr;
  desk_ = nullptr;
  rules_ = nullptr;
  match_.reset();
  snapshot_.reset();
  is_recorded_ = head_sent_ = continue_sent_ = reads_large_ = worker_closed_ = client_closed_ = answer_body_ended_ = false;
  lives_long_ = may_spool_ = is_closing_ = false;
  frames_ = {};
  total_until_ = {};
  connect_failures_ = 0;
}

}  // namespace proxy
