// Signals that wait while nobody could obey them: from before the first socket is bound until the handlers stand,
// and from before a program is replaced until the next one has its own. None is lost; what is bound is unbound by
// those only.
#pragma once

namespace supervisor {

class HeldSignals {
 public:
  HeldSignals();
  /// Lets them in, also if they were held when this was made: that was by the program before us.
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
};

}  // namespace supervisor
