// The orders that a supervisor takes over its control socket, as a table: what each is about, who may give it, and
// the function that obeys. Their side of the command line: commands/.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "runtime/result.h"
#include "supervisor/asker.h"
#include "supervisor/control.h"
#include "supervisor/order.h"

namespace supervisor {

class Group;
class Supervisor;

enum class Subject {
  kAll,       ///< the supervisor: an app is refused
  kApp,       ///< one app
  kAppOrAll,  ///< one app, or without a name all
};

enum class When {
  kAlways,
  kWhileItRuns,  ///< not while everything is ending
};

struct Verb {
  std::string_view name;
  Subject subject;
  Right right;  ///< that it takes
  When when;
  /// `group`: of the app that was named; null: none was. Answers the asker, now or later.
  void (*obey)(Supervisor& supervisor, Group* group, const Order& order, const Asker& asker);
};

/// All there are.
std::span<const Verb> verbs();

/// Of `table`, the verb of an order that may be obeyed. Errors, each with what there is instead: kPermission,
/// kConfig (no such verb, no such app, an app too much or too few), kSystem (everything is ending). Pure.
runtime::Result<const Verb*> choose(std::span<const Verb> table, const Order& order, Right right,
                                    const std::vector<std::string_view>& apps, bool is_ending);

/// From a line on the control socket to the function of its verb, or a refusal.
void obey(Supervisor& supervisor, std::string_view line, Right right, const Asker& asker);

}  // namespace supervisor
