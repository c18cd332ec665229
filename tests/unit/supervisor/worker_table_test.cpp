#include "supervisor/worker_table.h"

#include "doctest_precompiled.h"

namespace {

using namespace supervisor;

// The table of docs/architecture.md, "Story 2", cell by cell.
constexpr std::string_view kTable = R"(
idle     | starting, spawn | bug            | -                   | -              | bug                          | bug                 | bug
starting | -               | ready, publish | stopping, term      | -              | backoff, reap, arm           | killing, kill       | bug
ready    | -               | -              | draining, unpublish | -              | backoff, unpublish, reap, arm | bug                | bug
draining | -               | -              | -                   | stopping, term | idle, reap                   | stopping, term      | bug
stopping | -               | -              | -                   | -              | idle, reap                   | killing, kill       | bug
killing  | -               | -              | -                   | -              | idle, reap                   | killing, kill       | bug
backoff  | -               | bug            | idle                | -              | bug                          | starting, spawn     | failed, report
failed   | starting, spawn | bug            | idle                | -              | bug                          | bug                 | bug
)";

constexpr std::array kStateNames{"idle",     "starting", "ready",   "draining",
                                 "stopping", "killing",  "backoff", "failed"};
constexpr std::array kActionNames{"",     "spawn", "publish", "unpublish", "term",
                                  "kill", "reap",  "arm",     "report"};

std::string cell_text(State from, const Cell& cell) {
  if (cell.is_bug) return cell.next == from ? "bug" : "bug that moves";
  std::string text = kStateNames[static_cast<std::size_t>(cell.next)];
  for (const Action action : cell.actions) {
    if (action != Action::kNothing)
      text += std::string(", ") + kActionNames[static_cast<std::size_t>(action)];
  }
  return cell.next == from && !does(cell, Action::kKill) ? (text.find(',') == std::string::npos ? "-" : text)
                                                         : text;
}

std::vector<std::string> split_row(std::string_view line) {
  std::vector<std::string> cells;
  while (true) {
    const std::size_t bar = line.find('|');
    std::string_view cell = line.substr(0, bar);
    const std::size_t first = cell.find_first_not_of(' ');
    cell = first == std::string_view::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1);
    cells.emplace_back(cell);
    if (bar == std::string_view::npos) return cells;
    line.remove_prefix(bar + 1);
  }
}

}  // namespace

TEST_CASE("every cell of the worker table is what the architecture says") {
  std::string_view rest = kTable.substr(1);
  for (std::size_t s = 0; s < kStates; ++s) {
    const std::vector<std::string> row = split_row(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(rest.find('\n') + 1);
    REQUIRE(row.size() == kEvents + 1);
    CHECK(row[0] == kStateNames[s]);
    for (std::size_t e = 0; e < kEvents; ++e) {
      const auto from = static_cast<State>(s);
      const auto event = static_cast<Event>(e);
      CAPTURE(row[0]);
      CAPTURE(name(event));
      CHECK(cell_text(from, step(from, event)) == row[e + 1]);
    }
  }
  CHECK(rest.empty());
}

TEST_CASE("a worker that boots, serves, drains and leaves goes through the states in order") {
  State state = State::kIdle;
  const auto go = [&state](Event event) { return state = step(state, event).next; };
  CHECK(go(Event::kStart) == State::kStarting);
  CHECK(go(Event::kReady) == State::kReady);
  CHECK(go(Event::kRetire) == State::kDraining);
  CHECK(go(Event::kDrained) == State::kStopping);
  CHECK(go(Event::kExited) == State::kIdle);
}

TEST_CASE("a state has one word for people") {
  CHECK(name(State::kStarting) == "starting");
  CHECK(name(State::kReady) == "ready");
  CHECK(name(State::kDraining) == "draining");
  CHECK(name(State::kStopping) == "stopping");
  CHECK(name(State::kKilling) == "stopping");
  CHECK(name(State::kBackoff) == "backoff");
  CHECK(name(State::kIdle) == "ended");
  CHECK(name(State::kFailed) == "failed");
}
