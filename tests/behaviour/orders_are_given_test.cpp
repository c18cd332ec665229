// What the commands say to a supervisor, byte by byte, and what they make of its answer. The supervisor is the test.
#include <algorithm>
#include <thread>

#include "play.h"

namespace {

// A supervisor that hears one order and says `answer`.
struct Stage {
  Stage() { folder.write("portherd.toml", "[control]\nsocket = \"" + folder / "control.sock" + "\"\n"); }

  play::Ended give(play::Arguments command, const std::string& answer) {
    std::thread supervising([&] {
      play::Peer caller = control.accept();
      order.clear();
      while (!order.ends_with('\n')) order += caller.read(1);
      caller.send(answer);
      caller.close();
    });
    command.insert(command.end(), {"-c", folder / "portherd.toml"});
    const play::Ended ended = play::portherd(std::move(command));
    supervising.join();
    return ended;
  }

  play::Folder folder;
  play::App control{folder, "control.sock"};
  std::string order;  // as it came
};

constexpr const char* kDone = "{\"ok\":true}\n";

}  // namespace

TEST_CASE("each command gives its order, says nothing of its own, and is done with exit status 0") {
  Stage stage;
  const std::vector<std::pair<play::Arguments, std::string>> orders = {
      {{"restart", "shop"}, R"({"verb":"restart","app":"shop"})"},
      {{"rollback", "shop"}, R"({"verb":"rollback","app":"shop"})"},
      {{"scale", "shop", "3"}, R"({"verb":"scale","workers":3,"app":"shop"})"},
      {{"reload"}, R"({"verb":"reload"})"},
      {{"plan"}, R"({"verb":"plan"})"},
      {{"pause", "shop"}, R"({"verb":"pause","app":"shop"})"},
      {{"pause", "shop", "--for", "2m"}, R"({"verb":"pause","milliseconds":120000,"app":"shop"})"},
      {{"resume", "shop"}, R"({"verb":"resume","app":"shop"})"},
      {{"maintenance", "on", "shop"}, R"({"verb":"maintenance","on":true,"app":"shop"})"},
      {{"maintenance", "on", "shop", "--message", "Back at \"9\""},
       R"({"verb":"maintenance","on":true,"message":"Back at \"9\"","app":"shop"})"},
      {{"maintenance", "off", "shop"}, R"({"verb":"maintenance","on":false,"app":"shop"})"},
      {{"stop", "shop"}, R"({"verb":"stop","app":"shop"})"},
      {{"start", "shop"}, R"({"verb":"start","app":"shop"})"},
      {{"upgrade"}, R"({"verb":"upgrade"})"},
      {{"logs", "shop"}, R"({"verb":"logs","lines":100,"follow":false,"app":"shop"})"},
      {{"logs", "-f", "-n", "7", "shop"}, R"({"verb":"logs","lines":7,"follow":true,"app":"shop"})"},
  };
  for (const auto& [command, order] : orders) {
    const play::Ended ended = stage.give(command, kDone);
    CAPTURE(order);
    CHECK(stage.order == order + "\n");
    CHECK(ended.status == 0);
    CHECK(ended.out.empty());
    CHECK(ended.err.empty());
  }
}

TEST_CASE("progress is printed, and a failure is one line on stderr with its exit status") {
  Stage stage;
  const std::string progress =
      "{\"say\":\"worker 1 of 2 is ready\"}\n{\"say\":\"ImportError: no module named shop\"}\n{\"later\":1}\n";
  const play::Ended done = stage.give({"restart", "shop"}, progress + kDone);
  CHECK(done.status == 0);
  CHECK(done.out == "worker 1 of 2 is ready\nImportError: no module named shop\n");
  CHECK(done.err.empty());

  const std::vector<std::pair<std::string, int>> codes = {
      {"system", 1}, {"protocol", 1}, {"config", 2}, {"permission", 4}, {"not_running", 7}, {"of a later version", 1}};
  for (const auto& [code, status] : codes) {
    const play::Ended failed = stage.give(
        {"restart", "shop"}, progress + R"({"ok":false,"code":")" + code + R"(","sentence":"it is not ready"})" + "\n");
    CAPTURE(code);
    CHECK(failed.status == status);
    CHECK(failed.out == "worker 1 of 2 is ready\nImportError: no module named shop\n");
    CHECK(failed.err == "portherd: it is not ready\n");
  }
}

TEST_CASE("a plan for programs is the result, and nothing that is said to people") {
  Stage stage;
  const play::Ended plan =
      stage.give({"plan", "--json"}, "{\"say\":\"one change\"}\n{\"ok\":true,\"changes\":[{\"what\":\"apps.shop\"}]}\n");
  CHECK(plan.status == 0);
  CHECK(plan.out == "{\"changes\":[{\"what\":\"apps.shop\"}]}\n");
}

TEST_CASE("a supervisor that hangs up, or answers what is no JSON, is a failure that says so") {
  Stage stage;
  const play::Ended gone = stage.give({"reload"}, "{\"say\":\"reading\"}\n");
  CHECK(gone.status == 1);
  CHECK(gone.out == "reading\n");
  CHECK(gone.err == "portherd: the supervisor hung up before it told the result\n");
  const play::Ended nonsense = stage.give({"reload"}, "yes!\n");
  CHECK(nonsense.status == 1);
  CHECK(nonsense.err == "portherd: the supervisor's answer is not JSON\n");
}

TEST_CASE("a wrong command line is exit status 2, before anybody is asked") {
  for (const play::Arguments& command : std::vector<play::Arguments>{{"restart"},
                                                                     {"rollback"},
                                                                     {"scale", "shop"},
                                                                     {"scale", "shop", "-1"},
                                                                     {"scale", "shop", "many"},
                                                                     {"maintenance", "shop"},
                                                                     {"maintenance", "maybe", "shop"},
                                                                     {"logs"},
                                                                     {"logs", "-n", "x", "shop"},
                                                                     {"reload", "shop"}}) {
    const play::Ended ended = play::portherd(command);
    CAPTURE(command.front());
    CHECK(ended.status == 2);
    CHECK_FALSE(ended.err.empty());
  }
}

TEST_CASE("an order that the supervisor does not know, or an app that it has not, is told with what there is") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.shop]
proxy = ["unix:shop.sock"]
[apps.blog]
hosts = ["blog.example"]
proxy = ["unix:blog.sock"]
)");
  const play::Ended app = play::portherd({"status", "shpo", "-c", portherd.config_file()});
  CHECK(app.status == 2);
  CHECK(app.err.find("there is no app `shpo`; did you mean `shop`? there are ") != std::string::npos);
  play::Peer peer = play::connect_unix(folder / "portherd.sock");
  peer.send("{\"verb\":\"stpo\"}\n");
  const std::string answer = peer.read_to_end();
  CHECK(answer.find(R"("ok":false,"code":"config")") != std::string::npos);
  CHECK(answer.find("did you mean `stop`?") != std::string::npos);
}
