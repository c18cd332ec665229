// How the running program is replaced by the one that lies at its path now, in place (docs/design.md): a judge asks
// that one whether it could go on (judge.h), and if so it is executed in our place (handover.h). At each step until
// then everything can stay as it is; afterwards the next program goes on with Supervisor::adopt.
#pragma once
#include <sys/stat.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/loop.h"
#include "supervisor/asker.h"
#include "supervisor/front.h"
#include "supervisor/held_signals.h"
#include "supervisor/judge.h"
#include "supervisor/saved.h"

namespace supervisor {

class Upgrade {
 public:
  /// All that there is to hand on, now, with the connection of the asker. Errors: this is no moment for it, and why.
  using Save = std::function<runtime::Result<saved::Supervisor>(const Asker&)>;

  /// `path`: where the next program lies. `notify`: the service manager's socket; may be empty. `front` outlives it.
  Upgrade(Reaper& reaper, std::string path, std::string notify, Front& front, Save save);

  /// When the front is settled. The asker is refused if nothing comes of it; else the next program answers.
  void begin(const Asker& asker);
  /// Everything is ending: nothing comes of one that is on its way.
  void abandon();

 private:
  void on_front_settled();
  runtime::Result<void> ask_judge();
  void on_judged(runtime::Result<std::string> version);
  void on_next_turn();
  void hand_over();
  runtime::Error execute() const;
  void end(const runtime::Error& why);

  Reaper& reaper_;
  runtime::Loop& loop_;
  const std::string path_, notify_;
  Front& front_;
  Save save_;
  bool is_on_its_way_ = false;
  Asker asker_;
  struct stat program_{};            // that is judged: what lay at path_ before it was asked
  std::unique_ptr<Judge> judge_;     // is being asked
  std::optional<HeldSignals> held_;  // it can go on: from then until it is executed, or that failed
  runtime::Timer next_turn_;         // with held_
  runtime::Deferred hand_over_;      // at the end of that turn
};

}  // namespace supervisor
