// Who has ordered an app to start, or another number of workers, hears how far that is and when it is done. Nothing is done
// for him here: group.cpp fills the places, whether anybody waits for it or not. Read from top to bottom.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "conf/units.h"
#include "supervisor/group.h"

namespace supervisor {

using runtime::Code;
using runtime::fail;
using runtime::Milliseconds;
using runtime::Result;

namespace {

// The one that runs out of boot_timeout says more than that too few are ready.
constexpr Milliseconds kMoreThanBoot{5000};

}  // namespace

void Group::when_ready(Whom whom, ReleaseCalls calls) {
  make_way_for_order();
  awaited_ = Awaited{.whom = whom, .calls = std::move(calls)};
  patience_.arm(app().boot_timeout + kMoreThanBoot);
  look();
}

void Group::make_way_for_order() {
  finish_awaiting(fail(Code::kSystem, fmt::format("app {}: another order has taken its place", app().name)));
}

std::size_t Group::count_ready() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(workers(), [](const Worker* worker) { return worker->state() == State::kReady; }));
}

void Group::judge_awaited() {
  if (!awaited_) return;
  if (gate_ == upstream::Gate::kStopped)
    return finish_awaiting(fail(Code::kSystem, fmt::format("app {} has been stopped meanwhile", app().name)));
  const std::size_t there = count_ready();
  if (there > awaited_->told) {
    awaited_->told = there;
    awaited_->calls.on_progress(fmt::format("app {}: {} of {} workers ready", app().name, there, wanted()));
    patience_.arm(app().boot_timeout + kMoreThanBoot);
  }
  const bool is_one_missing = awaited_->whom == Whom::kServicesToo && state_of_services() != "ready";
  if (there >= wanted() && !is_one_missing) finish_awaiting({});
}

// Who is to come in the place of one that serves is none of those who are missing, nor is who leaves.
void Group::on_awaited_boot_failed(const Group& whose, const Worker& worker) {
  if (!awaited_ || (whose.is_service() && awaited_->whom == Whom::kWorkers)) return;
  if (!whose.is_service() && std::ranges::count(workers(), &worker) == 0) return;
  const std::string who = whose.is_service() ? "service " + whose.app().name
                                             : fmt::format("app {}, worker {}", app().name, worker.slot());
  std::string sentence = fmt::format("{} did not become ready: {}; it is tried again", who, worker.last_exit());
  if (!worker.last_lines().empty()) sentence += fmt::format("\n{}", fmt::join(worker.last_lines(), "\n"));
  finish_awaiting(fail(Code::kSystem, std::move(sentence)));
}

void Group::on_patience_over() {
  finish_awaiting(fail(Code::kSystem, fmt::format("app {}: {} of {} workers are ready, and no other one has become so within "
                                                  "boot_timeout ({}); those that are missing are tried again",
                                                  app().name, count_ready(), wanted(), conf::print_duration(app().boot_timeout))));
}

// Who is told may give the next order.
void Group::finish_awaiting(const Result<void>& how) {
  patience_.cancel();
  if (!awaited_) return;
  const ReleaseCalls calls = std::move(awaited_->calls);
  awaited_.reset();
  calls.on_done(how);
}

}  // namespace supervisor
