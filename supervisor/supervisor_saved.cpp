// A supervisor from one program to the next: what is handed on, and how the next one goes on with it. All that can
// fail comes before anything is taken: until then the program before can have it back.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "runtime/log.h"
#include "supervisor/supervisor.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::Fd;
using runtime::Result;

Result<void> are_open(const std::vector<int>& descriptors) {
  for (const int fd : descriptors) {
    if (::fcntl(fd, F_GETFD) < 0)
      return runtime::fail(Code::kSystem, fmt::format("descriptor {} was handed on, but is not open", fd), errno);
  }
  return {};
}

// A copy: the one that was handed on is sealed against every writer but the program that made it.
Result<upstream::HerdBoard> copy_of(const saved::Board& board) {
  TRY(const auto before, upstream::ReadOnlyHerdBoard::adopt(runtime::duplicate(board.memory.number)));
  TRY(auto copy, upstream::HerdBoard::make("portherd-herd", /*others_may_write=*/false));
  std::memcpy(static_cast<void*>(&*copy), static_cast<const void*>(&*before), sizeof(upstream::HerdFigures));
  return copy;
}

std::set<std::uint32_t> rows_of(const saved::Supervisor& all) {
  std::set<std::uint32_t> taken;
  const auto take = [&](const saved::Worker& worker) {
    if (worker.process && worker.process->has_row) taken.insert(worker.process->about.row);
  };
  const auto take_all = [&](const saved::Group& group) {
    for (const upstream::Worker& proxy : group.proxies) taken.insert(proxy.row);
    for (const saved::LeavingProxy& proxy : group.leaving_proxies) taken.insert(proxy.about.row);
    for (const saved::Place& place : group.places) {
      take(place.holder);
      if (place.extra) take(*place.extra);
    }
  };
  for (const saved::Group& group : all.groups) {
    take_all(group);
    for (const saved::Group& service : group.services) take_all(service);
  }
  return taken;
}

Ground ground_of(const saved::Supervisor& all) {
  Ground ground{.settings = *saved::to_settings(all.settings),
                .apps = {},
                .accounts = {},
                .listeners = Listeners(all.listeners),
                .logs = {saved::take(all.error_log), saved::take(all.access_log)},
                .spool = saved::take(all.spool),
                .fence = fence_for(*saved::to_settings(all.settings)),
                .front_account = all.front_account,
                .python = saved::take(all.python)};
  for (const saved::Group& group : all.groups) {
    ground.apps.push_back(group.index);
    for (const saved::Release& release : group.releases)  // whose workers may be another release's than the settings'
      ground.fence.has_ports |= fence_for(*saved::to_settings(release.app)).has_ports;
    ground.accounts.push_back(
        std::ranges::find(group.releases, group.target, &saved::Release::generation)->account);
  }
  return ground;
}

std::vector<std::size_t> blocks_of(const saved::Front& front) {
  std::vector<std::size_t> blocks{front.current.block};
  for (const saved::FrontProcess& one : front.draining) blocks.push_back(one.block);
  return blocks;
}

}  // namespace

Result<void> Supervisor::may_be_saved() const {
  if (is_stopping_) return runtime::fail(Code::kSystem, "everything is ending");
  if (!has_started_) return runtime::fail(Code::kSystem, "the start is not over yet; try again soon");
  TRY_VOID(front_.may_be_saved());
  if (reload_.is_under_way()) return runtime::fail(Code::kSystem, "a reload is under way; try again when that is done");
  if (groups_.are_some_leaving())
    return runtime::fail(Code::kSystem, "an app that has gone still finishes what it has; try again when that is done");
  for (const auto& group : groups_.all()) {
    if (!group->is_being_changed()) continue;
    return runtime::fail(Code::kSystem,
                         fmt::format("app {} is being changed; try again when that is done", group->app().name));
  }
  return {};
}

Result<saved::Supervisor> Supervisor::save(const Asker& asker) const {
  TRY_VOID(may_be_saved());
  TRY(saved::Settings settings, saved::from_settings(ground_.settings));
  saved::Supervisor all{
      .program = {{options_.self.get()}, options_.program},
      .version = PORTHERD_VERSION,
      .settings = std::move(settings),
      .is_run = options_.is_run,
      .listeners = ground_.listeners.save(),
      .folder = folder_.save(),
      .control = control_->save(asker),
      .error_log = {ground_.logs.error.get()},
      .access_log = {ground_.logs.access.get()},
      .spool = {ground_.spool.get()},
      .python = {ground_.python.get()},
      .fronts_board = {{boards_.fronts.fd()}, sizeof(upstream::Blocks), upstream::kBlocksLayout},
      .herd_board = {{boards_.herd.fd()}, sizeof(upstream::HerdFigures), upstream::kHerdLayout},
      .front = front_.save(),
      .front_account = ground_.front_account,
      .descriptors = herd_.descriptors,
      .last_id = herd_.last_id,
      .rows = herd_.rows.used(),
      .explained_kills = herd_.explained_kills,
      .cgroups = cgroups_.root(),
      .groups = {},
      .reload = reload_.save(),
      .tails = output_.save()};
  for (const auto& group : groups_.all()) {
    TRY(saved::Group one, group->save());
    all.groups.push_back(std::move(one));
  }
  return all;
}

Result<std::unique_ptr<Supervisor>> Supervisor::adopt(const saved::Supervisor& all, Options options,
                                                      std::string refused) {
  TRY_VOID(saved::check(all));
  TRY_VOID(are_open(saved::descriptors_of(all)));
  TRY(upstream::Scoreboard fronts, upstream::Scoreboard::adopt(runtime::duplicate(all.fronts_board.memory.number)));
  TRY(upstream::HerdBoard herd, copy_of(all.herd_board));
  // Nothing fails from here on.
  for (const saved::Descriptor old : {all.fronts_board.memory, all.herd_board.memory, all.program.self}) saved::take(old);
  options.is_run = all.is_run;
  options.program = all.program.path;
  RuntimeFolder folder(all.folder);
  Foundation foundation{std::move(folder), {std::move(fronts), std::move(herd)}, ground_of(all)};
  foundation.boards.fronts.go_on(blocks_of(all.front), all.rows);
  std::unique_ptr<Supervisor> made(new Supervisor(std::move(foundation), std::move(options)));
  made->take_over(all);
  made->refused_ = std::move(refused);
  return made;
}

void Supervisor::take_over(const saved::Supervisor& all) {
  const auto slash = all.program.path.rfind('/');
  ::prctl(PR_SET_NAME, all.program.path.c_str() + (slash == std::string::npos ? 0 : slash + 1));
  herd_.rows.adopt(all.rows, rows_of(all));
  herd_.descriptors = all.descriptors;
  herd_.last_id = all.last_id;
  herd_.explained_kills = all.explained_kills;
  cgroups_.adopt(all.cgroups);
  output_.adopt(all.tails);
  front_.adopt(all.front);
  for (const saved::Group& group : all.groups) groups_.adopt(group);
  reload_.adopt(all.reload);
  control_ = Control::adopt(loop_, all.control, hear());
  control_->fronts_are([this](pid_t pid) { return front_.is_one(pid); });
  upgrader_ = control_->adopt_asker(saved::take(all.control.asker));
  before_ = all.version;
  has_started_ = true;
}

// The fronts of the program before serve until the first of ours does.
void Supervisor::go_on() {
  reaper_.sweep();
  samples_.begin();
  reload_.watch_certificates();
  service_.say("READY=1");
  watchdog_.begin();
  if (!refused_.empty()) {
    const runtime::Error why{Code::kSystem, std::exchange(refused_, "")};
    runtime::log(runtime::Level::kError, "no upgrade: everything is as it was", {{"error", why.text()}});
    return std::exchange(upgrader_, Asker()).refuse(why);
  }
  const auto begun = front_.replace([this](const Result<void>& how) { on_upgraded(how); });
  if (!begun) on_upgraded(begun);
}

void Supervisor::on_upgraded(const Result<void>& how) {
  const Asker asker = std::exchange(upgrader_, Asker());
  if (!how) {
    runtime::log(runtime::Level::kError, "upgraded, but the front is still the one before", {{"error", how.error().text()}});
    return asker.refuse({Code::kSystem, fmt::format("upgraded from {} to {}, but the front is still the one before: {}",
                                                    before_, PORTHERD_VERSION, how.error().text())});
  }
  runtime::log(runtime::Level::kInfo, "upgraded", {{"from", before_}, {"to", PORTHERD_VERSION}});
  asker.say(fmt::format("upgraded from {} to {}", before_, PORTHERD_VERSION));
  asker.done();
}

}  // namespace supervisor
