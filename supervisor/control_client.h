// Gives an order to a running supervisor over its control socket, and hears what comes of it. The other side:
// control.h. Blocking: for commands.
#pragma once
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/fd.h"
#include "runtime/clock.h"
#include "runtime/result.h"

namespace supervisor {

/// The pid of whoever listens at `path`. Nothing: nobody does.
std::optional<pid_t> who_answers(const std::string& path);

/// For an answer that comes at once.
inline constexpr runtime::Milliseconds kPatience{10'000};

struct Question {
  std::string order;  ///< JSON on one line: {"verb": ..., ...}
  /// Every line before the last, as it comes: JSON.
  std::function<void(std::string_view line)> on_progress = {};
  /// Between two lines. Nothing: as long as the connection lives.
  std::optional<runtime::Milliseconds> patience = kPatience;
};

struct Reply {
  std::string text;        ///< JSON of the result, on a line, without its "ok"
  runtime::Fd connection;  ///< still open: end of input means that the other side has ended
  pid_t pid = 0;           ///< of the supervisor
};

/// Errors: kNotRunning nobody answers there, kPermission we may not ask, kConfig there is no such verb or app;
/// kSystem and kProtocol as they are.
runtime::Result<Reply> ask(const std::string& path, const Question& question);
/// The same of a verb without more.
runtime::Result<Reply> ask(const std::string& path, const std::string& verb);

/// Until the supervisor of this reply has ended.
void wait_for_end(const Reply& reply);

}  // namespace supervisor
