// The access log: one line for each exchange that has ended. Formatted on the event loop's thread, written by
// a thread of its own, because a disk or a pipe may be slow and a loop must not wait. The lines:
// access_event.h.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "conf/settings.h"
#include "proxy/access_event.h"
#include "proxy/slow_log.h"
#include "runtime/bytes.h"
#include "runtime/fd.h"

namespace proxy {

/// One for a front, shared by its threads.
class AccessLog {
 public:
  /// To what reopen() brings; until then lines wait.
  AccessLog() = default;
  /// Writes what is there.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  /// From any thread; never waits for the disk. When a whole MiB waits to be written, the event is dropped
  /// and counted, and the error log says so. What was slow is told there, too. `how`: the settings of this event.
  void write(const AccessEvent&, const conf::AccessLog& how);
  /// Lines go there from now on. No line is lost. From one thread only; the first one starts the writer.
  void reopen(runtime::Fd);
  SlowLog& slow() { return slow_; }

 private:
  static bool wants(const AccessEvent&, const conf::AccessLog& how);
  void run();
  bool has_work() const;
  std::size_t write_out(int fd);
  bool wait_for_room(int fd);
  void say_lost(std::uint64_t events);

  SlowLog slow_;
  std::mutex lock_;  // guards what follows, up to batch_
  std::condition_variable wake_;
  std::string pending_;         // whole lines; appended by the loops, taken by the writer
  std::uint64_t dropped_ = 0;   // events that did not fit since the writer last looked
  runtime::Fd next_;            // set by reopen(), taken by the writer
  bool has_file_ = false;       // there is a place to write to
  bool writer_sleeps_ = false;  // it must be told that there is work
  bool is_stopping_ = false;    // set by the destructor

  std::string batch_;         // the writer's: what it writes now
  std::uint64_t unsaid_ = 0;  // the writer's: lost events that no line has told yet
  runtime::Time said_{};      // the writer's: when the last such line was written
  std::thread writer_;        // the last member: it uses all others
};

}  // namespace proxy
