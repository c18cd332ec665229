// A change of generation, from the order to its end: in force, or given up for the one before. Services follow
// when the workers are there (group_services.cpp). One that fails is put back as a whole: whatever has been
// replaced is replaced back, and then whoever ordered it hears of it. The workers are replaced one after the other by
// group_replace.cpp, because their release is not the one that is wanted; here is only judged how far that has come.
// Read from top to bottom.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/log.h"
#include "supervisor/group.h"

namespace supervisor {

using runtime::Code;
using runtime::fail;
using runtime::Level;
using runtime::Result;

void Group::release(conf::App app, Account account, ReleaseCalls calls) {
  roll_to(std::make_shared<Release>(
              Release{.generation = ++last_generation_, .app = std::move(app), .account = std::move(account)}),
          std::move(calls));
}

// While one is on its way, what is in force is the one before it.
Result<void> Group::roll_back(ReleaseCalls calls) {
  if (rollout_ && rollout_->has_to_fall_back) {
    roll_to(rollout_->from, std::move(calls));
    return {};
  }
  if (!before_) return fail(Code::kSystem, fmt::format("app {} has no generation before this one", app().name));
  go_back_to(*before_, std::move(calls));
  return {};
}

void Group::go_back_to(const Release& kept, ReleaseCalls calls) {
  auto again = std::make_shared<Release>(kept);
  again->generation = ++last_generation_;
  again->zygote.reset();  // what was imported then is not what is to be imported now
  roll_to(std::move(again), std::move(calls));
}

bool Group::amend(conf::App app, ReleaseCalls calls) {
  const bool is_other_number = app.workers != target_->app.workers;
  // What a `restart` may have to fall back to has the same settings, and is to keep them the same.
  if (rollout_ && rollout_->from->app == target_->app) rollout_->from->app = app;
  target_->app = std::move(app);
  if (is_other_number) unpin();
  for (Worker* const worker : all()) worker->on_amended();
  look();
  return amend_services(std::move(calls));
}

// Where a release is on its way they follow its workers, as ever.
bool Group::amend_services(ReleaseCalls calls) {
  if (rollout_ && !rollout_->has_reached_services) return false;
  const bool is_alone = !rollout_;
  if (is_alone) rollout_ = Rollout{.from = target_, .is_of_services = true, .has_reached_services = true, .calls = std::move(calls)};
  replace_services();
  const bool is_one_replaced = std::ranges::any_of(services_, &Group::is_being_released) || !rollout_->trouble.empty();
  if (is_alone && !is_one_replaced) rollout_.reset();
  return is_alone && is_one_replaced;
}

void Group::prove(ReleaseCalls calls) {
  rollout_ = Rollout{.from = target_, .calls = std::move(calls)};
}

// A release that replaces one which is still on its way falls back to what that one would have. An app that is asleep has
// one worker wake to prove it: the first request would be the wrong one to learn that it does not boot. One that is just
// being woken is as good as asleep: what it slept with has worked.
void Group::roll_to(OwnRelease next, ReleaseCalls calls) {
  const std::optional<Rollout> pending = std::exchange(rollout_, std::nullopt);
  const std::uint32_t given_up = generation();
  const bool has_slept = has_been_ready_ && is_asleep_ && failures_ == 0 && !is_service() && gate_ != upstream::Gate::kStopped;
  const bool falls_back = pending && pending->has_to_fall_back;
  const bool serves = places_.empty() ? std::ranges::any_of(services_, &Group::is_all_ready) : std::ranges::any_of(places_, &Place::is_ready);
  rollout_ = Rollout{.from = falls_back ? pending->from : target_,
                     .has_to_fall_back = falls_back || has_slept || serves,
                     .pinned = falls_back ? pending->pinned : pinned(),
                     .calls = std::move(calls)};
  aim_at(std::move(next));
  if (may_wake()) want(1, "a release is to be proven");
  look();
  if (!pending || is_service()) return;  // whose app has ordered both, and waits for this one
  const std::string sentence = fmt::format("generation {} of app {} is given up: another release has taken its place", given_up, app().name);
  pending->calls.on_done(fail(Code::kSystem, pending->failure.empty() ? sentence : pending->failure));
}

void Group::aim_at(OwnRelease release) {
  const bool is_other_number = release->app.workers != target_->app.workers;
  target_ = std::move(release);
  watch_sources();
  if (is_other_number) unpin();
  if (app().kind() == conf::AppKind::kProxy) renew_proxies();
}

void Group::judge_release() {
  if (!rollout_) return;
  const auto is_there = [this](const auto& place) {
    return place->is_ready() && place->holder->release() == target_;
  };
  const auto there = static_cast<std::size_t>(std::ranges::count_if(places_, is_there));
  if (there > rollout_->told && !rollout_->is_of_services) {
    rollout_->told = there;
    rollout_->calls.on_progress(fmt::format("app {}, generation {}: {} of {} workers ready", app().name,
                                            generation(), there, wanted()));
  }
  if (there < wanted() && !rollout_->is_of_services) return;
  if (!std::exchange(rollout_->has_reached_services, true)) replace_services();
  if (std::ranges::any_of(services_, &Group::is_being_released)) return;
  if (!rollout_->failure.empty()) return finish_release(fail(Code::kSystem, rollout_->failure));
  if (!rollout_->trouble.empty()) {
    const std::string trouble = rollout_->trouble;
    const std::size_t line = std::min(trouble.find('\n'), trouble.size());
    return fall_back(trouble.substr(0, line), std::string_view(trouble).substr(std::min(line + 1, trouble.size())));
  }
  if (rollout_->is_of_services) return finish_release({});
  if (rollout_->from != target_) before_ = rollout_->from;
  runtime::log(Level::kInfo, "a release is in force", {{"app", app().name}, {"generation", generation()}});
  if (wanted() == 0 && app().has_processes() && !is_service()) {
    rollout_->calls.on_progress(fmt::format("app {}, generation {}: no worker runs now; the next one is of it", app().name, generation()));
  }
  finish_release({});
}

// Where nobody serves there is nothing to fall back to: what is wanted is tried again and again, as at the first
// boot. So it is with what was before, should that not come up again either; then the first failure is told.
void Group::fall_back(std::string sentence, std::string_view lines) {
  if (!rollout_->failure.empty()) return finish_release(fail(Code::kSystem, rollout_->failure));
  runtime::log(Level::kError, "a release has failed", {{"app", app().name}, {"cause", sentence}});
  if (rollout_->has_to_fall_back && !is_service()) sentence += fmt::format("; generation {} stays", rollout_->from->generation);
  if (!lines.empty()) sentence += fmt::format("\n{}", lines);
  if (!rollout_->has_to_fall_back) return finish_release(fail(Code::kSystem, std::move(sentence)));
  rollout_->failure = std::move(sentence);
  rollout_->told = wanted();
  const std::optional<std::size_t> number = is_pinned_ ? wanted_ : rollout_->pinned;  // other settings have ended that
  aim_at(rollout_->from);
  if (number && !is_pinned_) scale(*number);
  replace_services();
  look();
}

// By `stop APP`: nobody is left who could prove it, and nobody who serves and would have to be spared. It is what comes by
// `start APP`, unless it has failed already.
void Group::end_release_unproven() {
  if (!rollout_->failure.empty()) return finish_release(fail(Code::kSystem, rollout_->failure));
  if (rollout_->from != target_) before_ = rollout_->from;
  if (!rollout_->has_reached_services) replace_services();
  finish_release(fail(Code::kSystem, fmt::format("app {0} was stopped before generation {1} was in force: `portherd start {0}` begins with that",
                                                 app().name, generation())));
}

// Who is told may order the next one.
void Group::finish_release(const Result<void>& how) {
  const ReleaseCalls calls = std::move(rollout_->calls);
  rollout_.reset();
  calls.on_done(how);
}

}  // namespace supervisor
