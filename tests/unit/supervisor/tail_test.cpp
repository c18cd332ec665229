#include "supervisor/tail.h"

#include <nlohmann/json.hpp>

#include "doctest_precompiled.h"

using namespace supervisor;
using Json = nlohmann::ordered_json;

namespace {

// A caller who writes down what he hears.
struct Notes : Conversation {
  void say(std::string line) override { said.push_back(Json::parse(line)); }
  void offer(std::string line) override { offered.push_back(Json::parse(line)); }
  void end(std::string line, bool) override { result = line; }
  std::vector<Json> said, offered;
  std::string result;
};

const runtime::WallTime kNow{std::chrono::seconds(1'800'000'000)};

}  // namespace

TEST_CASE("the last lines are told with their time and place") {
  Tail tail;
  for (const char* text : {"one", "two", "three"}) tail.add("2", text, kNow);
  const auto notes = std::make_shared<Notes>();
  tail.tell(Asker(notes), 2);
  REQUIRE(notes->said.size() == 2);
  CHECK(notes->said[0].dump() == R"({"time":"2027-01-15T08:00:00.000Z","worker":"2","line":"two"})");
  CHECK(notes->said[1]["line"] == "three");
  tail.tell(Asker(notes), 1000);
  CHECK(notes->said.size() == 5);
}

TEST_CASE("the oldest lines go when there are too many, or too long ones") {
  Tail many;
  for (std::size_t i = 0; i <= Tail::kMostLines; ++i) many.add("1", std::to_string(i), kNow);
  CHECK(many.lines().size() == Tail::kMostLines);
  CHECK(many.lines().front().text == "1");

  Tail large;
  const std::string text(16 << 10, 'x');
  for (int i = 0; i < 100; ++i) large.add("1", text, kNow);
  CHECK(large.lines().size() == Tail::kMost / text.size());
}

TEST_CASE("a follower hears every line from now on, and that it is over when the app has gone") {
  const auto notes = std::make_shared<Notes>();
  {
    Tail tail;
    tail.add("1", "before", kNow);
    tail.follow(Asker(notes));
    tail.add("1", "after\x1b[0m", kNow);
    REQUIRE(notes->offered.size() == 1);
    CHECK(notes->offered[0]["line"] == "after?[0m");
    CHECK(notes->result.empty());
  }
  CHECK(notes->result == R"({"ok":true})");
}

TEST_CASE("a follower who has left costs nothing") {
  Tail tail;
  auto notes = std::make_shared<Notes>();
  tail.follow(Asker(notes));
  notes.reset();
  tail.add("1", "anybody?", kNow);
  CHECK(tail.lines().size() == 1);
}

TEST_CASE("what is no UTF-8 is told all the same") {
  Tail tail;
  tail.add("1", "caf\xe9", kNow);
  const auto notes = std::make_shared<Notes>();
  tail.tell(Asker(notes), 1);
  CHECK(notes->said.at(0)["line"] == "caf\xef\xbf\xbd");
}
