// The life of a worker's place, as a table: what each event means in each state. Pure: nothing is done here.
// Who does what the actions say: worker.h. The story: docs/life-of-a-worker.md, docs/architecture.md "Story
// 2".
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace supervisor {

enum class State : std::uint8_t {
  kIdle,
  kStarting,
  kReady,
  kDraining,
  kStopping,
  kKilling,
  kBackoff,
  kFailed
};
inline constexpr std::size_t kStates = 8;

enum class Event : std::uint8_t {
  kStart,    ///< the group wants a process here
  kReady,    ///< readiness has spoken
  kRetire,   ///< the group wants it gone
  kDrained,  ///< its last lease has ended
  kExited,   ///< the process has ended, or could not be started
  kTimer,    ///< the one deadline of the state is over
  kGiveUp,   ///< only to the candidate generation of a release, and to the first generation of `run`
};
inline constexpr std::size_t kEvents = 7;

enum class Action : std::uint8_t {
  kNothing,
  kSpawn,
  kPublish,
  kUnpublish,
  kTerm,
  kKill,    ///< the whole process group
  kReap,    ///< what the process held is given back, its cause is told, the front hears of its end
  kArm,     ///< the backoff
  kReport,  ///< to the group: this place has failed
};

struct Cell {
  State next;
  std::array<Action, 3> actions;
  bool is_bug = false;  ///< cannot happen: log loudly and stay
};

namespace table {

constexpr Cell go(State next, Action a, Action b = Action::kNothing, Action c = Action::kNothing) {
  return {next, {a, b, c}};
}
constexpr Cell stay(State here) {
  return {here, {}};
}
constexpr Cell bug(State here) {
  return {here, {}, true};
}

using Row = std::array<Cell, kEvents>;
using enum State;
using enum Action;

// Columns: start, ready, retire, drained, exited, timer, give up.
inline constexpr std::array<Row, kStates> kRows{{
    /* idle */ {go(kStarting, kSpawn), bug(kIdle), stay(kIdle), stay(kIdle), bug(kIdle), bug(kIdle),
                bug(kIdle)},
    /* starting */
    {stay(kStarting), go(kReady, kPublish), go(kStopping, kTerm), stay(kStarting), go(kBackoff, kReap, kArm),
     go(kKilling, kKill), bug(kStarting)},
    /* ready */
    {stay(kReady), stay(kReady), go(kDraining, kUnpublish), stay(kReady),
     go(kBackoff, kUnpublish, kReap, kArm), bug(kReady), bug(kReady)},
    /* draining */
    {stay(kDraining), stay(kDraining), stay(kDraining), go(kStopping, kTerm), go(kIdle, kReap),
     go(kStopping, kTerm), bug(kDraining)},
    /* stopping */
    {stay(kStopping), stay(kStopping), stay(kStopping), stay(kStopping), go(kIdle, kReap),
     go(kKilling, kKill), bug(kStopping)},
    /* killing */
    {stay(kKilling), stay(kKilling), stay(kKilling), stay(kKilling), go(kIdle, kReap), go(kKilling, kKill),
     bug(kKilling)},
    /* backoff */
    {stay(kBackoff), bug(kBackoff), go(kIdle, kNothing), stay(kBackoff), bug(kBackoff), go(kStarting, kSpawn),
     go(kFailed, kReport)},
    /* failed */
    {go(kStarting, kSpawn), bug(kFailed), go(kIdle, kNothing), stay(kFailed), bug(kFailed), bug(kFailed),
     bug(kFailed)},
}};

}  // namespace table

constexpr const Cell& step(State state, Event event) {
  return table::kRows[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

constexpr bool does(const Cell& cell, Action action) {
  for (const Action a : cell.actions) {
    if (a == action) return true;
  }
  return false;
}

/// The words of `status`.
constexpr std::string_view name(State state) {
  switch (state) {
    case State::kIdle:
      return "ended";
    case State::kStarting:
      return "starting";
    case State::kReady:
      return "ready";
    case State::kDraining:
      return "draining";
    case State::kStopping:
      return "stopping";
    case State::kKilling:
      return "stopping";
    case State::kBackoff:
      return "backoff";
    case State::kFailed:
      return "failed";
  }
  return "";
}

constexpr std::string_view name(Event event) {
  switch (event) {
    case Event::kStart:
      return "start";
    case Event::kReady:
      return "ready";
    case Event::kRetire:
      return "retire";
    case Event::kDrained:
      return "drained";
    case Event::kExited:
      return "exited";
    case Event::kTimer:
      return "timer";
    case Event::kGiveUp:
      return "give up";
  }
  return "";
}

// ---- the promises ----

namespace table {

template <class Rule>
constexpr bool everywhere(Rule rule) {
  for (std::size_t s = 0; s < kStates; ++s) {
    for (std::size_t e = 0; e < kEvents; ++e) {
      if (!rule(static_cast<State>(s), static_cast<Event>(e), kRows[s][e])) return false;
    }
  }
  return true;
}

static_assert(everywhere([](State from, Event event, const Cell& to) {
                return to.next != kReady || from == kReady || event == Event::kReady;
              }),
              "ready is entered only by ready");
static_assert(everywhere([](State, Event, const Cell& to) {
                return does(to, kPublish) == (does(to, kPublish) && to.next == kReady);
              }),
              "only a ready worker is published");
static_assert(everywhere([](State from, Event, const Cell& to) {
                return from != kDraining || to.next == kDraining || to.next == kStopping || to.next == kIdle;
              }),
              "nothing returns from draining");
static_assert(everywhere([](State, Event event, const Cell& to) {
                return event != Event::kExited || to.is_bug || does(to, kReap);
              }),
              "every exited reaps");
static_assert(everywhere([](State, Event event, const Cell& to) {
                return !does(to, kReap) || event == Event::kExited;
              }),
              "nothing is reaped that lives");
static_assert(everywhere([](State from, Event, const Cell& to) {
                return from != kReady || to.next == kReady || does(to, kUnpublish);
              }),
              "whoever leaves ready is unpublished");
static_assert(everywhere([](State, Event, const Cell& to) {
                return does(to, kSpawn) == (to.next == kStarting && !to.is_bug && does(to, kSpawn));
              }),
              "a spawn leads to starting");
static_assert(everywhere([](State from, Event, const Cell& to) { return !to.is_bug || to.next == from; }),
              "a bug changes nothing");

}  // namespace table
}  // namespace supervisor
