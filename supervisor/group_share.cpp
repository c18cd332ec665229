// What all processes of an app may take together, where it has a cgroup: which limits that has, and what follows from them
// for the number of workers and for the cause of a death. The group is there from the first process that starts in it
// until the app goes; an upgrade keeps it.
#include <algorithm>

#include "runtime/machine.h"
#include "supervisor/group.h"

namespace supervisor {
namespace {

Share widened(Share share, const std::vector<Worker*>& workers) {
  for (const Worker* const worker : workers) {
    const conf::App& other = worker->release()->app;
    if (worker->has_process() && other.is_confined()) share = widest(share, share_of(other));
  }
  return share;
}

}  // namespace

// Of all releases that have a process in it, services included, and of the one that is wanted.
Share Group::share() const {
  Share share = widened(share_of(app()), all());
  for (const auto& service : services_) share = widened(share, service->all());
  return share;
}

Cgroups::Entry Group::enter_cgroup(const conf::App& process) {
  if (!process.is_confined()) return {};
  Group& all = whole();
  all.share_ = all.share();
  return herd_.cgroups.enter(all.app().name, all.share_);
}

// When the last process of a generation that had wider ones has gone, which may be a service's.
void Group::settle_share() {
  Group& all = whole();
  const Share settled = all.share();
  if (all.share_ == settled) return;
  all.share_ = settled;
  herd_.cgroups.limit(all.app().name, settled);
}

std::size_t Group::cpus() const {
  const std::size_t usable = runtime::usable_cpus();
  return app().cpu_max ? std::min(usable, (app().cpu_max->percent + 99) / 100) : usable;
}

runtime::Bytes Group::within_share(runtime::Bytes left) const {
  return app().memory_max ? std::min(left, herd_.cgroups.memory_left(app().name).value_or(left)) : left;
}

// A group of its own counts those who were in it, whoever's limit it was.
std::optional<std::uint64_t> Group::kills_in_share(const conf::App& process) const {
  return process.is_confined() ? herd_.cgroups.oom_kills(whole().app().name) : std::nullopt;
}

runtime::OomKills Group::oom_kills(const conf::App& process) const {
  runtime::OomKills kills = runtime::oom_kills();
  kills.in_cgroup = kills_in_share(process).value_or(kills.in_cgroup);
  return kills;
}

runtime::OomKills Group::explained_kills(const conf::App& process) const {
  runtime::OomKills explained = herd_.explained_kills;
  if (kills_in_share(process)) explained.in_cgroup = whole().explained_in_share_;
  return explained;
}

void Group::explain_one_kill(const conf::App& process, const runtime::OomKills& before) {
  const runtime::OomKills explained = with_one_more(explained_kills(process), before, oom_kills(process));
  herd_.explained_kills.on_machine = explained.on_machine;
  (kills_in_share(process) ? whole().explained_in_share_ : herd_.explained_kills.in_cgroup) = explained.in_cgroup;
}

}  // namespace supervisor
