#include "supervisor/verbs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "conf/units.h"
#include "runtime/text.h"
#include "supervisor/supervisor.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Milliseconds;
using runtime::Result;

constexpr std::uint64_t kLinesUnlessSaid = 100;  // of `logs`
constexpr std::uint64_t kMostByOrder = 1024;     // of `scale`
constexpr Milliseconds kPauseUnlessSaid{60'000};
constexpr Milliseconds kLongestPause{3'600'000};  // whoever forgets it finds it over

const std::string& name_of(const Group& group) {
  return group.app().name;
}

// What was ordered holds for the very next request when the asker hears that it is done.
void answer(Supervisor& supervisor, const Asker& asker, const Result<void>& how) {
  if (!how) return asker.refuse(how.error());
  supervisor.when_obeyed([asker] { asker.done(); });
}

// Who ordered a change hears how far it is, and the result when it is in force or has failed.
ReleaseCalls tell(Supervisor& supervisor, const Asker& asker) {
  return {.on_progress = [asker](const std::string& sentence) { asker.say(sentence); },
          .on_done = [&supervisor, asker](const Result<void>& how) { answer(supervisor, asker, how); }};
}

// It is one line of plain text to whoever asks.
Result<std::string> notice_of(std::string text) {
  if (text.size() > upstream::kMostNotice)
    return fail(Code::kConfig, fmt::format("the message has {} bytes; {} are the most", text.size(), upstream::kMostNotice));
  std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text;
}

void status(Supervisor& supervisor, Group* group, const Order&, const Asker& asker) {
  asker.done(supervisor.status(group));
}

void logs(Supervisor& supervisor, Group* group, const Order& order, const Asker& asker) {
  OutputSink& output = supervisor.output();
  const bool follows = order.flag("follow");
  if (follows && !output.has_room_for_follower())
    return asker.refuse({Code::kSystem, fmt::format("{} follow already; end one of them", OutputSink::kMostFollowers)});
  Tail& tail = output.tail(group->app().name);
  tail.tell(asker, order.number("lines").value_or(kLinesUnlessSaid));
  if (!follows) return asker.done();
  tail.follow(asker);
}

void stop(Supervisor& supervisor, Group* group, const Order&, const Asker& asker) {
  if (group == nullptr) {
    supervisor.stop();
    return asker.done_and_wait_for_our_end();
  }
  const auto stopped = group->switch_off([&supervisor, asker](const Result<void>& gone) { answer(supervisor, asker, gone); });
  if (!stopped) return asker.refuse(stopped.error());
  asker.say(fmt::format("app {} stops, until `portherd start {}` or a restart of Portherd", name_of(*group), name_of(*group)));
}

void start(Supervisor& supervisor, Group* group, const Order&, const Asker& asker) {
  if (const auto started = group->switch_on(); !started) return asker.refuse(started.error());
  asker.say(fmt::format("app {} starts with {} workers", name_of(*group), group->wanted()));
  group->when_ready(Group::Whom::kServicesToo, tell(supervisor, asker));
}

void scale(Supervisor& supervisor, Group* group, const Order& order, const Asker& asker) {
  const auto number = order.number("workers");
  const std::string& app = name_of(*group);
  if (!group->app().has_processes())
    return asker.refuse(runtime::Error{Code::kConfig, fmt::format("app {} has no workers of ours", app)});
  if (!number || *number == 0 || *number > kMostByOrder)
    return asker.refuse(runtime::Error{Code::kConfig, fmt::format("`scale {}` takes a number from 1 to {}; for none: `portherd stop {}`",
                                                                  app, kMostByOrder, app)});
  if (const auto fits = gate_after(group->gate(), Turn::kScale, app); !fits) return asker.refuse(fits.error());
  group->scale(*number);
  asker.say(fmt::format("app {}: {} workers are wanted, until its `workers` are changed by a reload, or Portherd is restarted", app,
                        *number));
  group->when_ready(Group::Whom::kWorkers, tell(supervisor, asker));
}

void pause(Supervisor& supervisor, Group* group, const Order& order, const Asker& asker) {
  const Milliseconds at_most(order.number("milliseconds").value_or(kPauseUnlessSaid.count()));
  if (at_most <= Milliseconds(0) || at_most > kLongestPause)
    return asker.refuse(runtime::Error{Code::kConfig, fmt::format("a pause has from 1ms to {}", conf::print_duration(kLongestPause))});
  const auto paused = group->pause(at_most);
  if (paused) {
    asker.say(fmt::format("app {}: new requests wait, {} at most, until `portherd resume {}`, for {} at the longest", name_of(*group),
                          group->app().queue_size, name_of(*group), conf::print_duration(at_most)));
  }
  answer(supervisor, asker, paused);
}

void resume(Supervisor& supervisor, Group* group, const Order&, const Asker& asker) {
  answer(supervisor, asker, group->resume());
}

void maintenance(Supervisor& supervisor, Group* group, const Order& order, const Asker& asker) {
  if (!order.flag("on")) return answer(supervisor, asker, group->end_maintenance());
  const auto notice = notice_of(order.text("message").value_or(""));
  if (!notice) return asker.refuse(notice.error());
  const auto begun = group->begin_maintenance(*notice);
  if (begun) {
    asker.say(fmt::format("app {}: requests are answered 503, until `portherd maintenance off {}` or a restart of Portherd",
                          name_of(*group), name_of(*group)));
  }
  answer(supervisor, asker, begun);
}

// Of what is stopped nobody would show whether it works: `start` is what begins it.
void restart(Supervisor& supervisor, Group* group, const Order&, const Asker& asker) {
  if (const auto fits = gate_after(group->gate(), Turn::kRestart, name_of(*group)); !fits) return asker.refuse(fits.error());
  group->restart(tell(supervisor, asker));
}

void rollback(Supervisor& supervisor, Group* group, const Order&, const Asker& asker) {
  if (const auto fits = gate_after(group->gate(), Turn::kRollback, name_of(*group)); !fits) return asker.refuse(fits.error());
  if (const auto begun = group->roll_back(tell(supervisor, asker)); !begun) asker.refuse(begun.error());
}

void upgrade(Supervisor& supervisor, Group*, const Order&, const Asker& asker) {
  supervisor.upgrade(asker);
}

void reload(Supervisor& supervisor, Group*, const Order&, const Asker& asker) {
  supervisor.reload().order(asker);
}

void plan(Supervisor& supervisor, Group*, const Order&, const Asker& asker) {
  const auto changes = supervisor.reload().plan();
  if (!changes) return asker.refuse(changes.error());
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const conf::Change& change : *changes) {
    asker.say(conf::text(change));
    list.push_back({{"key", change.key}, {"what", change.what}, {"cost", conf::words(change.cost)}, {"app", nullptr}});
    if (change.app) list.back()["app"] = *change.app;
  }
  if (changes->empty()) asker.say("a reload would change no setting");
  asker.done({{"changes", list}});
}

constexpr Verb kVerbs[] = {
    {"status", Subject::kAppOrAll, Right::kLook, When::kAlways, status},
    // Apps print what they like, secrets too: not for those who may only look.
    {"logs", Subject::kApp, Right::kCommand, When::kAlways, logs},
    {"reload", Subject::kAll, Right::kCommand, When::kWhileItRuns, reload},
    {"plan", Subject::kAll, Right::kCommand, When::kAlways, plan},
    {"restart", Subject::kApp, Right::kCommand, When::kWhileItRuns, restart},
    {"rollback", Subject::kApp, Right::kCommand, When::kWhileItRuns, rollback},
    {"stop", Subject::kAppOrAll, Right::kCommand, When::kAlways, stop},
    {"start", Subject::kApp, Right::kCommand, When::kWhileItRuns, start},
    {"scale", Subject::kApp, Right::kCommand, When::kWhileItRuns, scale},
    {"pause", Subject::kApp, Right::kCommand, When::kWhileItRuns, pause},
    {"resume", Subject::kApp, Right::kCommand, When::kAlways, resume},
    {"maintenance", Subject::kApp, Right::kCommand, When::kWhileItRuns, maintenance},
    {"upgrade", Subject::kAll, Right::kCommand, When::kWhileItRuns, upgrade},
};

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
  const auto near = runtime::nearest(word, known);
  const std::string list = fmt::format("there {} {}", known.size() == 1 ? "is" : "are", fmt::join(known, ", "));
  return near ? fmt::format("; did you mean `{}`? {}", *near, list) : "; " + list;
}

Result<void> check_app(const Verb& verb, const Order& order, const std::vector<std::string_view>& apps) {
  const bool has_app = !order.app.empty();
  if (verb.subject == Subject::kAll && has_app)
    return fail(Code::kConfig, fmt::format("`{}` is not about one app", verb.name));
  if (verb.subject == Subject::kApp && !has_app)
    return fail(Code::kConfig, fmt::format("`{}` needs the name of an app", verb.name));
  if (!has_app || std::ranges::find(apps, order.app) != apps.end()) return {};
  const std::string others = apps.empty() ? "; there is none" : did_you_mean(order.app, apps);
  return fail(Code::kConfig, fmt::format("there is no app `{}`{}", order.app, others));
}

}  // namespace

std::span<const Verb> verbs() {
  return kVerbs;
}

Result<const Verb*> choose(std::span<const Verb> table, const Order& order, Right right,
                           const std::vector<std::string_view>& apps, bool is_ending) {
  if (right == Right::kNothing) return fail(Code::kPermission, "you may not give orders to this supervisor");
  const auto verb = std::ranges::find(table, order.verb, &Verb::name);
  if (verb == table.end()) {
    std::vector<std::string_view> names;
    for (const Verb& known : table) names.push_back(known.name);
    return fail(Code::kConfig, fmt::format("this supervisor does not know the order `{}`{}", order.verb,
                                           did_you_mean(order.verb, names)));
  }
  if (right < verb->right) return fail(Code::kPermission, fmt::format("you may not order `{}` here", verb->name));
  TRY_VOID(check_app(*verb, order, apps));
  if (is_ending && verb->when == When::kWhileItRuns)
    return fail(Code::kSystem, fmt::format("`{}` is not obeyed any more: everything is ending", verb->name));
  return &*verb;
}

void obey(Supervisor& supervisor, std::string_view line, Right right, const Asker& asker) {
  const auto order = parse_order(line);
  if (!order) return asker.refuse(order.error());
  const auto verb = choose(verbs(), *order, right, supervisor.app_names(), supervisor.is_stopping());
  if (!verb) return asker.refuse(verb.error());
  (*verb)->obey(supervisor, supervisor.find_app(order->app), *order, asker);
}

}  // namespace supervisor
