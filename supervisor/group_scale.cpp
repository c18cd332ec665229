// How many workers are wanted: as the settings or an order say, as the CPUs and the memory allow ("auto"), or
// as the load needs ({ min, max }). Here it is looked and done; scale.h decides.
#include <algorithm>

#include "runtime/log.h"
#include "runtime/machine.h"
#include "supervisor/group.h"
#include "supervisor/memory_advice.h"

namespace supervisor {
namespace {

using runtime::Milliseconds;

/// A burst has its workers started within 2 s.
constexpr Milliseconds kLookEvery{250};

Milliseconds since(runtime::Time then, runtime::Time now) {
  return std::max(Milliseconds(0), std::chrono::duration_cast<Milliseconds>(now - then));
}

}  // namespace

void Group::scale(std::size_t number) {
  make_way_for_order();
  is_pinned_ = true;
  want(number, "an order");
}

void Group::unpin() {
  if (is_pinned_) make_way_for_order();
  is_pinned_ = has_chosen_ = false;
  spare_since_ = settled_since_ = herd_.reaper.loop().now();
  const conf::Workers& workers = app().workers;
  const std::size_t most = workers.is_auto ? cpus() : workers.max;
  if (app().has_processes()) want(std::clamp(wanted_, std::min(workers.min, most), most), "the settings");
  look();
}

void Group::want(std::size_t number, std::string_view why) {
  if (number == wanted_) return;
  runtime::log(runtime::Level::kInfo, "another number of workers is wanted",
               {{"app", app().name}, {"workers", number}, {"before", wanted_}, {"cause", why}});
  want(number);
}

void Group::want(std::size_t number) {
  spare_since_ = settled_since_ = herd_.reaper.loop().now();
  wanted_ = number;
  note_promise();
  if (sleeps()) fall_asleep();
  look();
}

// Before the last worker is unpublished, so that whoever comes from now on is told of, if he is let in.
void Group::fall_asleep() {
  is_asleep_ = true;
  failures_ = 0;  // what was tried in vain is tried anew when somebody wants it
  tell_state();
}

void Group::on_wanted() {
  if (app().has_processes() && wanted_ == 0) want(1, "a request waits");
}

void Group::size_by_machine() {
  if (!app().workers.is_auto || is_pinned_ || wanted() == 0 || !is_all_ready()) return;
  const std::size_t most = cpus();
  if (wanted_ >= most && has_chosen_) return;
  const auto [number, why] = scale::automatic(most, memory());
  if (number <= wanted_ && std::exchange(has_chosen_, true)) return;
  runtime::log(runtime::Level::kInfo, "as many workers as this machine is good for",
               {{"app", app().name}, {"workers", std::max(number, wanted_)}, {"cause", why}});
  want(std::max(number, wanted_));
}

// While it is asleep, or has a fixed number, nobody looks: the machine may sleep, too.
void Group::watch_load() {
  const conf::Workers& workers = app().workers;
  const bool is_watched =
      is_wanted_ && !workers.is_auto && !workers.is_fixed() && !is_pinned_ && wanted() != 0;
  if (!is_watched) return load_.cancel();
  if (!load_.is_armed()) load_.arm(kLookEvery);
}

void Group::look_at_load() {
  const runtime::Time now = herd_.reaper.loop().now();
  const upstream::Scoreboard::AppGauges gauges = herd_.fronts.gauges(index_);
  if (std::exchange(unspared_, gauges.unspared) != gauges.unspared) spare_since_ = now;
  scale::Load load{.wanted = wanted_,
                   .slots = app().concurrency,
                   .busy = gauges.busy,
                   .waiting = gauges.queue,
                   .were_late = std::exchange(late_, gauges.late) != gauges.late,
                   .settled = since(settled_since_, now),
                   .spare = since(spare_since_, now)};
  load.ready = count_ready();
  if (gauges.waits_since != 0)
    load.longest_wait = since(runtime::Time(Milliseconds(gauges.waits_since)), now);
  if (wanted_ < app().workers.max && (load.waiting != 0 || load.were_late)) load.memory = memory();
  const auto [number, why] = scale::by_load(app(), load);
  const bool may_be = number > wanted_ || !rollout_;  // nobody goes to sleep before a release has been proven
  if (number != wanted_ && may_be) want(number, why);
  watch_load();
}

// When the first worker is ready, the one that is there: later nobody could tell what is left from what will be taken.
void Group::advise_on_memory() const {
  const conf::Workers& workers = app().workers;
  if (workers.is_auto || workers.max == 1) return;
  const scale::Memory held = memory();
  const auto advice = advice_on_memory({.wanted = workers.max,
                                        .fits = scale::fit(held).value_or(workers.max),
                                        .threads = app().kind() == conf::AppKind::kWsgi ? app().threads : 0,
                                        .one = held.one,
                                        .usable = std::min(runtime::usable_memory(), app().memory_max.value_or(runtime::usable_memory()))});
  if (!advice) return;
  runtime::log(runtime::Level::kWarning, "more workers are wanted than fit into the memory",
               {{"app", app().name},
                {"workers", workers.max},
                {"cause", *advice},
                {"remedy", "fewer workers with more threads, or workers = \"auto\", or a larger limit of memory (docs/containers.md)"}});
}

void Group::note_promise() {
  if (is_service()) return;
  const std::size_t held = count_ready();
  herd_.promised[index_].missing = is_wanted_ ? wanted() - std::min(held, wanted()) : 0;
}

// The others need not have looked, nor be ones that do.
void Group::note_size(const Worker& worker) {
  if (is_service()) return;
  runtime::Bytes& one = herd_.promised[index_].one;
  one = std::max(one, worker.memory().value_or(0));
}

scale::Memory Group::memory() const {
  scale::Memory memory{.available = within_share(scale::left_for(index_, runtime::available_memory(), herd_.promised))};
  for (const Worker* const worker : all()) {
    if (worker->state() != State::kReady) {
      if (worker->has_process()) ++memory.coming;
      continue;
    }
    ++memory.ready;
    memory.one = std::max(memory.one, worker->memory().value_or(0));
  }
  return memory;
}

}  // namespace supervisor
