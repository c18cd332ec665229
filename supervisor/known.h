// What a front that starts now has to be told of the apps: what the orders to the fronts before it came to. Pure.
#pragma once
#include <map>
#include <vector>

#include "upstream/orders.h"

namespace supervisor {

class Known {
 public:
  /// An order that is given. Those that a later front need not know leave nothing.
  void note(const upstream::Order& order);
  /// An answer to Probe; if it is the last one, nobody needs to ask any more.
  void note(const upstream::Probed& answer);
  /// The app has gone, and its index may be given to another one.
  void forget(upstream::AppIndex app) { apps_.erase(app); }

  /// How each app is (AppState), then each worker that takes work (Publish), by their ids.
  std::vector<upstream::Order> roster() const;
  /// The workers that are asked whether they are ready (Probe).
  std::vector<upstream::Order> probes() const;

 private:
  std::map<upstream::AppIndex, upstream::AppState> apps_;      // those that there is something to say of
  std::map<upstream::WorkerId, upstream::Worker> published_;
  std::map<upstream::WorkerId, upstream::Probe> probes_;       // not answered yet
};

}  // namespace supervisor
