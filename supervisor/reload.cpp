#include "supervisor/reload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <time.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "conf/check.h"
#include "runtime/log.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Level;
using runtime::log;
using runtime::Result;

// systemd's Type=notify-reload compares it with the moment of its signal (sd_notify(3)).
std::string reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000 + now.tv_nsec / 1000);
}

runtime::Error to_error(const std::vector<conf::Problem>& problems) {
  std::vector<std::string> texts;
  for (const conf::Problem& problem : problems) texts.push_back(conf::text(problem));
  return {Code::kConfig, fmt::format("{}\n{}", problems.size() == 1 ? "1 problem" : fmt::format("{} problems", problems.size()),
                                     fmt::join(texts, "\n"))};
}

// Of many problems the first, and where it is.
std::string in_one_line(std::string sentence) {
  sentence.resize(std::min(sentence.size(), sentence.find('\n', std::min(sentence.find('\n'), sentence.size() - 1) + 1)));
  std::ranges::replace(sentence, '\n', ' ');
  return sentence;
}

const conf::App* find_app(const conf::Settings& settings, std::string_view name) {
  const auto found = std::ranges::find(settings.apps, name, &conf::App::name);
  return found == settings.apps.end() ? nullptr : &*found;
}

}  // namespace

// ---- what there is to do ----

AppStep step_for(const conf::App& now, const conf::App& next, const std::vector<conf::Change>& changes) {
  const bool was_proxy = now.kind() == conf::AppKind::kProxy;
  if (now.has_processes() != next.has_processes() || was_proxy != (next.kind() == conf::AppKind::kProxy))
    return AppStep::kRenew;
  const bool rolls = std::ranges::any_of(changes, [&](const conf::Change& change) {
    return change.app == next.name && change.cost == conf::Cost::kRolling;
  });
  // What stands at its addresses is not ours to replace, but the front has to be told of each anew.
  const bool is_another_proxy = was_proxy && (now.proxy != next.proxy || now.concurrency != next.concurrency);
  if (rolls || is_another_proxy) return AppStep::kRelease;
  return now == next ? AppStep::kNothing : AppStep::kAmend;
}

conf::Settings as_compared(conf::Settings now, const Groups& groups) {
  for (conf::App& app : now.apps) {
    if (const Group* const group = groups.find(app.name)) app = group->app();
  }
  return now;
}

conf::Settings without_restart(conf::Settings next, const conf::Settings& now) {
  next.front.threads = now.front.threads;
  next.front.user = now.front.user;
  next.control = now.control;
  return next;
}

Reload::Reload(runtime::Loop& loop, Ground& ground, const Options& options, Groups& groups, Front& front, const ServiceNotify& service)
    : ground_(ground),
      options_(options),
      groups_(groups),
      front_(front),
      service_(service),
      unused_(ground.apps.empty() ? 0 : std::size_t{*std::ranges::max_element(ground.apps)} + 1),
      certificates_(loop, runtime::bind<&Reload::on_certificates_changed>(this)) {}

void Reload::order(const Asker& asker) {
  if (!options_.load) {
    log(Level::kWarning, "there is nothing to reload, for the settings came from no file; `portherd restart APP` begins with new code");
    return asker.refuse({Code::kConfig, "there is nothing to reload: it was started without a file"});
  }
  if (is_over_) return asker.refuse({Code::kSystem, "nothing is reloaded: everything is ending"});
  if (!is_under_way_) return begin({asker});
  std::erase_if(waiting_, [](const Asker& one) { return !one.is_there(); });  // so there are no more than callers
  waiting_.push_back(asker);
  asker.say("another reload is under way; this one waits for its end");
}

Result<std::vector<conf::Change>> Reload::plan() const {
  if (!options_.load) return fail(Code::kConfig, "there is nothing to reload: it was started without a file");
  TRY(const conf::Settings next, read());
  std::vector<conf::Change> changes = conf::diff(as_compared(ground_.settings, groups_), next);
  std::ranges::move(widenings(ground_.fence, fence_for(next)), std::back_inserter(changes));
  return changes;
}

std::string Reload::why_behind(const Group& group) const {
  const conf::App* const settings = find_app(ground_.settings, group.app().name);
  if (settings == nullptr || group.goes_by(*settings)) return {};
  if (const auto failed = behind_.find(group.app().name); failed != behind_.end()) return failed->second;
  if (is_under_way_) return "the reload that is under way has not come to it yet";
  return fmt::format("rolled back: generation {} is of earlier settings", group.generation());
}

saved::Reload Reload::save() const {
  saved::Reload saved{.unused = unused_};
  for (const auto& [app, why] : behind_) saved.behind.push_back({app, why});
  return saved;
}

void Reload::adopt(const saved::Reload& saved) {
  unused_ = std::max(unused_, saved.unused);
  for (const saved::Behind& one : saved.behind) behind_[one.app] = one.why;
}

// ---- until the point of no return ----

void Reload::begin(std::vector<Asker> askers) {
  is_under_way_ = true;
  askers_ = std::move(askers);
  if (!front_.is_settled()) say(std::string(Front::kWaits));
  front_.when_settled([this] { on_front_settled(); });
}

void Reload::on_front_settled() {
  if (is_over_) return;
  changes_.clear();
  failures_.clear();
  service_.say(reloading());
  Result<void> begun = stage();
  if (begun) begun = put_in_force();
  if (!begun) on_front_answered(begun);
}

// As the settings are that we go by: what the start has decided where they say nothing is decided.
Result<conf::Settings> Reload::read() const {
  TRY(conf::Loaded loaded, options_.load());
  if (!loaded.problems.empty()) return std::unexpected(to_error(loaded.problems));
  fix_threads(loaded.settings.front);
  if (loaded.settings.control.socket.empty()) loaded.settings.control.socket = ground_.settings.control.socket;
  return std::move(loaded.settings);
}

Result<void> Reload::stage() {
  TRY(conf::Settings next, read());
  changes_ = conf::diff(as_compared(ground_.settings, groups_), next);
  next = without_restart(std::move(next), ground_.settings);
  TRY(std::vector<upstream::AppIndex> apps, indexes_for(next));
  TRY(Ground staged, prepare_ground(std::move(next), std::move(apps), &ground_, {}));
  staged_ = std::move(staged);
  // Of the very fence that the next front is told: links may lead elsewhere a moment later.
  std::ranges::move(widenings(ground_.fence, staged_->fence), std::back_inserter(changes_));
  // Workers of before may stay: a release that fails leaves them in force.
  staged_->fence.has_ports |= ground_.fence.has_ports;
  staged_->fence.has_sockets |= ground_.fence.has_sockets;
  for (const conf::Change& change : changes_) say(conf::text(change));
  return {};
}

bool Reload::keeps_index(const Group& group, const conf::App& next) const {
  return step_for(group.app(), next, changes_) != AppStep::kRenew;
}

bool Reload::is_free(std::size_t index) const {
  return groups_.at(static_cast<upstream::AppIndex>(index)) == nullptr;
}

// The fronts' counters of an index are not cleared, so those that nobody has had come first.
Result<std::vector<upstream::AppIndex>> Reload::indexes_for(const conf::Settings& next) const {
  std::vector<upstream::AppIndex> apps;
  std::size_t unused = unused_;
  std::size_t used = 0;
  for (const conf::App& app : next.apps) {
    const Group* const group = groups_.find(app.name);
    if (group != nullptr && keeps_index(*group, app)) {
      apps.push_back(group->index());
      continue;
    }
    while (unused == upstream::kMaxApps && used < upstream::kMaxApps && !is_free(used)) ++used;
    if (unused == upstream::kMaxApps && used == upstream::kMaxApps) {
      return fail(Code::kSystem, fmt::format("there can be {} apps, and those that have gone are not all at their end yet: "
                                             "try again later", upstream::kMaxApps));
    }
    apps.push_back(static_cast<upstream::AppIndex>(unused < upstream::kMaxApps ? unused++ : used++));
  }
  return apps;
}

// A front that lives has given away what it would need for another spool, or to reach more than it may.
Result<void> Reload::put_in_force() {
  const auto on_answered = [this](const Result<void>& how) { on_front_answered(how); };
  takes_another_front_ =
      std::ranges::any_of(changes_, [](const conf::Change& change) { return change.cost == conf::Cost::kFront; });
  if (!takes_another_front_) {
    return front_.change({staged_->settings, staged_->apps, staged_->listeners,
                          difference(ground_.listeners.all(), staged_->listeners.all()), staged_->logs},
                         on_answered);
  }
  swap_grounds();
  auto begun = front_.replace(on_answered);
  return begun;
}

void Reload::swap_grounds() {
  std::swap(ground_, *staged_);
}

void Reload::on_front_answered(const Result<void>& how) {
  if (staged_ && how.has_value() != takes_another_front_) swap_grounds();
  takes_another_front_ = false;
  let_go();
  if (!how) {
    const std::string sentence = how.error().text();
    log(Level::kError, "the settings could not be reloaded: nothing has changed",
        {{"error", in_one_line(sentence)}});
    return end(fail(how.error().code, "nothing has changed: " + sentence));
  }
  turn_apps();
}

// What is not in force is closed.
void Reload::let_go() {
  if (staged_) staged_->listeners.leave_paths_to(ground_.listeners);
  staged_.reset();
}

// ---- beyond it ----

void Reload::turn_apps() {
  write_to(ground_.logs, ground_.settings.log.error.level);
  for (const upstream::AppIndex index : ground_.apps) unused_ = std::max<std::size_t>(unused_, index + 1U);
  std::erase_if(behind_, [this](const auto& one) { return find_app(ground_.settings, one.first) == nullptr; });
  watch_certificates();
  dismiss_apps_that_go();
  for (std::size_t i = 0; i < ground_.apps.size(); ++i) turn_app(i);
  groups_.arrange(ground_.apps);
  take_steps();
}

void Reload::dismiss_apps_that_go() {
  std::vector<upstream::AppIndex> gone;
  for (const auto& group : groups_.all()) {
    if (std::ranges::find(ground_.apps, group->index()) == ground_.apps.end()) gone.push_back(group->index());
  }
  for (const upstream::AppIndex index : gone) groups_.dismiss(index);
}

void Reload::turn_app(std::size_t place) {
  const conf::App& next = ground_.settings.apps[place];
  const upstream::AppIndex index = ground_.apps[place];
  Group* const group = groups_.at(index);
  if (group == nullptr) {
    front_.forget(index);
    groups_.add(next, ground_.accounts[place], index).publish_proxies();
    steps_.push_back({.app = index, .is_new = true});
    return;
  }
  switch (step_for(group->app(), next, changes_)) {
    case AppStep::kNothing:
    case AppStep::kRenew:  // has another index: never here
      behind_.erase(next.name);
      return;
    case AppStep::kAmend:
      behind_.erase(next.name);
      if (group->amend(next, calls_for(next.name))) ++steps_under_way_;
      return;
    case AppStep::kRelease:
      steps_.push_back({.app = index, .is_new = false});
  }
}

void Reload::take_steps() {
  while (!steps_.empty() && steps_under_way_ < kMostAtOnce) {
    const Step step = steps_.front();
    steps_.pop_front();
    ++steps_under_way_;
    take(step);
  }
  if (steps_under_way_ != 0) return;
  // It was told whom to feed no more; once it has heard that, nobody new comes to who leaves. One that starts anew knows.
  const auto on_obeyed = [this](const Result<void>&) { end_apps(); };
  if (!front_.confirm(on_obeyed)) end_apps();
}

void Reload::end_apps() {
  if (failures_.empty()) return end({});
  end(fail(Code::kSystem, fmt::format("{}\nall else that the file says is in force", fmt::join(failures_, "\n"))));
}

void Reload::take(const Step& step) {
  const auto at = std::ranges::find(ground_.apps, step.app) - ground_.apps.begin();
  const conf::App& app = ground_.settings.apps[static_cast<std::size_t>(at)];
  Group& group = *groups_.at(step.app);
  if (!step.is_new) return group.release(app, ground_.accounts[static_cast<std::size_t>(at)], calls_for(app.name));
  group.start();
  group.when_ready(Group::Whom::kServicesToo, calls_for(app.name));
}

ReleaseCalls Reload::calls_for(const std::string& app) {
  return {.on_progress = [this](const std::string& sentence) { say(sentence); },
          .on_done = [this, app](const Result<void>& how) { on_app_done(app, how); }};
}

void Reload::on_app_done(const std::string& app, const Result<void>& how) {
  behind_.erase(app);
  if (!how) {
    const std::string& sentence = how.error().sentence;
    failures_.push_back(sentence);
    behind_[app] = sentence.substr(0, sentence.find('\n'));
  }
  --steps_under_way_;
  take_steps();
}

// ---- by themselves ----

// All else is said as it is. A pair of which one file is still the old one is refused, and its other file will be heard of.
void Reload::on_certificates_changed() {
  if (is_over_) return;
  if (is_under_way_) return certificates_.again();
  is_under_way_ = true;  // who orders a reload now waits for the front's answer
  front_.when_settled([this] { tell_certificates(); });
}

void Reload::tell_certificates() {
  if (is_over_) return;
  const FrontChange same{ground_.settings, ground_.apps, ground_.listeners, {}, ground_.logs};
  const auto told = front_.change(same, [this](const Result<void>& how) { on_certificates_answered(how); });
  if (!told) on_certificates_answered(told);
}

void Reload::on_certificates_answered(const Result<void>& how) {
  if (how) {
    log(Level::kInfo, "the certificates have changed, and are in force");
  } else {
    log(Level::kError, "the certificates have changed, and cannot be used: those before stay in force",
        {{"error", how.error().text()}});
  }
  watch_certificates();
  go_on();
}

// ---- the end ----

void Reload::say(const std::string& sentence) {
  for (const Asker& asker : askers_) asker.say(sentence);
}

void Reload::end(const Result<void>& how) {
  if (is_over_) return;
  service_.say("READY=1");
  if (how) {
    log(Level::kInfo, "the settings have been reloaded", {{"changes", changes_.size()}});
    if (changes_.empty()) say("the settings are as they were; certificates and logs have been opened again");
    for (const Asker& asker : askers_) asker.done({{"changes", changes_.size()}});
  } else {
    for (const Asker& asker : askers_) asker.refuse(how.error());
  }
  askers_.clear();
  go_on();
}

void Reload::go_on() {
  is_under_way_ = false;
  if (!waiting_.empty()) begin(std::exchange(waiting_, {}));
}

void Reload::abandon() {
  is_over_ = true;
  const runtime::Error ending{Code::kSystem, "the reload has not come to its end: everything is ending"};
  steps_.clear();
  for (auto* const askers : {&askers_, &waiting_}) {
    for (const Asker& asker : std::exchange(*askers, {})) asker.refuse(ending);
  }
}

}  // namespace supervisor
