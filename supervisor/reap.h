// Children and their ends. A Child is watched by pidfd (pidfd_open(2)), never by a guessed pid; orphans,
// which come to us because we are a child subreaper or PID 1, are reaped with one debug line. What an end
// means is not known here.
#pragma once
#include <sys/types.h>

#include <unordered_map>

#include "runtime/bytes.h"
#include "runtime/loop.h"
#include "supervisor/exit.h"
#include "supervisor/saved.h"
#include "supervisor/spawn.h"

namespace supervisor {

class Child;

/// One for a process. Outlives its children.
class Reaper {
 public:
  /// Makes this process the subreaper of its descendants.
  explicit Reaper(runtime::Loop& loop);

  runtime::Loop& loop() { return loop_; }
  /// Looks for those that have ended while nobody was told: signals of before an exec are lost.
  void sweep() { on_child_signal(); }
  /// Kills and reaps whatever is left of our descendants, but for those that we may not kill: the last act of
  /// a supervisor.
  void kill_all_left();
  /// A process that has come to us without our having started it, by its pid. Errors: it has gone, or it is none of our
  /// children, or somebody has it already.
  runtime::Result<Spawned> take_orphan(pid_t pid) const;

 private:
  friend class Child;
  void on_child_signal();

  runtime::Loop& loop_;
  std::unordered_map<pid_t, Child*> children_;  // those that have not been collected
  runtime::SignalWatch signal_;
};

/// One process that we started, leader of its own group. Destroying it kills the group and waits for the
/// process.
class Child {
 public:
  Child(Reaper& reaper, Spawned spawned, runtime::Call<const Exit&> on_exited);
  /// One that was started before us, and may have ended meanwhile: its pidfd says so.
  Child(Reaper& reaper, const saved::Child& saved, runtime::Call<const Exit&> on_exited);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  saved::Child save() const;
  pid_t pid() const { return pid_; }
  bool is_alive() const { return is_alive_; }
  /// To the process alone. Nothing happens when it has ended.
  void signal(int number);
  /// The same, but only to hear something: an end that follows is not our doing.
  void ask(int number);
  /// SIGKILL to its whole group.
  void kill_group();
  /// Kills its group, and nobody hears of its end: it is an orphan from now on.
  void abandon();
  /// The last signal that we sent by signal() or kill_group(), or 0.
  int sent() const { return sent_; }
  /// The first one, or 0.
  int asked() const { return asked_; }
  /// Resident memory, the most that it or a child that it has waited for ever had. Asked after the end.
  runtime::Bytes peak_memory() const { return peak_memory_; }
  /// The step of the spawn that failed, if one did. Asked after the end.
  const std::optional<SpawnFailure>& failure() const { return failure_; }

 private:
  friend class Reaper;
  bool send(int number) const;
  void note_sent(int number);
  void on_pidfd();
  bool collect(bool wait, Exit& exit);

  Reaper& reaper_;
  pid_t pid_;
  runtime::Fd pidfd_;
  runtime::Fd failure_pipe_;              // SpawnFailure comes out of it, if anything
  std::optional<SpawnFailure> failure_;   // set when it has ended
  runtime::Call<const Exit&> on_exited_;  // once
  runtime::IoWatch watch_;
  bool is_alive_ = true;
  int sent_ = 0, asked_ = 0;
  runtime::Bytes peak_memory_ = 0;  // 0 until the end
};

}  // namespace supervisor
