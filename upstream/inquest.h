// Waiting for the supervisor's word on how a worker has ended. It comes over another road than the end of the worker's
// connections, and mostly a moment later.
#pragma once
#include "runtime/loop.h"
#include "upstream/roster.h"

namespace upstream {

class Desk;

/// Destroying it ends the waiting.
class Inquest {
 public:
  /// `on_word` is called from the desk's loop, once for each open(): Dispatch::death_of() knows the worker now.
  explicit Inquest(runtime::Call<> on_word) : on_word_(on_word) {}
  ~Inquest() { close(); }
  Inquest(const Inquest&) = delete;
  Inquest& operator=(const Inquest&) = delete;

  void open(Desk& desk, WorkerId worker);
  void close();

 private:
  friend class Desk;
  runtime::Call<> on_word_;
  Desk* desk_ = nullptr;  // set while it waits
  WorkerId worker_ = 0;
};

}  // namespace upstream
