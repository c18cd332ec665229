// Whether a worker that serves still answers `health.path`: asked by the front, in the probe's own lane, every
// `health.interval` (docs/design.md, "Worker life"). What follows from it: retire.h.
#pragma once
#include <cstddef>
#include <string>

#include "conf/settings.h"
#include "runtime/loop.h"
#include "upstream/orders.h"
#include "upstream/roster.h"
#include "upstream/scoreboard.h"

namespace supervisor {

/// Of one process, from when it is ready.
class Liveness {
 public:
  using Ask = runtime::Call<const upstream::Order&>;
  /// All outlive it. `ask` takes a Probe to the front that serves. With `health.interval` 0 it asks nothing.
  Liveness(Ask ask, const conf::App& app, const upstream::Worker& about, const upstream::Scoreboard& fronts,
           runtime::Loop& loop);

  /// The front's answer. Of a worker whose slots are all taken a failure says nothing: it may have nobody to answer with.
  void on_answer(const upstream::Probed& answer);
  /// `health.failures` in a row. One that answers again before it is being replaced is well.
  bool is_unwell() const { return failures_ >= app_.health.failures; }

 private:
  void on_due();
  bool is_full() const { return fronts_.worker(about_.row).busy >= about_.slots; }
  void tell(const std::string& cause) const;

  const Ask ask_;
  const conf::App& app_;
  const upstream::Worker& about_;
  const upstream::Scoreboard& fronts_;
  runtime::Timer timer_;      // the next question; not while an answer is due
  bool is_asked_ = false;     // an answer is due
  std::size_t failures_ = 0;  // in a row
};

}  // namespace supervisor
