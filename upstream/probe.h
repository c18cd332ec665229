// Asks a worker whether it is ready, again and again, in a lane of its own: no slot, no queue, so overload cannot fail it.
// Ordered by the supervisor (orders.h, Probe), answered by Probed.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "conf/settings.h"
#include "runtime/loop.h"
#include "upstream/answer_reader.h"
#include "upstream/connection.h"
#include "upstream/roster.h"

namespace upstream {

/// What a probe has found: ready, or not yet and why.
using ProbeReport = std::function<void(bool is_ready, const std::string& cause)>;

/// Who a probe asks for: the app's first host that is a name, else "localhost". An app that answers only to its own
/// names (Django's ALLOWED_HOSTS) would refuse any other for ever.
inline constexpr const char* kAnyHost = "localhost";
std::string probed_host(const conf::App& app);

/// Repeats every 100 ms until the worker is ready or this object is destroyed. `path` empty: any well-formed HTTP answer
/// to `OPTIONS *` means ready; else a 2xx or 3xx to GET path does. `report` is told "ready" once, and every new cause.
class WorkerProbe {
 public:
  /// `once_within` not 0: asks once, and reports what came of it within that time.
  WorkerProbe(runtime::Loop& loop, Worker worker, std::string host, std::string path,
              runtime::Milliseconds once_within, ProbeReport report);

 private:
  // A worker may be slow to answer its first request; it is not asked a second time meanwhile.
  static constexpr runtime::Milliseconds kPatience{5000};
  bool is_single() const { return once_within_ != runtime::Milliseconds(0); }
  runtime::Milliseconds patience() const { return is_single() ? once_within_ : kPatience; }
  void ask();
  void on_readable();
  void on_writable();
  void on_answer();
  void failed(std::string cause);
  void write_question();

  runtime::Loop& loop_;
  const Worker worker_;
  const std::string host_;
  const std::string path_;
  const runtime::Milliseconds once_within_;  // 0: again and again
  const ProbeReport report_;
  runtime::Timer timer_;                    // the next try, or the end of patience with this one
  std::unique_ptr<Connection> connection_;  // of the try that runs; empty between two
  runtime::ByteQueue to_worker_;
  runtime::InBuffer from_worker_;
  AnswerReader reader_;
  ResponseHead answer_;
  std::string last_cause_;
};

}  // namespace upstream
