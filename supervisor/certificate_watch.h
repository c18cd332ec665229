// Hears when something changes in the folder of `[tls] certificates` (inotify(7)), or on the way to it or to one of its files:
// a link that is another one now (certbot's live/, ..data of Kubernetes), a folder that is made again. It says so a moment
// later, once for many changes: a pair is two files. What is done about it: reload.h.
#pragma once
#include <map>
#include <set>
#include <string>

#include "runtime/fd.h"
#include "runtime/loop.h"

namespace supervisor {

class CertificateWatch {
 public:
  /// From the first change that has not been told.
  static constexpr runtime::Milliseconds kSettled{500};

  CertificateWatch(runtime::Loop& loop, runtime::Call<> on_changed);

  /// This folder from now on, or what lies at its path by now; empty: none. It need not be there. What cannot be watched is a
  /// warning in the log: a reload looks anyway.
  void look_at(const std::string& folder);
  /// Says it again after a while: it could not be done now.
  void again() { settled_.arm(kSettled); }

 private:
  using Names = std::set<std::string, std::less<>>;
  void watch_anew();
  void watch_way(const std::string& path);
  void watch(const std::string& folder, const std::string& name);
  bool is_ours(int watch, std::string_view name) const;
  void on_events();
  void on_settled();

  runtime::Call<> on_changed_;
  runtime::Fd events_;            // empty: there is no inotify
  std::string folder_;            // that is watched; empty: none
  std::map<int, Names> watched_;  // the names in each watch's folder that matter; none: all do
  std::string trouble_;           // the last folder that could not be watched, and why; empty: all could
  runtime::Timer settled_;        // armed while a change has not been told
  runtime::IoWatch watch_;
};

}  // namespace supervisor
