#include "supervisor/gate.h"

#include "doctest_precompiled.h"

using supervisor::gate_after;
using supervisor::Turn;
using upstream::Gate;

namespace {

constexpr Turn kTurns[] = {Turn::kPause,          Turn::kResume, Turn::kMaintenanceOn,
                           Turn::kMaintenanceOff, Turn::kStop,   Turn::kStart};

/// Every order after which it would be as it was before is refused but for these: said again they say
/// something new.
bool may_be_said_again(Gate gate, Turn turn) {
  return (gate == Gate::kPaused && turn == Turn::kPause) ||
         (gate == Gate::kMaintenance && turn == Turn::kMaintenanceOn) ||
         (gate == Gate::kStopped && turn == Turn::kStop);
}

}  // namespace

TEST_CASE("each order leads there, and the other one back") {
  CHECK(gate_after(Gate::kOpen, Turn::kPause, "shop") == Gate::kPaused);
  CHECK(gate_after(Gate::kPaused, Turn::kResume, "shop") == Gate::kOpen);
  CHECK(gate_after(Gate::kOpen, Turn::kMaintenanceOn, "shop") == Gate::kMaintenance);
  CHECK(gate_after(Gate::kMaintenance, Turn::kMaintenanceOff, "shop") == Gate::kOpen);
  CHECK(gate_after(Gate::kOpen, Turn::kStop, "shop") == Gate::kStopped);
  CHECK(gate_after(Gate::kStopped, Turn::kStart, "shop") == Gate::kOpen);
}

TEST_CASE("whatever it is, it can be stopped; what is stopped can only be started") {
  for (const Gate gate : {Gate::kOpen, Gate::kPaused, Gate::kMaintenance, Gate::kStopped})
    CHECK(gate_after(gate, Turn::kStop, "shop") == Gate::kStopped);
  for (const Turn turn : kTurns) {
    if (turn != Turn::kStop && turn != Turn::kStart) CHECK_FALSE(gate_after(Gate::kStopped, turn, "shop"));
  }
}

TEST_CASE("a release, or another number of workers, leaves it as it is, and is refused of what is stopped") {
  for (const Turn turn : {Turn::kRestart, Turn::kRollback, Turn::kScale}) {
    for (const Gate gate : {Gate::kOpen, Gate::kPaused, Gate::kMaintenance}) CHECK(gate_after(gate, turn, "shop") == gate);
    CHECK_FALSE(gate_after(Gate::kStopped, turn, "shop"));
  }
}

TEST_CASE("an order changes something, or is refused") {
  for (const Gate gate : {Gate::kOpen, Gate::kPaused, Gate::kMaintenance, Gate::kStopped}) {
    for (const Turn turn : kTurns) {
      const auto after = gate_after(gate, turn, "shop");
      if (after && !may_be_said_again(gate, turn)) CHECK(*after != gate);
    }
  }
}

TEST_CASE("a refusal says how it is, and what ends that") {
  CHECK(gate_after(Gate::kOpen, Turn::kResume, "shop").error().text() ==
        "`resume shop` changes nothing: shop is not paused");
  CHECK(gate_after(Gate::kOpen, Turn::kMaintenanceOff, "shop").error().text() ==
        "`maintenance off shop` changes nothing: shop is not in maintenance");
  CHECK(gate_after(Gate::kOpen, Turn::kStart, "shop").error().text() ==
        "`start shop` changes nothing: shop is not stopped");
  CHECK(gate_after(Gate::kMaintenance, Turn::kResume, "shop").error().text() ==
        "`resume shop` changes nothing: shop is in maintenance; `portherd maintenance off shop` ends that");
  CHECK(gate_after(Gate::kStopped, Turn::kPause, "shop").error().text() ==
        "`pause shop` changes nothing: shop is stopped; `portherd start shop` ends that");
}
