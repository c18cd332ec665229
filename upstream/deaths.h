// How the workers of an app have ended, as far as it is remembered. Pure. Who waits for it to be said: inquest.h.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>

#include "runtime/clock.h"
#include "upstream/roster.h"

namespace upstream {

enum class Death : std::uint8_t {
  kUnknown,      ///< it lives, or nobody has said yet that it does not
  kAskedFor,     ///< the supervisor had sent it a signal
  kUnexplained,  ///< what it had in flight may have killed it
};

/// The end of a worker's connections comes before the word on how it ended: that needs a turn of the supervisor's loop and
/// one of ours. So long it is waited for; without it nobody says that the worker has died.
inline constexpr runtime::Milliseconds kWordWithin{250};

/// The last ones; the oldest gives way. An app's workers are started again four times a second at most, so that these reach back
/// over a minute: longer than most exchanges live.
class Deaths {
 public:
  static constexpr std::size_t kMost = 256;

  void add(WorkerId worker, bool unexpected) {
    last_[count_++ % kMost] = {worker, unexpected ? Death::kUnexplained : Death::kAskedFor};
  }
  Death of(WorkerId worker) const {
    const auto found = std::find_if(last_.begin(), last_.end(), [worker](const One& one) { return one.worker == worker; });
    return found == last_.end() ? Death::kUnknown : found->death;
  }

 private:
  struct One {
    WorkerId worker = 0;
    Death death = Death::kUnknown;
  };
  std::array<One, kMost> last_;
  std::size_t count_ = 0;
};

}  // namespace upstream
