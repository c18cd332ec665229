// Hears when a file changes that a program is made of (inotify(7)), and says so a moment later, once for many changes: editors
// write a file in several steps, and a checkout many files. What is done about it: group_sources.cpp.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/fd.h"
#include "runtime/loop.h"
#include "runtime/result.h"

namespace supervisor {

/// Pure: by its name it is one that people write, not what a program, an editor or a compiler leaves behind.
bool is_source(std::string_view file_name);
/// Pure: whoever works on an app does not work there: what is hidden, installed or made (".git", "node_modules", "__pycache__").
bool is_left_out(std::string_view folder_name);

class SourceWatch {
 public:
  /// From the first change that has not been told.
  static constexpr runtime::Milliseconds kSettled{200};
  /// Folders; more are not watched, which is said once in the log.
  static constexpr std::size_t kMost = 1024;

  /// Errors: no inotify instance is left (fs.inotify.max_user_instances).
  static runtime::Result<runtime::Fd> open();
  SourceWatch(runtime::Loop& loop, runtime::Fd events, runtime::Call<> on_changed);

  /// This folder, not those below it. One that is watched already, or cannot be, changes nothing.
  void add(const std::string& folder);
  /// And all below it but those that are left out; those, too, that are made there later.
  void add_tree(const std::string& folder);

  /// The first one since the last call of on_changed; a path.
  const std::string& changed() const { return changed_; }
  /// Each once.
  std::vector<std::string> folders() const;

 private:
  struct Folder {
    std::string path;
    bool is_of_tree = false;
  };
  void watch(const std::string& folder, bool is_of_tree);
  void on_events();
  void on_event(int watch, unsigned mask, std::string_view name);
  void on_settled();

  runtime::Fd events_;
  std::map<int, Folder> folders_;  // by watch
  std::string changed_;            // while settled_ is armed, and in the call of on_changed_
  bool has_said_most_ = false;
  runtime::Call<> on_changed_;
  runtime::Timer settled_;
  runtime::IoWatch watch_;
};

}  // namespace supervisor
