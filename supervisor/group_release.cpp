// A change of generation, from the order to its end: in force, or given up for the one before. Services follow
// when the workers are there (group_services.cpp): a release that fails has not touched them. The workers are
// replaced one after the other by group_replace.cpp, because their release is not the one that is wanted; here
// is only judged how far that has come. Read from top to bottom.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/log.h"
#include "supervisor/group.h"

namespace supervisor {

using runtime::Code;
using runtime::fail;
using runtime::Level;
using runtime::Result;

void Group::start(ReleaseCalls calls) {
  rollout_ = Rollout{.from = nullptr, .has_reached_services = true, .calls = std::move(calls)};
  is_wanted_ = true;
  if (is_asleep_) tell_state();
  look();
}

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
  auto again = std::make_shared<Release>(*before_);
  again->generation = ++last_generation_;
  again->zygote.reset();  // what was imported then is not what is to be imported now
  roll_to(std::move(again), std::move(calls));
  return {};
}

void Group::amend(conf::App app) {
  const bool is_other_number = app.workers != target_->app.workers;
  // What a `restart` may have to fall back to has the same settings, and is to keep them the same.
  if (rollout_ && rollout_->from && rollout_->from->app == target_->app) rollout_->from->app = app;
  target_->app = std::move(app);
  if (is_other_number) unpin();
  for (Worker* const worker : all()) worker->on_amended();
  replace_services(Whom::kChanged);
  look();
}

// A release that replaces one which is still on its way falls back to what that one would have. An app that is asleep has
// one worker wake to prove it: the first request would be the wrong one to learn that it does not boot.
void Group::roll_to(OwnRelease next, ReleaseCalls calls) {
  const std::optional<Rollout> pending = std::exchange(rollout_, std::nullopt);
  const std::uint32_t given_up = generation();
  const bool has_slept = has_been_ready_ && may_wake();
  const bool falls_back = pending && pending->has_to_fall_back;
  rollout_ = Rollout{.from = falls_back ? pending->from : target_,
                     .has_to_fall_back = falls_back || has_slept || std::ranges::any_of(places_, &Place::is_ready),
                     .calls = std::move(calls)};
  aim_at(std::move(next));
  if (may_wake()) want(1, "a release is to be proven");
  look();
  if (pending) pending->calls.on_done(fail(Code::kSystem, fmt::format("generation {} of app {} is given up: another release has taken its place", given_up, app().name)));
}

void Group::aim_at(OwnRelease release) {
  const bool is_other_number = release->app.workers != target_->app.workers;
  target_ = std::move(release);
  if (is_other_number) unpin();
  if (app().kind() == conf::AppKind::kProxy) renew_proxies();
}

void Group::judge_release() {
  if (!rollout_) return;
  const auto is_there = [this](const auto& place) {
    return place->is_ready() && place->holder->release() == target_;
  };
  const auto there = static_cast<std::size_t>(std::ranges::count_if(places_, is_there));
  if (there > rollout_->told) {
    rollout_->told = there;
    rollout_->calls.on_progress(fmt::format("app {}, generation {}: {} of {} workers ready", app().name,
                                            generation(), there, wanted()));
  }
  if (there < wanted()) return;
  if (!std::exchange(rollout_->has_reached_services, true)) replace_services(Whom::kAll);
  if (std::ranges::any_of(services_, &Group::is_being_released)) return;
  if (rollout_->from != target_) before_ = rollout_->from;
  if (!rollout_->trouble.empty()) return finish_release(fail(Code::kSystem, rollout_->trouble));
  runtime::log(Level::kInfo, "a release is in force", {{"app", app().name}, {"generation", generation()}});
  if (wanted() == 0 && app().has_processes() && !is_service()) {
    rollout_->calls.on_progress(fmt::format("app {}, generation {}: no worker runs now; the next one is of it", app().name, generation()));
  }
  finish_release({});
}

// Where nobody serves there is nothing to fall back to: what is wanted is tried again and again, as at the first
// boot.
void Group::fail_release(const Worker& worker) {
  std::string sentence = fmt::format("generation {} of app {} did not become ready: {}", generation(), app().name,
                                     worker.last_exit());
  if (rollout_->has_to_fall_back) {
    aim_at(rollout_->from);
    replace_services(Whom::kChanged);  // those that another release has reached on its way
    sentence += fmt::format("; generation {} stays", generation());
  }
  if (!worker.last_lines().empty()) sentence += fmt::format("\n{}", fmt::join(worker.last_lines(), "\n"));
  runtime::log(Level::kError, "a release has failed", {{"app", app().name}, {"cause", worker.last_exit()}});
  finish_release(fail(Code::kSystem, std::move(sentence)));
}

// By `stop APP`: nobody is left who could prove it, and nobody who serves and would have to be spared. It is what comes by
// `start APP`.
void Group::end_release_unproven() {
  before_ = rollout_->from;
  if (!rollout_->has_reached_services) replace_services(Whom::kAll);
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
