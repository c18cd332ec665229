// The groups of all apps: one for each app of the settings, in their order, and those whose app has gone and who still
// finish what they have. What one of them does is group.h; when apps come and go is reload.h's to say.
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "supervisor/group.h"

namespace supervisor {

class Groups {
 public:
  /// `on_stopped`: a group has no process left; see are_all_stopped(). The other is passed on.
  Groups(Herd& herd, GroupCalls calls);

  /// An app comes, as the last one. Nothing is started yet.
  Group& add(conf::App app, Account account, upstream::AppIndex index);
  /// One of the program before us, as the last one.
  void adopt(const saved::Group& saved);
  /// An app goes, and the fronts know that already: its workers finish and end, then it is forgotten.
  void dismiss(upstream::AppIndex index);
  /// In this order from now on; each is there.
  void arrange(const std::vector<upstream::AppIndex>& order);

  /// Of the settings. Null: there is no such app.
  Group* find(std::string_view name) const;
  /// Also one that goes. Null: there is none.
  Group* at(upstream::AppIndex index) const;
  /// Those of the settings.
  const std::vector<std::unique_ptr<Group>>& all() const { return all_; }

  /// Apps that have gone still finish what they have.
  bool are_some_leaving() const { return !leaving_.empty(); }

  /// In reverse order: an app may lean on one that stands before it. The front has ended.
  void stop();
  void kill_now();
  bool are_all_stopped() const;
  /// Kills all and waits for them.
  void clear();

 private:
  GroupCalls calls_of_one();
  void on_stopped();
  void forget_who_has_gone();

  Herd& herd_;
  GroupCalls calls_;
  std::vector<std::unique_ptr<Group>> all_;
  std::vector<std::unique_ptr<Group>> leaving_;  // each until it has stopped
};

}  // namespace supervisor
