// The process that the workers of a preloading release are forked from (upstream/python/zygote.py): started by the first
// worker that needs it, in whose name it prints; ended when no worker holds it any more. A worker that it has forked is our
// child, as any other. What a worker is: worker.h.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/channel.h"
#include "supervisor/reap.h"
#include "supervisor/saved.h"

namespace supervisor {

class Birth;

/// What a worker that is to be forked gets for itself. Descriptors are ours.
struct Newborn {
  std::string notify;  ///< path of its NOTIFY_SOCKET
  int listener = -1, out = -1, err = -1, stack = -1;
};

class Zygote {
 public:
  /// `plan`: plan_zygote(), for the other end of `control`. `name`: for the log. Errors: it could not be forked.
  static runtime::Result<std::shared_ptr<Zygote>> start(Reaper& reaper, const SpawnPlan& plan, runtime::Fd control,
                                                        std::string name);
  Zygote(Reaper& reaper, Spawned spawned, runtime::Fd control, std::string name);
  /// One of the program before us. Whoever it was asked for then has been given up.
  Zygote(Reaper& reaper, const saved::Zygote& saved, std::string name);
  saved::Zygote save() const;
  /// It is not waited for: much memory takes its time to be given back.
  ~Zygote() { child_.abandon(); }
  Zygote(const Zygote&) = delete;
  Zygote& operator=(const Zygote&) = delete;

  pid_t pid() const { return child_.pid(); }
  /// Else the next worker starts another one.
  bool is_alive() const { return child_.is_alive() && !is_deaf_; }
  /// Nobody waits for a worker of it.
  bool is_idle() const { return births_.empty(); }
  /// It does not answer: whoever waits for a worker of it hears that it has ended.
  void kill() { child_.kill_group(); }

 private:
  friend class Birth;
  void on_exited(const Exit& exit);
  void on_message(runtime::Message&) {}  // it has nothing to say
  void on_closed() { is_deaf_ = true; }

  Reaper& reaper_;
  const std::string name_;
  std::vector<Birth*> births_;  // that are under way
  bool is_deaf_ = false;        // its end of control_ has gone, and most likely it ends
  runtime::Channel control_;
  Child child_;
};

/// One worker on its way. Who destroys it waits no longer: a process that comes after all ends at once.
class Birth {
 public:
  /// `on_born`, once: the process, which is told to go on; or why there is none. The birth is over then, and may be buried.
  static runtime::Result<std::unique_ptr<Birth>> ask(std::shared_ptr<Zygote> zygote, const Newborn& newborn,
                                                     runtime::Call<runtime::Result<Spawned>&> on_born);
  Birth(std::shared_ptr<Zygote> zygote, runtime::Fd ours, runtime::Call<runtime::Result<Spawned>&> on_born);
  ~Birth();
  Birth(const Birth&) = delete;
  Birth& operator=(const Birth&) = delete;

 private:
  friend class Zygote;
  void on_readable();
  runtime::Result<Spawned> take(pid_t pid) const;
  void fail(std::string why);
  void end(runtime::Result<Spawned> how);
  void on_silence();

  std::shared_ptr<Zygote> zygote_;
  runtime::Fd fd_;
  runtime::Call<runtime::Result<Spawned>&> on_born_;
  runtime::IoWatch watch_;
  runtime::Timer silence_;  // armed when the other end has gone: the zygote's own end says more
};

}  // namespace supervisor
