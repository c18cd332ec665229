// The pipe into which a Python worker prints its stacks (faulthandler, on a signal): read for the one dump
// that was asked for, bounded in length and in time. Who asks, and what becomes of the text: stuck.h.
#pragma once
#include <string>

#include "runtime/loop.h"
#include "runtime/result.h"

namespace supervisor {

class StackPipe {
 public:
  /// A dump is written in one go and has no mark at its end: silence for so long is the end.
  static constexpr runtime::Milliseconds kSilence{200};
  /// What has not come by then will not: the process has been stopped, or the app has closed its end.
  static constexpr runtime::Milliseconds kPatience{3000};

  struct Ends {
    runtime::Fd ours, theirs;
  };
  /// Neither blocks: a worker prints inside of a signal handler, and must never wait for us there.
  static runtime::Result<Ends> make();

  /// `on_text` ends what begin() began. At most upstream::kMostStack bytes; empty: nothing came.
  StackPipe(runtime::Loop& loop, runtime::Fd ours, runtime::Call<const std::string&> on_text);

  /// The worker is about to be asked. What came too late for the last time is thrown away.
  void begin();
  bool is_reading() const { return watch_.wants_read(); }
  int fd() const { return fd_.get(); }
  /// Waits no longer: takes what is there, if it is reading at all.
  void finish();

 private:
  void on_readable();

  runtime::Loop& loop_;
  runtime::Fd fd_;
  runtime::Call<const std::string&> on_text_;
  std::string text_;               // of the dump that is coming
  runtime::Time patient_until_{};  // the end of that one, however much comes
  runtime::IoWatch watch_;         // while is_reading(): what nobody asked for may lie there
  runtime::Timer end_;             // armed by begin()
};

}  // namespace supervisor
