// Hears when something changes in the folder of `[tls] certificates` (inotify(7)), and says so a moment later, once for many
// changes: a pair is two files. What is done about it: reload.h.
#pragma once
#include <string>

#include "runtime/fd.h"
#include "runtime/loop.h"

namespace supervisor {

class CertificateWatch {
 public:
  /// From the first change that has not been told.
  static constexpr runtime::Milliseconds kSettled{500};

  CertificateWatch(runtime::Loop& loop, runtime::Call<> on_changed);

  /// This folder from now on, or what lies at its path by now; empty: none. One that cannot be watched is a warning in the log: a reload looks anyway.
  void look_at(const std::string& folder);
  /// Says it again after a while: it could not be done now.
  void again() { settled_.arm(kSettled); }

 private:
  void on_events();

  runtime::Fd events_;      // empty: there is no inotify
  std::string folder_;      // that is watched; empty: none
  int watched_ = -1;        // its watch
  runtime::Timer settled_;  // armed while a change has not been told
  runtime::IoWatch watch_;
};

}  // namespace supervisor
