#include "supervisor/commands/seen.h"

#include "doctest_precompiled.h"

using supervisor::start_of_package;

TEST_CASE("what `npm start` runs is told as a command of its own where it is one program of Node's") {
  CHECK(start_of_package(R"({"scripts": {"start": "node dist/main.js"}})") == "node dist/main.js");
  CHECK(start_of_package(R"({"scripts": {"start": "node --env-file=.env a.js"}})") == "node --env-file=.env a.js");
  for (const std::string line : {"next start", "node a.js && node b.js", "NODE_ENV=production node a.js"})
    CHECK(start_of_package("{\"scripts\": {\"start\": \"" + line + "\"}}") == "npm start");
}

TEST_CASE("without a start script there is `main`, and else nothing") {
  CHECK(start_of_package(R"({"main": "index.js"})") == "node index.js");
  CHECK(start_of_package(R"({"main": "a.js; rm b"})").empty());  // nobody is told to type that
  CHECK(start_of_package("{\"scripts\": {\"start\": \"node \\u001b[2Ja.js\"}}") == "node ?[2Ja.js");
  for (const std::string_view text : {"{}", "", "[1]", R"({"scripts": "x", "main": 5})"}) CHECK(start_of_package(text).empty());
}
