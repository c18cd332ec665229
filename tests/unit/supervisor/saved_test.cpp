#include "supervisor/saved.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "conf/load.h"
#include "conf/reference.h"
#include "doctest_precompiled.h"
#include "upstream/herd_board.h"
#include "upstream/scoreboard.h"

using namespace supervisor;
using Json = nlohmann::ordered_json;

namespace {

conf::Settings settings() {
  conf::Settings made;
  conf::App& app = made.apps.emplace_back();
  app.name = "shop";
  app.directory = "/srv/shop";
  app.command = {"/bin/serve", "--port", "{port}"};
  app.env_file = "/srv/shop/env";
  app.env_file_digest = 0xfedcba9876543210;
  conf::settle(made);
  return made;
}

saved::Worker ready_worker() {
  saved::Worker worker;
  worker.generation = 2;
  worker.state = State::kReady;
  worker.death.cause = "exit status 3";
  worker.death.last_lines = {"one", "caf\xc3\xa9 \xff\x01"};
  worker.deadline = runtime::Time(std::chrono::nanoseconds(123'456'789'012));
  worker.process.emplace();
  worker.process->about.id = 7;
  worker.process->about.socket = "/run/portherd/1/shop.7.sock";
  worker.process->child = saved::Child{.pid = 812, .pidfd = {20}, .failure = {21}, .sent = 15};
  worker.process->output.emplace();
  worker.process->output->out = {{22}, "half a li", false};
  worker.process->output->err = {{23}, "", true};
  worker.process->stuck = {{"abc", runtime::Time(std::chrono::nanoseconds(5))}};
  worker.process->limits = {.requests = 1000, .age = runtime::Milliseconds(5000)};
  return worker;
}

saved::Supervisor everything() {
  saved::Supervisor all;
  all.program = {{4}, "/usr/bin/portherd"};
  all.version = "0.1.0";
  all.settings = *saved::from_settings(settings());
  all.listeners.all.push_back({.text = "127.0.0.1:80", .port = 80, .sockets = {{10}, {11}}});
  all.control = {.listener = {12}, .path = "/run/c", .group = 33, .asker = {13}};
  all.front_account = {.name = "portherd", .uid = 65534, .gid = 65534, .groups = {1, 2}};
  saved::Group& group = all.groups.emplace_back();
  group.releases.push_back({.generation = 2, .app = all.settings});
  group.releases.back().zygote = {.child = {.pid = 810, .pidfd = {24}}, .control = {25}};
  group.releases.back().services.push_back({"shop.queue", 3, {}, std::vector<saved::Variable>{{"COLOUR", "green"}}});
  group.target = 2;
  group.places.push_back({.slot = 1, .holder = ready_worker()});
  group.places.push_back({.slot = 2, .extra = ready_worker(), .has_successor = true});
  all.tails.push_back({"shop", {{runtime::WallTime(std::chrono::nanoseconds(9)), "1", "hello"}}});
  return all;
}

// As everything(), and so that a supervisor could go on with it.
saved::Supervisor sound() {
  saved::Supervisor all = everything();
  all.error_log = {14};
  all.fronts_board = {{15}, sizeof(upstream::Blocks), upstream::kBlocksLayout};
  all.herd_board = {{16}, sizeof(upstream::HerdFigures), upstream::kHerdLayout};
  all.front.current = {.child = {.pid = 811, .pidfd = {17}}, .channel = {18}};
  all.rows = 1;
  saved::Group& group = all.groups[0];
  group.places.resize(1);
  saved::Worker& worker = group.places[0].holder;
  worker.process->socket.emplace();
  worker.process->has_row = true;
  return all;
}

}  // namespace

TEST_CASE("what is written is read again, every field") {
  const std::string text = saved::write(everything());
  const auto again = saved::read(text);
  REQUIRE_MESSAGE(again.has_value(), again.error().text());
  CHECK(saved::write(*again) == text);
  const saved::Worker& worker = again->groups[0].places[0].holder;
  CHECK(worker.state == State::kReady);
  CHECK(worker.death == ready_worker().death);
  CHECK(worker.deadline == ready_worker().deadline);
  REQUIRE(worker.process.has_value());
  CHECK(worker.process->about == ready_worker().process->about);
  CHECK_FALSE(again->groups[0].places[0].extra.has_value());
  CHECK(again->control.group == 33);
}

TEST_CASE("a scoreboard of another layout does not fit, even if it has the same size") {
  saved::Supervisor all = sound();
  const auto fits = saved::check(all);
  CHECK_MESSAGE(fits.has_value(), fits.error().text());
  for (std::uint64_t* const layout : {&all.fronts_board.layout, &all.herd_board.layout}) {
    ++*layout;
    REQUIRE_FALSE(saved::check(all).has_value());
    CHECK(saved::check(all).error().text().find("the scoreboards are of another version") != std::string::npos);
    --*layout;
  }
}

TEST_CASE("every byte of a word survives") {
  saved::Supervisor all = everything();
  for (int byte = 0; byte < 256; ++byte) all.folder.path += static_cast<char>(byte);
  const auto again = saved::read(saved::write(all));
  REQUIRE(again.has_value());
  CHECK(again->folder.path == all.folder.path);
}

TEST_CASE("the settings come back as they were, with what their text leaves out") {
  const auto saved = saved::from_settings(settings());
  REQUIRE_MESSAGE(saved.has_value(), saved.error().text());
  const auto again = saved::to_settings(*saved);
  REQUIRE(again.has_value());
  CHECK(*again == settings());
}

TEST_CASE("an app whose route leads to another one, which has rules of its own, is handed on without it") {
  conf::Settings two = settings();
  conf::App& other = two.apps.emplace_back();
  other.name = "api";
  other.directory = "/srv/api";
  other.command = {"/bin/api"};
  other.rules.max_body = 1;
  two.apps[0].routes.push_back({.path = "/api/", .app = "api"});
  conf::settle(two);
  REQUIRE(two.apps[0].routes[0].rules.max_body == 1);
  const auto saved = saved::from_app(two.apps[0]);
  REQUIRE_MESSAGE(saved.has_value(), saved.error().text());
  const auto again = saved::to_app(*saved);
  REQUIRE(again.has_value());
  CHECK(again->routes[0].app == "api");
  CHECK(again->command == two.apps[0].command);
}

TEST_CASE("every setting that there is can be handed on, of all and of each app alone") {
  const conf::Loaded loaded = conf::load_text(conf::every_setting(true), "every-setting");
  const auto saved = saved::from_settings(loaded.settings);
  CHECK_MESSAGE(saved.has_value(), saved.error().text());
  REQUIRE_FALSE(loaded.settings.apps.empty());
  for (const conf::App& app : loaded.settings.apps) {
    const auto alone = saved::from_app(app);
    CHECK_MESSAGE(alone.has_value(), app.name);
  }
}

TEST_CASE("settings that a file could not have are refused, not changed") {
  conf::Settings odd = settings();
  odd.apps[0].command.emplace_back("\xff");
  CHECK_FALSE(saved::from_settings(odd).has_value());
}

TEST_CASE("what is missing or of another kind is named") {
  const auto text_of = [](const char* pointer, const Json& value) {
    Json json = Json::parse(saved::write(everything()));
    json[Json::json_pointer(pointer)] = value;
    const auto read = saved::read(json.dump());
    return read ? std::string() : read.error().text();
  };
  CHECK(text_of("/groups/0/places/0/holder/state", 8).ends_with("groups[0].places[0].holder.state is out of bounds"));
  CHECK(text_of("/groups/0/places/0/slot", -1).ends_with("groups[0].places[0].slot is no number that fits"));
  CHECK(text_of("/listeners/all", 1).ends_with("listeners.all is no list"));
  CHECK(text_of("/folder", "x").ends_with("folder is no object"));
  CHECK(text_of("/folder/path", "\u0100").ends_with("folder.path is not of bytes"));
  Json json = Json::parse(saved::write(everything()));
  json.erase("rows");
  CHECK(saved::read(json.dump()).error().text().ends_with("rows is missing"));
}

TEST_CASE("groups in groups without end are refused") {
  std::string opened, closed;
  for (int i = 0; i < 100'000; ++i) {
    opened += R"({"services":[)";
    closed += "]}";
  }
  const auto read = saved::read(R"({"format":0,"groups":[)" + opened + closed + "]}");
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().text().ends_with(".services[0] is too deep"));
}

TEST_CASE("what would be owned twice, or is not there, is refused before anything is taken") {
  const auto is_refused = [](auto&& spoil) {
    saved::Supervisor all = sound();
    spoil(all, all.groups[0].places[0].holder);
    return !saved::check(all).has_value();
  };
  CHECK_FALSE(is_refused([](auto&, auto&) {}));
  CHECK(is_refused([](auto& all, auto&) { all.spool = all.error_log; }));
  CHECK(is_refused([](auto& all, auto&) { all.control.listener = {}; }));
  CHECK(is_refused([](auto& all, auto&) { all.groups[0].releases[0].zygote->control = {}; }));
  CHECK(is_refused([](auto& all, auto&) { all.groups[0].releases[0].zygote->child.pid = 0; }));
  CHECK(is_refused([](auto& all, auto&) { all.front.current.channel = {}; }));
  CHECK(is_refused([](auto&, auto& worker) { worker.process.reset(); }));
  CHECK(is_refused([](auto&, auto& worker) { worker.process->child.reset(); }));
  CHECK(is_refused([](auto&, auto& worker) { worker.process->socket.reset(); }));
  CHECK(is_refused([](auto&, auto& worker) { worker.process->child->pidfd = {}; }));
  CHECK(is_refused([](auto&, auto& worker) { worker.process->about.row = 1; }));
}

TEST_CASE("an earlier format may lack a field, a later one is refused and still names its program") {
  Json json = Json::parse(saved::write(everything()));
  json.erase("rows");
  json["format"] = saved::kFormat - 1;
  CHECK(saved::read(json.dump()).has_value());
  json["format"] = saved::kFormat + 1;
  json["groups"] = "another shape";
  CHECK(saved::read(json.dump()).error().text() ==
        fmt::format("what was handed on is of format {}, and this version knows {} at most", saved::kFormat + 1,
                    saved::kFormat));
  const auto program = saved::read_program(json.dump());
  REQUIRE(program.has_value());
  CHECK(program->self.number == 4);
}

TEST_CASE("all descriptors are found, and only those") {
  saved::Supervisor all = everything();
  std::vector<int> found = saved::descriptors_of(all);
  std::ranges::sort(found);
  CHECK(found == std::vector<int>{4, 10, 11, 12, 13, 20, 20, 21, 21, 22, 22, 23, 23, 24, 25});
}
