// What proves that a worker is ready, and how it tells so itself. That a connect succeeds proves nothing
// (docs/design.md, "Ready means"). Probes over HTTP are the front's: it is told by upstream::Probe.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "conf/settings.h"
#include "runtime/clock.h"
#include "runtime/loop.h"
#include "runtime/result.h"
#include "supervisor/saved.h"

namespace supervisor {

/// Whose word is waited for.
struct Proof {
  bool notify = false;       ///< READY=1 on NOTIFY_SOCKET counts
  bool probe = false;        ///< an answer to the front's probe counts
  bool probe_after = false;  ///< ask only once READY=1 has come (our Python worker cannot answer before)
  std::string path;          ///< to probe; empty: `OPTIONS *`
  runtime::Milliseconds runs_for{0};  ///< having run for so long counts, too; 0: it proves nothing
  bool operator==(const Proof&) const = default;
};

/// Pure. A `proxy` app needs none.
Proof proof_for(const conf::App& app);
/// Most services tell nobody how they are: that one runs, and did not end at once, has to do.
Proof proof_for_service();

/// True if the text of a datagram (sd_notify(3)) has the line READY=1. What else it says is nothing to us: that a
/// worker stops or reloads itself is seen by its end, and its life is watched by other means.
bool says_ready(std::string_view datagram);

/// Bytes of a datagram that is read; a longer one is left unheard (systemd's NOTIFY_BUFFER_MAX).
inline constexpr std::size_t kMostNotified = 4096;

/// The NOTIFY_SOCKET of one worker: a datagram socket at a path, removed with it. Who may write to it is the worker's
/// user, so a child of the worker may speak for it.
class NotifySocket {
 public:
  static runtime::Result<runtime::Fd> bind(const std::string& path);
  NotifySocket(runtime::Loop& loop, runtime::Fd socket, std::string path, runtime::Call<> on_ready);
  saved::Notify save() const { return {{fd_.get()}, path_}; }
  ~NotifySocket();

 private:
  void on_readable();
  runtime::Fd fd_;
  std::string path_;
  runtime::Call<> on_ready_;  // for each READY=1
  runtime::IoWatch watch_;
};

}  // namespace supervisor
