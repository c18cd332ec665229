// The process that the workers of a preloading release are forked from (upstream/python/zygote.py): started by the first
// worker that needs it, in whose name it prints; ended when no worker holds it any more. A worker that it has forked is our
// child, as any other. What a worker is: worker.h.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/channel.h"
#include "supervisor/reap.h"

namespace supervisor {

class Birth;

/// What a worker that is to be forked gets for itself. Descriptors are ours.
struct Newborn {
  std::string notify;  ///< path of its NOTIFY_SOCKET
  int listener = -1, out = -1, err = -1, stack = -1;
};

class Zygote {
 public:
  /// `plan`: plan_zygote(), for the other end of `control`. Errors: it could not be forked.
  static runtime::Result<std::shared_ptr<Zygote>> start(Reaper& reaper, const SpawnPlan& plan, runtime::Fd control);
  Zygote(Reaper& reaper, Spawned spawned, runtime::Fd control);

  bool is_alive() const { return child_.is_alive(); }
  /// It does not answer: whoever waits for a worker of it hears that it has ended.
  void kill() { child_.kill_group(); }

 private:
  friend class Birth;
  void on_exited(const Exit& exit);
  void on_message(runtime::Message&) {}  // it has nothing to say
  void on_closed() {}                    // its exit follows

  runtime::Loop& loop_;
  std::vector<Birth*> births_;  // that are under way
  runtime::Channel control_;
  Child child_;
};

/// One worker on its way. Who destroys it waits no longer: a process that comes after all ends at once.
class Birth {
 public:
  /// `on_born`, once: the process, which is told to go on; or why there is none. It may bury the birth.
  static runtime::Result<std::unique_ptr<Birth>> ask(std::shared_ptr<Zygote> zygote, const Newborn& newborn,
                                                     runtime::Call<runtime::Result<Spawned>&> on_born);
  Birth(std::shared_ptr<Zygote> zygote, runtime::Fd ours, runtime::Call<runtime::Result<Spawned>&> on_born);
  ~Birth();
  Birth(const Birth&) = delete;
  Birth& operator=(const Birth&) = delete;

 private:
  friend class Zygote;
  void on_readable();
  void fail(std::string why);
  void on_silence();

  std::shared_ptr<Zygote> zygote_;
  runtime::Fd fd_;
  runtime::Call<runtime::Result<Spawned>&> on_born_;
  runtime::IoWatch watch_;
  runtime::Timer silence_;  // armed when the other end has gone: the zygote's own end says more
};

}  // namespace supervisor
