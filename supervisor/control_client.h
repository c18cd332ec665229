// Asks a running supervisor over its control socket. The other side: control.h. Blocking, with a deadline:
// for commands.
#pragma once
#include <sys/types.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "runtime/fd.h"
#include "runtime/result.h"

namespace supervisor {

/// The pid of whoever listens at `path`. Nothing: nobody does.
std::optional<pid_t> who_answers(const std::string& path);

struct Reply {
  std::string text;        ///< JSON, whole, of an order that was obeyed
  runtime::Fd connection;  ///< still open: end of input means that the other side has ended
  pid_t pid = 0;           ///< of the supervisor
};

/// Errors: kNotRunning nobody answers there, kPermission we may not ask, kSystem and kProtocol as they are.
runtime::Result<Reply> ask(const std::string& path, const std::string& verb);

/// Until the supervisor of this reply has ended.
void wait_for_end(const Reply& reply);

}  // namespace supervisor
