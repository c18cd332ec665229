// A worker for the exchange: the line, and whether there is another try when one has failed.
#include <algorithm>

#include "proxy/exchange.h"
#include "proxy/front_thread.h"

namespace proxy {
namespace {

using upstream::Acquired;
using upstream::Refusal;
using upstream::Verdict;

// Workers that take no connection, one after the other, before a request is given up.
constexpr std::uint8_t kMostConnectFailures = 8;

}  // namespace

void Exchange::seek(upstream::WorkerId tried) {
  phase_ = Phase::kSeek;
  record_.seek(thread_.loop().now());
  const upstream::Ask ask{.address = client_->peer.key(),
                          .may_repeat = upstream::is_idempotent(request_.method) && upload_.is_here_whole(),
                          .tried = tried,
                          .is_suspect = is_suspect(),
                          .queue_timeout = rules_->queue_timeout};
  switch (desk_->dispatch().acquire(*desk_, ticket_, lease_, ask)) {
    case Acquired::kLeased:
      return send();
    case Acquired::kWaiting:
      return arm_patience();
    case Acquired::kRefused:
      return on_refused(ticket_.refusal());
  }
}

/// When the app's first worker becomes ready the end moves; nobody tells us, so we look again in time. A retry may be out of time before.
void Exchange::arm_patience() {
  const runtime::Time now = thread_.loop().now(), end = ticket_.patience_ends();
  if (now >= end) return on_refused(Refusal::kTimeout);
  const runtime::Time look_again = std::min(end, now + rules_->queue_timeout);
  deadline_.arm_at(total_until_ != runtime::Time{} ? std::min(look_again, total_until_) : look_again);
}

void Exchange::on_leased(upstream::Lease& lease) {
  if (!lease) return on_refused(ticket_.refusal());
  lease_ = std::move(lease);
  send();
}

/// There is no slot for it, and there will be none.
void Exchange::on_refused(Refusal why) {
  // Nobody came to try again with: what the client hears is how the first attempt ended.
  const bool is_retry = record_.attempts > 0 && why == Refusal::kTimeout;
  if (is_retry || why == Refusal::kNoOther) return answer_ourselves(502, failure_);
  if (why == Refusal::kClosed) return answer_closed();
  if (why == Refusal::kNotBooted) return answer_ourselves(503, kNotBooted);
  if (why == Refusal::kGone) return answer_ourselves(503, kAppGone);
  answer_ourselves(503, why == Refusal::kFull ? kQueueFull : kQueueTimeout);
}

void Exchange::attempt_failed(const Outcome& outcome, bool connect_failed) {
  failure_ = outcome;
  if (!connect_failed) {
    note_loss();
    if (const auto worker = awaited_word()) return hold_inquest(*worker);
  }
  decide(connect_failed);
}

void Exchange::decide(bool connect_failed) {
  // A worker that took no connection has not had the request; it counts as tried only against a bound of its own.
  const bool gives_up = connect_failed && ++connect_failures_ >= kMostConnectFailures;
  const upstream::Attempt attempt{.attempts = gives_up ? upstream::kMostAttempts : static_cast<unsigned>(record_.attempts - connect_failures_),
                                  .is_idempotent = upstream::is_idempotent(request_.method),
                                  .connect_failed = connect_failed,
                                  .was_not_taken = !connect_failed && reader_.was_not_taken(),
                                  .accepted = upload_.accepted(),
                                  .answer_begun = head_sent_,
                                  .body_is_here = upload_.can_start_again(),
                                  .deaths = deaths()};
  switch (upstream::decide(attempt)) {
    case Verdict::kRetry:
      return try_again(connect_failed);
    case Verdict::kIncident:
      return answer_incident();
    case Verdict::kAnswerBegun:
    case Verdict::kTriedTwice:
    case Verdict::kMayHaveRun:
    case Verdict::kBodyGone:
      return give_up(connect_failed);
  }
}

void Exchange::give_up(bool connect_failed) {
  if (!connect_failed) blame_worker("worker gave no answer", cause_of_loss());
  answer_ourselves(502, failure_);
}

/// The lease may have gone home by now (hold_inquest), and where there was no connection to be had it has none.
void Exchange::try_again(bool connect_failed) {
  upstream::Dispatch& dispatch = desk_->dispatch();
  // A worker that is well may close an idle connection just when it is used; if it is the only one, it is asked again.
  const upstream::WorkerId failed = record_.worker;
  const bool is_alone = !connect_failed && !dispatch.has_other(failed);
  const bool is_same_again = is_alone && lease_.is_connected() && lease_.connection().is_reused();
  if (is_alone && !is_same_again && record_.has_lost(failed) && dispatch.death_of(failed) == upstream::Death::kUnknown) {
    // Another one comes only if this one has died.
    if (lease_) return hold_inquest(failed);
    return give_up(connect_failed);
  }
  if (is_same_again) ++connect_failures_;  // it may never have had the request; if it is dying, another is still to be tried
  lease_.give_back(false);
  from_worker_.clear();
  seek(is_same_again ? 0 : failed);
}

}  // namespace proxy
