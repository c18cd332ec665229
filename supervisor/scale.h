// How many workers an app should have, where its settings leave that to us: by the CPUs and the memory
// ("auto"), or by the load ({ min, max }). Pure: facts in, a number and its reason out. Who looks:
// group_scale.cpp. The rules: docs/design.md, "Worker life".
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "conf/settings.h"
#include "runtime/bytes.h"
#include "runtime/clock.h"
#include "upstream/app.h"

namespace supervisor::scale {

/// What the workers hold, and what is left.
struct Memory {
  std::size_t ready = 0;         ///< workers that hold what they need
  std::size_t coming = 0;        ///< and those that do not yet
  runtime::Bytes one = 0;        ///< the largest of the ready ones; 0: none has been measured
  runtime::Bytes available = 0;  ///< memory that we may still take
};

/// What an app has been told that it may have and does not hold yet: workers that are wanted and are not ready.
struct Promise {
  std::size_t missing = 0;
  runtime::Bytes one = 0;  ///< the largest that it has had; 0: none has been measured
};
/// By app. So that two that look at the same memory do not both count on it.
using Promises = std::map<upstream::AppIndex, Promise>;
/// Of `available` memory what is left for `app` when all others have what they were promised.
runtime::Bytes left_for(upstream::AppIndex app, runtime::Bytes available, const Promises& promised);

/// So many workers fit, those that are there included; never fewer. Nothing: nobody knows how large one is.
std::optional<std::size_t> fit(const Memory& memory);

/// One more (`by` 1) or one fewer (-1), by order: never none, nor more than an app may have. One that has none and sleeps
/// sleeps on, unless it is to have one more.
std::size_t stepped(std::size_t wanted, int by);

struct Verdict {
  std::size_t wanted = 0;
  std::string why;  ///< for the log
};

/// How many there are at first: the fewest that the settings allow, and one of "auto", to be measured.
std::size_t first(const conf::Workers& workers);

/// "auto": one for each CPU that we may use, since a process of most languages has no use for two; and no
/// more than fit.
Verdict automatic(std::size_t cpus, const Memory& memory);

/// The load of an app with { min, max }, from one look to the next.
struct Load {
  std::size_t wanted = 1;                 ///< now
  std::size_t ready = 0;                  ///< of those
  std::size_t slots = 1;                  ///< of one worker
  std::uint64_t busy = 0;                 ///< slots that are taken
  std::uint64_t waiting = 0;              ///< requests in line
  runtime::Milliseconds longest_wait{0};  ///< of those, so far
  bool were_late = false;  ///< since the look before some got their slot after more than target_wait
  runtime::Milliseconds settled{0};  ///< for so long the same workers have been ready
  runtime::Milliseconds spare{0};    ///< for so long one worker fewer would have had a slot for every request
  Memory memory;
};

/// After a change it takes so long until waits that began before it are over.
inline constexpr runtime::Milliseconds kSettles{1000};

/// More when requests wait for longer than target_wait: as many as those in line need, at most twice as many
/// as there are, at most `max`, and no more than fit. While some are on their way they are waited for, if
/// they will do. One fewer when that would have done for all of idle_timeout, so that a short lull starts and
/// stops nobody.
Verdict by_load(const conf::App& app, const Load& load);

}  // namespace supervisor::scale
