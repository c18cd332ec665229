// The services of an app: processes without HTTP beside its workers, each a group of one worker of its own
// (docs/design.md, "Services"). They start with the app, and wait for nobody; are replaced when a release has all
// of its workers; and end when the workers have. Read from top to bottom.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/log.h"
#include "supervisor/group.h"

namespace supervisor {

using runtime::Level;
using runtime::log;

/// Null: there is no such account, which has been logged.
Group* Group::add_service(conf::App process) {
  auto account = app_account(process);
  if (!account) {
    log(Level::kError, "a service cannot be started", {{"app", process.name}, {"error", account.error().text()}});
    return nullptr;
  }
  Group& added = *services_.emplace_back(
      std::make_unique<Group>(herd_, std::move(process), std::move(*account), index_, calls_of_service(), this));
  OwnRelease& kept = target_->services[added.app().name];
  if (kept && kept->app == added.app()) added.target_->file_environment = kept->file_environment;
  kept = added.target_;
  return &added;
}

GroupCalls Group::calls_of_service() {
  return {.on_stopped = runtime::bind<&Group::look>(this), .on_failed = runtime::bind<&Group::on_service_failed>(this)};
}

// As the release that is wanted has them: by name, those that it does not have any more end. Who runs for it already, by the
// settings that it has by now, is left alone.
void Group::replace_services() {
  std::vector<Group*> gone;
  for (const auto& service : services_) gone.push_back(service.get());
  for (const conf::Service& wanted : app().services) {
    conf::App next = conf::service_app(app(), wanted);
    const auto found = std::ranges::find_if(
        gone, [&](const Group* has) { return !has->is_stopping() && has->app().name == next.name; });
    if (found == gone.end()) {
      Group* const added = add_service(next);
      if (added != nullptr) added->prove(calls_of_release(next.name));
      continue;
    }
    Group& service = **found;
    gone.erase(found);
    const OwnRelease& kept = target_->services[next.name];
    if (service.target_ != kept || service.app() != next) replace_service(service, std::move(next));
  }
  for (Group* const service : gone) service->stop();
}

// How it fares is a part of how the release fares that is on its way by then, if it is of the same generation.
ReleaseCalls Group::calls_of_release(const std::string& service) {
  const std::uint32_t of = generation();
  return {.on_progress = [this, of](const std::string& sentence) {
            if (rollout_ && generation() == of) rollout_->calls.on_progress(sentence);
          },
          .on_done = [this, of, service](const runtime::Result<void>& how) {
            if (!how && rollout_ && generation() == of) rollout_->trouble = fmt::format("service {}: {}", service, how.error().text());
            look();
          }};
}

// A generation that had it once has it again as it was then, with what its env_file said.
void Group::replace_service(Group& service, conf::App next) {
  const ReleaseCalls calls = calls_of_release(next.name);
  OwnRelease& kept = target_->services[next.name];
  if (kept && kept->app == next) {
    service.go_back_to(*kept, calls);
  } else {
    auto account = app_account(next);
    if (!account) {
      log(Level::kError, "a service cannot be replaced", {{"app", next.name}, {"error", account.error().text()}});
      return calls.on_done(std::unexpected(account.error()));
    }
    service.release(std::move(next), std::move(*account), calls);
  }
  kept = service.target_;
}

// Those that the settings do not have any more are forgotten, those that are new started. `stop APP` takes all, after
// the workers.
void Group::settle_services() {
  std::erase_if(services_, [](const auto& service) { return service->is_stopping() && service->is_stopped(); });
  const bool is_off = gate_ == upstream::Gate::kStopped;
  if (is_off && !places_.empty()) return;
  const std::size_t each = is_off ? 0 : 1;
  for (const auto& service : services_) {
    if (service->wanted_ != each) service->want(each);
    begin_service(*service);
  }
}

// Not beside one of the same name that has not ended yet.
void Group::begin_service(Group& service) {
  if (service.is_wanted_ || service.is_stopping()) return;
  const bool is_first = std::ranges::none_of(services_, [&](const auto& other) {
    return other->is_stopping() && other->app().name == service.app().name;
  });
  if (is_first) service.start();
}

void Group::stop_services() {
  if (!have_workers_ended()) return;
  for (const auto& service : services_) service->stop();
}

bool Group::have_workers_ended() const {
  return std::ranges::none_of(all(), &Worker::has_process);
}

// What an app is whose workers are all ready.
std::string_view Group::state_of_services() const {
  const auto are_all = [this](auto... states) {
    return std::ranges::all_of(services_, [&](const auto& service) { return ((service->state() == states) || ...); });
  };
  if (are_all("ready")) return "ready";
  return are_all("ready", "starting") ? "starting" : "degraded";
}

}  // namespace supervisor
