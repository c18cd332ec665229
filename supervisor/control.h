// The control socket: one JSON line in, one JSON line out, for peers that may (SO_PEERCRED, unix(7)). What
// the verbs mean is the supervisor's; who asks is control_client.h.
#pragma once
#include <sys/types.h>

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/loop.h"
#include "runtime/result.h"

namespace supervisor {

struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

/// Root, our own user, and members of `group` if there is one. Pure.
bool may_command(const Caller& caller, uid_t own, std::optional<gid_t> group);

class Control {
 public:
  static constexpr std::size_t kMostCallers = 64;
  static constexpr std::size_t kLongestLine = 4096;

  /// The whole answer to a verb; called from the loop. `stays_open`: the caller waits for our end.
  struct Answer {
    std::string text;
    bool stays_open = false;
  };
  using Answerer = std::function<Answer(std::string_view verb)>;

  /// Errors: somebody answers at that path already ("already running (pid 812)"), it cannot be bound, no such
  /// group.
  static runtime::Result<std::unique_ptr<Control>> open(runtime::Loop& loop, const std::string& path,
                                                        const std::string& group, Answerer answer);
  ~Control();

 private:
  struct Visit;
  Control(runtime::Loop& loop, runtime::Fd listener, std::string path, std::optional<gid_t> group,
          Answerer answer);
  void on_visitor();
  void end(Visit& visit);

  runtime::Loop& loop_;
  runtime::Fd listener_;
  std::string path_;
  std::optional<gid_t> group_;
  Answerer answer_;
  std::vector<std::unique_ptr<Visit>> visits_;
  runtime::IoWatch watch_;
};

}  // namespace supervisor
