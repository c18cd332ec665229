#include <csignal>
#include <nlohmann/json.hpp>

#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
workers = 2
concurrency = 3
[apps.elsewhere]
hosts = ["elsewhere.example"]
proxy = ["unix:elsewhere.sock"]
)";
}

TEST_CASE("status --json names every worker with pid, state and what it served") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  std::map<pid_t, std::uint64_t> answered;
  for (int i = 0; i < 10; ++i) ++answered[std::stoi(play::get(portherd.port()).body)];

  const play::Status status = portherd.wait_until("all were counted", [](const play::Status& s) {
    return s.app("who").served == 10 && s.app("who").busy == 0;
  });
  CHECK(status.exit_status == 0);
  CHECK_FALSE(status.version.empty());
  CHECK(status.supervisor == portherd.pid());
  CHECK(play::is_alive(status.front));
  CHECK(status.text.find("127.0.0.1:" + std::to_string(portherd.port())) != std::string::npos);
  const play::Status::App& app = status.app("who");
  CHECK(app.slots == 6);
  CHECK(app.queue == 0);
  CHECK(app.failed == 0);
  REQUIRE(app.workers.size() == 2);
  for (const play::Status::Worker& worker : app.workers) {
    CHECK(worker.state == "ready");
    CHECK(worker.generation == 1);
    CHECK(worker.busy == 0);
    CHECK(worker.served == answered[worker.pid]);
    CHECK(worker.memory > 1'000'000);
    CHECK(play::is_alive(worker.pid));
  }
  CHECK(app.workers[0].slot == 1);
  CHECK(app.workers[1].slot == 2);
}

TEST_CASE("status tells how it goes right now, what was started again, and why") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const pid_t worker = portherd.wait_ready().app("who").workers[0].pid;
  const auto of_who = [](const play::Status& status) {
    const auto json = nlohmann::json::parse(status.text);
    return json["apps"][0]["name"] == "who" ? json["apps"][0] : json["apps"][1];
  };
  portherd.wait_until("a rate is known", [&](const play::Status& status) {
    CHECK(play::get(portherd.port()).status == 200);
    const auto rates = of_who(status)["rates"];
    return rates["requests_per_second"] > 0 && rates["p95_ms"].is_number();
  });
  CHECK(of_who(portherd.status())["restarts"] == 0);
  CHECK(of_who(portherd.status())["last_exit"].is_null());
  ::kill(worker, SIGKILL);
  portherd.wait_until("it was started again", [&](const play::Status& status) {
    return of_who(status)["restarts"] == 1 && status.all_ready();
  });
  CHECK(of_who(portherd.status())["last_exit"] == "worker 1: killed from outside (SIGKILL)");

  const play::Ended table = play::portherd({"status", "-c", portherd.config_file()});
  CHECK(table.status == 0);
  CHECK(table.out.find("APP/STATE                           READY  BUSY QUEUE REQ/S   P95   RSS RESTARTS\n") !=
        std::string::npos);
  CHECK(table.out.find("\nwho/ready                             2/2 ") != std::string::npos);
  CHECK(table.out.find("\n  last exit: worker 1: killed from outside (SIGKILL)\n") != std::string::npos);
  for (std::size_t begin = 0, end = 0; (end = table.out.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    CHECK(end - begin <= 80);
  }
}

TEST_CASE("version says which") {
  const play::Ended ended = play::portherd({"version"});
  CHECK(ended.status == 0);
  CHECK(ended.out.find("0.") != std::string::npos);
}
