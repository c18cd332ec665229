// The first process: builds its parts in order, obeys signals and the control socket, and ends everything it
// started. Parses no byte from the network. One thread, one loop. The parts: listeners.h, front.h, group.h,
// control.h.
#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/settings.h"
#include "runtime/blocked_signal.h"
#include "runtime/loop.h"
#include "supervisor/control.h"
#include "supervisor/ground.h"
#include "supervisor/groups.h"
#include "supervisor/herd.h"
#include "supervisor/reload.h"
#include "supervisor/runtime_folder.h"
#include "supervisor/samples.h"
#include "supervisor/saved.h"
#include "supervisor/service_notify.h"
#include "supervisor/upgrade.h"
#include "supervisor/watchdog.h"
#include "upstream/herd_board.h"
#include "upstream/scoreboard.h"

namespace supervisor {

class Supervisor {
 public:
  /// Everything that can be refused without starting anything: folder, control socket, addresses, logs, spool.
  static runtime::Result<std::unique_ptr<Supervisor>> make(conf::Settings settings, Options options);
  /// One that goes on with what the program before has handed on. `refused`: we are that program, for the next one
  /// could not go on, and why; else empty. Errors: it is not as it has to be; then nothing has been taken.
  static runtime::Result<std::unique_ptr<Supervisor>> adopt(const saved::Supervisor& all, Options options,
                                                            std::string refused);
  ~Supervisor();

  /// Until it is told to stop. The exit status: 0; 1 if the front or the first boot of `run` failed; 2 if the
  /// settings, or what they name, do not let the first front start.
  int run();

  // For those who give orders: verbs.cpp.
  std::vector<std::string_view> app_names() const;
  /// Null: there is no such app.
  Group* find_app(std::string_view name) const { return groups_.find(name); }
  /// `only`: of this app; null: of all.
  nlohmann::ordered_json status(const Group* only);
  OutputSink& output() { return output_; }
  Reload& reload() { return reload_; }
  /// Drains, and ends everything; once is enough.
  void stop();
  bool is_stopping() const { return is_stopping_; }
  /// The program that lies where ours did goes on in our place, and answers the asker.
  void upgrade(const Asker& asker) { upgrade_.begin(asker); }
  /// When the front goes by all that was ordered until now; at once, where none serves: the next one begins with it.
  void when_obeyed(const std::function<void()>& then) {
    if (!front_.confirm([then](const runtime::Result<void>&) { then(); })) then();
  }

 private:
  /// What is opened before the first process exists; each outlives what comes after it.
  struct Foundation {
    RuntimeFolder folder;
    Boards boards;
    Ground ground;
  };
  Supervisor(Foundation foundation, Options options);
  static runtime::Result<Foundation> prepare(conf::Settings settings, Options& options);
  runtime::Result<void> open_control();
  runtime::Result<void> start();
  void make_groups();
  Control::Hear hear();

  // supervisor_saved.cpp
  runtime::Result<void> may_be_saved() const;
  runtime::Result<saved::Supervisor> save(const Asker& asker) const;
  void take_over(const saved::Supervisor& all);
  void go_on();
  void on_upgraded(const runtime::Result<void>& how);

  void on_front_started();
  void on_front_gone(bool has_drained);
  void on_probed(const upstream::Probed& answer);
  void on_drained(const upstream::Drained& answer);
  void on_stuck(const upstream::Stuck& told);
  void on_unstuck(const upstream::Unstuck& told);
  void on_spent(const upstream::Spent& told);
  void on_lost(const upstream::Lost& told);
  void on_wanted(const upstream::Wanted& told);
  void on_group_failed(Group& group);
  void on_group_stopped();

  void on_stop_signal();
  void on_reopen_signal();
  void on_reload_signal();
  void on_upgrade_signal();
  void on_one_more();
  void on_one_fewer();
  void scale_all_of_run(int by);

  void set_stopping();
  void stop_now();
  void begin_drain();
  void stop_workers();
  void fail(std::string_view sentence, runtime::Code code = runtime::Code::kSystem);

  runtime::Loop loop_;
  Options options_;
  RuntimeFolder folder_;
  Boards boards_;
  Ground ground_;  // what stands: a reload swaps it
  ServiceNotify service_;
  Reaper reaper_;
  OutputSink output_;
  Front front_;
  Watchdog watchdog_;
  Cgroups cgroups_;
  Herd herd_;
  Groups groups_;
  Samples samples_;
  Reload reload_;
  std::unique_ptr<Control> control_;
  Upgrade upgrade_;
  Asker upgrader_;        // waits for us to go on from the program before; then nobody
  std::string before_;    // the version of that one; empty: there was none
  std::string refused_;   // why the next one could not go on, which was given back to us; empty: that was not so
  runtime::Timer delay_;  // shutdown_delay
  runtime::SignalWatch term_, interrupt_, quit_, reopen_, hangup_, upgrade_now_, one_more_;
  runtime::BlockedSignal one_fewer_;  // a background job may write to its terminal meanwhile
  bool has_started_ = false;  // the first front accepts: apps are started, the service manager is told
  bool is_stopping_ = false;
  bool is_front_gone_ = false;
  int status_ = 0;
};

}  // namespace supervisor
