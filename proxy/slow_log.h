// Requests that were slower than `[log] access.slow`, told in the error log, too: one warning each, and where the worker was
// stuck, if it was asked. Stack and end of the exchange come in either order. Nothing here costs a request that is not slow.
#pragma once
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "proxy/access_event.h"
#include "runtime/clock.h"

namespace proxy {

/// One for a front, shared by its threads.
class SlowLog {
 public:
  /// What is remembered at the same time, and how long.
  static constexpr std::size_t kMost = 64;
  static constexpr runtime::Milliseconds kKeep{60'000};

  /// What lives long by nature is not slow. Zero is off.
  static bool is_slow(const AccessEvent& event, runtime::Milliseconds threshold) {
    return threshold.count() > 0 && event.total >= threshold && !event.lives_long;
  }
  /// From any thread.
  void look_at(const AccessEvent&, runtime::Milliseconds threshold);
  /// A worker that was stuck with this exchange was there. Not to be called with slow off.
  void on_stack(std::string_view exchange, std::string_view stack);

 private:
  struct Note {
    runtime::Time since;
    std::string exchange;
    std::string stack;
  };
  static std::string take(std::deque<Note>& notes, std::string_view exchange, bool& was_there);
  static void keep(std::deque<Note>& notes, std::string_view exchange, std::string_view stack);

  std::mutex lock_;         // guards what follows; never held while a line is written
  std::deque<Note> stacks_;  // of exchanges that have not ended
  std::deque<Note> told_;    // that had no stack yet when they were told; theirs is empty
};

}  // namespace proxy
