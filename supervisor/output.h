// What workers print: bytes from their pipes become lines, marked with who said them. Bounded: a long line is
// cut, a line that cannot be written now is dropped and counted, who prints more than some 4 MiB/s waits, and of a
// worker only the last few lines are kept, of an app what tail.h keeps.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "runtime/bytes.h"
#include "runtime/loop.h"
#include "supervisor/saved.h"
#include "supervisor/tail.h"

namespace supervisor {

using namespace runtime::literals;

/// Cuts a stream of bytes into lines. Pure.
class LineCutter {
 public:
  static constexpr runtime::Bytes kLongest = 16_KiB;
  static constexpr std::string_view kMark = " [cut]";

  LineCutter() = default;
  LineCutter(std::string partial, bool is_discarding) : partial_(std::move(partial)), is_discarding_(is_discarding) {}

  /// Calls `line` for each line that is whole now, without its end ("\n" or "\r\n"). Of a longer one comes
  /// the beginning with kMark, at once; the rest of it is thrown away.
  void feed(std::string_view bytes, const std::function<void(std::string_view)>& line);
  /// The stream has ended: what is left is a line.
  void finish(const std::function<void(std::string_view)>& line);

  const std::string& partial() const { return partial_; }
  bool is_discarding() const { return is_discarding_; }

 private:
  std::string partial_;         // of the current line
  bool is_discarding_ = false;  // the current line was cut already
};

/// Control bytes (but for tabs) as "?": for lines that go into a log that somebody else reads.
std::string without_controls(std::string_view line);

/// Where all lines of all workers go.
class OutputSink {
 public:
  /// `as_is`: marked lines to stderr, as the app wrote them (`run`); else lines of the error log, whatever
  /// its level: they are the app's, not ours.
  OutputSink(bool as_is) : as_is_(as_is) {}
  /// `mark`: "shop.1", of the app shop. Never blocks.
  void write(std::string_view mark, std::string_view line);

  /// Of all apps together. They hold a place each among the callers of the control socket, which others need too.
  static constexpr std::size_t kMostFollowers = 32;
  bool has_room_for_follower() const;
  /// Of an app, empty at first.
  Tail& tail(std::string_view app);
  /// The app is no more.
  void forget(std::string_view app);

  std::vector<saved::Tail> save() const;
  void adopt(const std::vector<saved::Tail>& tails);

 private:
  bool say_dropped() const;

  bool as_is_;
  std::uint64_t dropped_ = 0;  // since a line was taken last
  std::map<std::string, Tail, std::less<>> tails_;  // by app: each that has printed, or was asked for
};

/// The two pipes of one worker.
class Output {
 public:
  static constexpr std::size_t kKept = 20;

  /// `mark`: "shop.1". Reads as it comes, until finish().
  Output(runtime::Loop& loop, OutputSink& sink, std::string mark, runtime::Fd out, runtime::Fd err);
  Output(runtime::Loop& loop, OutputSink& sink, std::string mark, const saved::Output& saved);
  saved::Output save() const;

  /// The worker has ended: takes what is still in the pipes, and lets go of them.
  void finish();
  const std::deque<std::string>& last_lines() const { return last_; }

 private:
  struct Stream {
    Stream(Output& to, runtime::Loop& loop, runtime::Fd from, LineCutter begun);
    saved::Stream save() const { return {{fd.get()}, cutter.partial(), cutter.is_discarding()}; }
    void on_readable();
    void on_rested();
    std::size_t read_once();  // bytes; 0: nothing there now, or the end
    Output& output;
    runtime::Fd fd;
    LineCutter cutter;
    runtime::Timer rest;  // of one that prints more than is read at a time
    runtime::IoWatch watch;
  };
  void take(std::string_view line);

  OutputSink& sink_;
  std::string mark_;
  std::deque<std::string> last_;  // at most kKept, in order
  Stream out_, err_;
};

}  // namespace supervisor
