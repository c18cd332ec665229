// The control socket: one order in, as a line of JSON; then lines of JSON out, of which the last is the result.
// For peers that may (SO_PEERCRED, unix(7)). What the orders mean: verbs.h. Whom they are answered to: asker.h.
// Who asks: control_client.h.
//
// A caller may leave at any time. Bounded: callers, the order, the time it takes to come, and what a caller
// leaves unread.
#pragma once
#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/bytes.h"
#include "runtime/loop.h"
#include "runtime/result.h"
#include "supervisor/asker.h"
#include "supervisor/saved.h"

namespace supervisor {

struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  bool is_front = false;  ///< one of ours: it has no business here, so somebody has taken it over
};

/// What somebody may do here, each including those before it.
enum class Right {
  kNothing,
  kLook,     ///< ask how it goes: the supervisor's own group, if `[control] group` names no other
  kCommand,  ///< everything: root, the supervisor's own user, and members of `[control] group`
};

/// `own`: us. `group`: of `[control]`; nothing: none is set. Pure.
Right right_of(const Caller& caller, const Caller& own, std::optional<gid_t> group);

class Control {
 public:
  static constexpr std::size_t kMostCallers = 64;
  static constexpr std::size_t kLongestOrder = 4096;
  /// A caller who has this much unread when another line comes is cut. A line itself may be longer.
  static constexpr runtime::Bytes kMostUnread = std::size_t{1} << 20;
  /// Of lines that may be lost, no more than this wait to be read.
  static constexpr runtime::Bytes kMostOffered = std::size_t{64} << 10;

  /// Called from the loop with the line as it came. The Asker may be answered at once, or later.
  using Hear = std::function<void(std::string_view order, Right right, const Asker& asker)>;

  /// Errors: somebody answers at that path already ("already running (pid 812)"), it cannot be bound, no such
  /// group.
  static runtime::Result<std::unique_ptr<Control>> open(runtime::Loop& loop, const std::string& path,
                                                        const std::string& group, Hear hear);
  ~Control();

  /// Whether a process is a front of ours, which may do nothing here though it be our own user.
  void fronts_are(std::function<bool(pid_t)> is_front) { is_front_ = std::move(is_front); }

  /// With the connection of this asker; those of others end with us.
  saved::Control save(const Asker& asker) const;
  static std::unique_ptr<Control> adopt(runtime::Loop& loop, const saved::Control& saved, Hear hear);
  /// Who is on this connection has given an order that has not been answered yet.
  Asker adopt_asker(runtime::Fd connection);

 private:
  class Visit;
  Control(runtime::Loop& loop, runtime::Fd listener, std::string path, std::optional<gid_t> group, Hear hear);
  void on_visitor();
  void forget(Visit& visit);

  runtime::Loop& loop_;
  runtime::Fd listener_;
  std::string path_;
  std::optional<gid_t> group_;
  Hear hear_;
  std::function<bool(pid_t)> is_front_ = [](pid_t) { return false; };
  // Ours alone; shared only so that an Asker, which outlives them, can see that they have ended.
  std::vector<std::shared_ptr<Visit>> visits_;
  runtime::IoWatch watch_;
};

}  // namespace supervisor
