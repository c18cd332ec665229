#include "supervisor/liveness.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "doctest_precompiled.h"

namespace {

using namespace std::chrono_literals;

constexpr const char* kCause = "GET /healthz answered 500";

/// A worker of two slots that is asked every millisecond, and the front that is told to ask it.
struct Stage {
  explicit Stage(runtime::Milliseconds interval = 1ms) {
    app.name = "shop";
    app.health = {.path = "/healthz", .interval = interval, .timeout = 700ms, .failures = 3};
    liveness.emplace(runtime::bind<&Stage::on_asked>(this), app, about, board, loop);
  }
  void on_asked(const upstream::Order& order) { asked.push_back(std::get<upstream::Probe>(order)); }

  /// Until it is asked once more.
  void wait_for_question() {
    for (const std::size_t before = asked.size(); asked.size() == before;) loop.turn();
  }
  void answer(bool is_ready) {
    liveness->on_answer({.app = about.app, .worker = about.id, .is_ready = is_ready, .cause = is_ready ? "" : kCause});
  }
  void ask_and_answer(bool is_ready) {
    wait_for_question();
    answer(is_ready);
  }
  void let_work(std::uint32_t requests) { board->board.worker[about.row].busy = requests; }

  conf::App app;
  upstream::Worker about{.id = 7, .app = 1, .slot = 1, .pid = 4711, .row = 5, .slots = 2};
  upstream::Scoreboard board = [] {
    auto made = upstream::Scoreboard::make();
    REQUIRE(made.has_value());
    REQUIRE(made->begin_front().has_value());
    return std::move(*made);
  }();
  runtime::Loop loop;
  std::vector<upstream::Probe> asked;
  std::optional<supervisor::Liveness> liveness;
};

/// Turns until the clock has gone on by so much, in which a timer of a few milliseconds would have rung.
void let_time_pass(runtime::Loop& loop, runtime::Milliseconds time) {
  struct Bell {
    void ring() { has_rung = true; }
    bool has_rung = false;
  } bell;
  runtime::Timer timer(loop, runtime::bind<&Bell::ring>(&bell));
  timer.arm(time);
  while (!bell.has_rung) loop.turn();
}

}  // namespace

TEST_CASE("it is asked for health.path, once, within health.timeout") {
  Stage stage;
  stage.wait_for_question();
  const upstream::Probe& question = stage.asked.at(0);
  CHECK(question.worker == stage.about);
  CHECK(question.path == "/healthz");
  CHECK(question.within == 700);
}

TEST_CASE("without an interval nobody asks") {
  Stage stage(0ms);
  let_time_pass(stage.loop, 20ms);
  CHECK(stage.asked.empty());
  stage.answer(false);  // to the question whether it was ready
  CHECK_FALSE(stage.liveness->is_unwell());
}

TEST_CASE("the next question waits for the answer to the one before") {
  Stage stage;
  stage.wait_for_question();
  let_time_pass(stage.loop, 20ms);
  CHECK(stage.asked.size() == 1);
  stage.answer(true);
  stage.wait_for_question();
  CHECK(stage.asked.size() == 2);
}

TEST_CASE("as many failures in a row as health.failures make it unwell, and one answer makes it well again") {
  Stage stage;
  for (int i = 0; i < 2; ++i) stage.ask_and_answer(false);
  CHECK_FALSE(stage.liveness->is_unwell());
  stage.ask_and_answer(true);
  for (int i = 0; i < 2; ++i) stage.ask_and_answer(false);
  CHECK_FALSE(stage.liveness->is_unwell());
  stage.ask_and_answer(false);
  CHECK(stage.liveness->is_unwell());
  stage.ask_and_answer(false);
  CHECK(stage.liveness->is_unwell());
  stage.ask_and_answer(true);
  CHECK_FALSE(stage.liveness->is_unwell());
}

TEST_CASE("an answer that nobody waits for counts as nothing") {
  Stage stage;
  stage.ask_and_answer(false);
  for (int i = 0; i < 5; ++i) stage.answer(false);
  CHECK_FALSE(stage.liveness->is_unwell());
}

TEST_CASE("while all slots are taken it is not asked, and a failure does not count") {
  Stage stage;
  stage.let_work(1);
  for (int i = 0; i < 2; ++i) stage.ask_and_answer(false);
  stage.wait_for_question();
  stage.let_work(2);  // after the question
  stage.answer(false);
  CHECK_FALSE(stage.liveness->is_unwell());
  let_time_pass(stage.loop, 20ms);
  CHECK(stage.asked.size() == 3);

  stage.let_work(1);  // what it had failed before is not forgotten
  stage.ask_and_answer(false);
  CHECK(stage.liveness->is_unwell());
}

TEST_CASE("an answer that comes while all slots are taken proves that it is well") {
  Stage stage;
  for (int i = 0; i < 2; ++i) stage.ask_and_answer(false);
  stage.wait_for_question();
  stage.let_work(2);
  stage.answer(true);
  stage.let_work(0);
  stage.ask_and_answer(false);
  CHECK_FALSE(stage.liveness->is_unwell());
}

TEST_CASE("fewer failures are enough as soon as the settings say so") {
  Stage stage;
  stage.ask_and_answer(false);
  CHECK_FALSE(stage.liveness->is_unwell());
  stage.app.health.failures = 1;
  CHECK(stage.liveness->is_unwell());
}
