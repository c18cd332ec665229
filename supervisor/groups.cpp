#include "supervisor/groups.h"

#include <algorithm>
#include <ranges>

#include "runtime/log.h"

namespace supervisor {

Groups::Groups(Herd& herd, GroupCalls calls) : herd_(herd), calls_(calls) {}

Group& Groups::add(conf::App app, Account account, upstream::AppIndex index) {
  all_.push_back(std::make_unique<Group>(herd_, std::move(app), std::move(account), index, calls_of_one()));
  return *all_.back();
}

void Groups::adopt(const saved::Group& saved) {
  all_.push_back(std::make_unique<Group>(herd_, saved, calls_of_one()));
}

GroupCalls Groups::calls_of_one() {
  return {.on_stopped = runtime::bind<&Groups::on_stopped>(this), .on_failed = calls_.on_failed};
}

void Groups::dismiss(upstream::AppIndex index) {
  const auto found = std::ranges::find(all_, index, [](const auto& group) { return group->index(); });
  runtime::log(runtime::Level::kInfo, "an app goes", {{"app", (*found)->app().name}});
  leaving_.push_back(std::move(*found));
  all_.erase(found);
  leaving_.back()->leave();
}

void Groups::arrange(const std::vector<upstream::AppIndex>& order) {
  std::ranges::sort(all_, {}, [&](const auto& group) { return std::ranges::find(order, group->index()) - order.begin(); });
}

Group* Groups::find(std::string_view name) const {
  const auto found = std::ranges::find_if(all_, [name](const auto& group) { return group->app().name == name; });
  return found != all_.end() ? found->get() : nullptr;
}

Group* Groups::at(upstream::AppIndex index) const {
  for (const auto* const groups : {&all_, &leaving_}) {
    const auto found = std::ranges::find(*groups, index, [](const auto& group) { return group->index(); });
    if (found != groups->end()) return found->get();
  }
  return nullptr;
}

void Groups::stop() {
  for (const auto& group : leaving_) group->stop();
  for (const auto& group : all_ | std::views::reverse) group->stop();
}

void Groups::kill_now() {
  for (const auto& group : leaving_) group->kill_now();
  for (const auto& group : all_) group->kill_now();
}

bool Groups::are_all_stopped() const {
  const auto is_stopped = [](const auto& group) { return group->is_stopped(); };
  return std::ranges::all_of(all_, is_stopped) && std::ranges::all_of(leaving_, is_stopped);
}

void Groups::clear() {
  all_.clear();
  leaving_.clear();
}

void Groups::on_stopped() {
  forget_who_has_gone();
  calls_.on_stopped();
}

// Perhaps we are in a call from it.
void Groups::forget_who_has_gone() {
  std::erase_if(leaving_, [this](std::unique_ptr<Group>& group) {
    if (!group->is_stopped()) return false;
    const std::string& name = group->app().name;
    if (find(name) == nullptr) herd_.output.forget(name);
    herd_.front.forget(group->index());
    runtime::log(runtime::Level::kInfo, "an app has gone", {{"app", name}});
    herd_.reaper.loop().bury(std::move(group));
    return true;
  });
}

}  // namespace supervisor
