// A group from one program to the next: what is handed on, and what is made of it again. Where it stood in a
// release is not: no program is replaced while one is on its way.
#include <algorithm>

#include "supervisor/group.h"

namespace supervisor {

using runtime::Result;

namespace {

using OwnRelease = std::shared_ptr<Release>;

const OwnRelease& of_generation(const std::vector<OwnRelease>& releases, std::uint32_t generation) {
  return *std::ranges::find(releases, generation, [](const OwnRelease& one) { return one->generation; });
}

using File = std::optional<Variables>;
using SavedFile = std::optional<std::vector<saved::Variable>>;

File to_file(const SavedFile& saved) {
  File file;
  if (!saved) return file;
  file.emplace();
  for (const saved::Variable& one : *saved) (*file)[one.name] = one.value;
  return file;
}

SavedFile from_file(const File& file) {
  SavedFile saved;
  if (!file) return saved;
  saved.emplace();
  for (const auto& [name, value] : *file) saved->push_back({name, value});
  return saved;
}

OwnRelease to_release(const auto& saved, conf::App app) {
  return std::make_shared<Release>(Release{.generation = saved.generation,
                                           .app = std::move(app),
                                           .account = saved.account,
                                           .file_environment = to_file(saved.file_environment)});
}

/// Of an app, with what its services are started from. What its settings do not name is no more.
OwnRelease to_whole_release(const saved::Release& saved) {
  OwnRelease release = to_release(saved, *saved::to_app(saved.app));
  for (const conf::Service& service : release->app.services) {
    conf::App process = conf::service_app(release->app, service);
    const auto found = std::ranges::find(saved.services, process.name, &saved::ServiceRelease::name);
    if (found == saved.services.end()) continue;
    OwnRelease& kept = release->services[process.name];
    kept = to_release(*found, std::move(process));
  }
  return release;
}

// They live as long as workers hold them.
std::vector<std::shared_ptr<Zygote>> adopt_zygotes(Reaper& reaper, const std::vector<saved::Release>& saved,
                                                   const std::vector<OwnRelease>& releases) {
  std::vector<std::shared_ptr<Zygote>> zygotes;
  for (const saved::Release& one : saved) {
    if (!one.zygote) continue;
    const OwnRelease& release = of_generation(releases, one.generation);
    release->zygote = zygotes.emplace_back(std::make_shared<Zygote>(reaper, *one.zygote, release->app.name));
  }
  return zygotes;
}

saved::Release from_release(const Release& release, saved::Settings app) {
  saved::Release saved{.generation = release.generation,
                       .app = std::move(app),
                       .account = release.account,
                       .file_environment = from_file(release.file_environment)};
  for (const auto& [name, service] : release.services) {
    if (!service) continue;
    saved.services.push_back({.name = name,
                              .generation = service->generation,
                              .account = service->account,
                              .file_environment = from_file(service->file_environment)});
  }
  // One that imports prints into the pipes of a worker that is given up: the next start begins with another one.
  const auto zygote = release.zygote.lock();
  if (zygote && zygote->is_alive() && zygote->is_idle()) saved.zygote = zygote->save();
  return saved;
}

// saved::check() has found them all.
std::vector<OwnRelease> to_releases(const std::vector<saved::Release>& saved) {
  std::vector<OwnRelease> releases;
  for (const saved::Release& one : saved) releases.push_back(to_whole_release(one));
  return releases;
}

}  // namespace

Result<saved::Group> Group::save() const {
  saved::Group saved{.index = index_,
                     .target = target_->generation,
                     .last_generation = last_generation_,
                     .wanted = wanted_,
                     .is_pinned = is_pinned_,
                     .has_chosen = has_chosen_,
                     .is_asleep = is_asleep_,
                     .explained_in_share = explained_in_share_,
                     .gate = gate_,
                     .notice = notice_,
                     .paused_until = paused_until(),
                     .late = late_,
                     .unspared = unspared_,
                     .spare_since = spare_since_,
                     .settled_since = settled_since_,
                     .proxies = proxies_,
                     .leaving_proxies = leaving_proxies_,
                     .spent_until = allowance_.spent_until(),
                     .failures = failures_,
                     .has_been_ready = has_been_ready_,
                     .last_exit = last_exit_};
  if (before_) saved.before = before_->generation;
  if (sources_) saved.sources = sources_->folders();
  for (const auto& place : places_) {
    saved::Place& one = saved.places.emplace_back(saved::Place{.slot = place->slot(),
                                                               .holder = place->holder->save(),
                                                               .has_successor = place->has_successor,
                                                               .is_leaving = place->is_leaving});
    if (place->extra) one.extra = place->extra->save();
  }
  for (const auto& service : services_) {
    TRY(saved::Group one, service->save());
    saved.services.push_back(std::move(one));
  }
  if (is_service()) {
    saved.name = app().name;
    saved.before.reset();
    saved.releases.push_back(from_release(*target_, {}));
    return saved;
  }
  for (const ReleaseRef& release : releases()) {
    TRY(saved::Settings app, saved::from_app(release->app));
    saved.releases.push_back(from_release(*release, std::move(app)));
  }
  return saved;
}

// Of a service only what is wanted can be handed on, for it is made of its app's settings: nobody may be left of what was.
bool Group::is_being_changed() const {
  const auto is_of_another = [this](const Worker* worker) { return worker->release() != target_; };
  return rollout_ || awaited_ || !when_gone_.empty() || (is_service() && std::ranges::any_of(all(), is_of_another)) ||
         std::ranges::any_of(services_, [](const auto& service) { return service->is_being_changed() || service->is_stopping(); });
}

// Each once: what is wanted, what was, and whatever somebody still is of.
std::vector<ReleaseRef> Group::releases() const {
  std::vector<ReleaseRef> releases{target_};
  if (before_) releases.push_back(before_);
  for (const Worker* const worker : all()) {
    if (std::ranges::find(releases, worker->release()) == releases.end()) releases.push_back(worker->release());
  }
  return releases;
}

Group::Group(Herd& herd, const saved::Group& saved, GroupCalls calls)
    : Group(herd, to_releases(saved.releases), saved, calls, /*owner=*/nullptr) {}

Group::Group(Herd& herd, const std::vector<OwnRelease>& releases, const saved::Group& saved, GroupCalls calls, Group* owner)
    : Group(herd, of_generation(releases, saved.target), saved.index, calls, owner, /*is_adopted=*/true) {
  if (saved.before) before_ = of_generation(releases, *saved.before);
  last_generation_ = saved.last_generation;
  wanted_ = saved.wanted;
  is_pinned_ = saved.is_pinned;
  has_chosen_ = saved.has_chosen;
  is_asleep_ = saved.is_asleep;
  explained_in_share_ = saved.explained_in_share;
  gate_ = saved.gate;
  notice_ = saved.notice;
  if (saved.paused_until) pause_.arm_at(*saved.paused_until);
  late_ = saved.late;
  unspared_ = saved.unspared;
  spare_since_ = saved.spare_since;
  settled_since_ = saved.settled_since;
  proxies_ = saved.proxies;
  leaving_proxies_ = saved.leaving_proxies;
  allowance_ = Allowance(saved.spent_until);
  failures_ = saved.failures;
  has_been_ready_ = saved.has_been_ready;
  last_exit_ = saved.last_exit;
  const auto zygotes = adopt_zygotes(herd_.reaper, saved.releases, releases);
  for (const saved::Place& one : saved.places) adopt_place(one, releases);
  for (const saved::Group& one : saved.services) adopt_service(one);
  on_imported(saved.sources);
  is_wanted_ = true;
  look();
}

// Its release is what its app's settings make of it. One that they do not name is no more: it cannot be, for none was
// being changed.
void Group::adopt_service(const saved::Group& saved) {
  for (const conf::Service& service : app().services) {
    conf::App process = conf::service_app(app(), service);
    if (process.name != saved.name) continue;
    OwnRelease& kept = target_->services[process.name];
    const OwnRelease own = to_release(saved.releases.front(), std::move(process));
    if (!kept) kept = own;
    const std::vector<OwnRelease> releases{kept->generation == own->generation ? kept : own};
    services_.emplace_back(new Group(herd_, releases, saved, calls_of_service(), this));
  }
}

void Group::adopt_place(const saved::Place& saved, const std::vector<OwnRelease>& releases) {
  const auto adopted = [&](const saved::Worker& worker) {
    return std::make_unique<Worker>(herd_, *this, of_generation(releases, worker.generation), index_, saved.slot, worker);
  };
  Place& place = *places_.emplace_back(std::make_unique<Place>(adopted(saved.holder)));
  if (saved.extra) place.extra = adopted(*saved.extra);
  place.has_successor = saved.has_successor;
  place.is_leaving = saved.is_leaving;
}

}  // namespace supervisor
