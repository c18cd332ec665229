#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "play.h"

namespace {

const std::string kListen = R"(
[listen]
http = ["127.0.0.1:$PORT"]
)";

const std::string kShop = kListen + R"(
[apps.shop]
command = ["$PYTHON", "$APPS/works.py"]
directory = "$FOLDER"
[[apps.shop.services]]
name = "queue"
command = ["$PYTHON", "$APPS/service.py"]
graceful_timeout = "GRACE"
)";

const std::string kJobs = kListen + R"(
[apps.web]
command = ["$PYTHON", "$APPS/works.py"]
[apps.jobs]
directory = "$FOLDER"
[[apps.jobs.services]]
name = "queue"
command = ["$PYTHON", "$APPS/service.py"]
)";

std::string shop(const std::string& grace = "30s") {
  std::string config = kShop;
  return config.replace(config.find("GRACE"), 5, grace);
}

play::Ended order(const play::Supervisor& portherd, play::Arguments arguments) {
  arguments.insert(arguments.begin() + 1, {"-c", portherd.config_file()});
  return play::portherd(arguments);
}

/// Of the one service that there is, as `status --json` has it.
std::string service(const play::Status& status) {
  const std::size_t at = status.text.find("\"services\": [\n");
  return at == std::string::npos ? "" : status.text.substr(at, status.text.find(']', at) - at);
}

bool is_service(const play::Status& status, const std::string& state) {
  return service(status).find("\"state\": \"" + state + "\"") != std::string::npos;
}

play::Status wait_for(play::Supervisor& portherd, const std::string& state) {
  return portherd.wait_until(("its service is " + state).c_str(), [&](const play::Status& now) {
    return is_service(now, state) && now.app("shop").ready().size() == 1;
  });
}

std::size_t at(const play::Supervisor& portherd, const std::string& text) {
  const std::string said = portherd.said();
  REQUIRE_MESSAGE(said.find(text) != std::string::npos, said);
  return said.find(text);
}

}  // namespace

TEST_CASE("a service runs beside its app, without a socket, and both are seen") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, shop());
  const play::Status now = wait_for(portherd, "ready");
  CHECK(now.exit_status == 0);
  CHECK(now.app("shop").state == "ready");
  CHECK(play::get(portherd.port(), "/0").status == 200);
  CHECK(portherd.expect_line("shop.queue | runs as").ends_with("with []"));
  const play::Ended logs = order(portherd, {"logs", "shop"});
  CHECK_MESSAGE(logs.out.find(" shop.queue | waits for jobs\n") != std::string::npos, logs.out);
  const play::Ended table = order(portherd, {"status"});
  CHECK_MESSAGE(table.out.find("\nshop.queue/ready ") != std::string::npos, table.out);
}

TEST_CASE("a service that ends at once is tried again and again, and its app serves") {
  const play::Folder folder;
  folder.write("broken", "");
  auto portherd = play::Supervisor::serve(folder, shop());
  portherd.expect_line("failures=2");
  portherd.wait_until("its app serves", [](const play::Status& now) { return now.app("shop").ready().size() == 1; });
  CHECK(play::get(portherd.port(), "/0").status == 200);
  const play::Status now = portherd.status();
  CHECK(now.exit_status == 3);
  CHECK(now.app("shop").state == "degraded");
  CHECK(service(now).find("status 3") != std::string::npos);
  CHECK(portherd.expect_line("worker did not become ready").find("shop.queue") != std::string::npos);
  std::filesystem::remove(folder / "broken");
  wait_for(portherd, "ready");
}

TEST_CASE("one that is killed is started again") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, shop());
  const std::string before = service(wait_for(portherd, "ready"));
  const std::size_t digits = before.find("\"pid\": ") + 7;
  REQUIRE(::kill(std::stoi(before.substr(digits)), SIGKILL) == 0);
  portherd.wait_until("it runs again", [](const play::Status& now) {
    return is_service(now, "ready") && service(now).find("\"restarts\": 1") != std::string::npos;
  });
  CHECK(portherd.expect_line("worker has ended unexpectedly").find("app=shop.queue") != std::string::npos);
}

TEST_CASE("a restart replaces the workers, and then the service, which ends before the next one begins") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, shop());
  wait_for(portherd, "ready");
  const play::Ended restarted = order(portherd, {"restart", "shop"});
  CHECK_MESSAGE(restarted.status == 0, restarted.err);
  const play::Status now = portherd.status();
  CHECK(now.app("shop").workers.at(0).generation == 2);
  CHECK(is_service(now, "ready"));
  CHECK(service(now).find("\"generation\": 2") != std::string::npos);
  const auto runs = portherd.lines_with("shop.queue | runs as");
  REQUIRE(runs.size() == 2);
  CHECK(at(portherd, "shop.queue | leaves") < at(portherd, runs[1]));
}

TEST_CASE("a service that does not come up after a restart is given up for the one before, and the order says so") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, shop());
  wait_for(portherd, "ready");
  folder.write("broken", "");
  const play::Ended restarted = order(portherd, {"restart", "shop"});
  CHECK(restarted.status != 0);
  CHECK_MESSAGE(restarted.err.find("no such queue") != std::string::npos, restarted.err);
  CHECK(play::get(portherd.port(), "/0").status == 200);
  std::filesystem::remove(folder / "broken");
  wait_for(portherd, "ready");
  CHECK(portherd.status().app("shop").workers.at(0).generation == 1);
  CHECK(order(portherd, {"rollback", "shop"}).status == 1);  // there is none before it
}

TEST_CASE("a release that fails at its service is put back as a whole: app and service are of one generation") {
  const play::Folder folder;
  folder.write("queue.py", R"(
import os, signal, sys
print("queue is", os.environ["COLOUR"], flush=True)
if os.environ["COLOUR"] == "bad": sys.exit(3)
signal.pause()
)");
  folder.write("app.env", "COLOUR=good\n");
  auto portherd = play::Supervisor::serve(folder, kListen + R"(
[apps.shop]
command = ["$PYTHON", "$APPS/works.py"]
directory = "$FOLDER"
env_file = "app.env"
workers = 2
[[apps.shop.services]]
name = "queue"
command = ["$PYTHON", "queue.py"]
)");
  portherd.wait_until("all is ready", [](const play::Status& now) { return now.app("shop").state == "ready"; });
  folder.write("app.env", "COLOUR=bad\n");
  const play::Ended restarted = order(portherd, {"restart", "shop"});
  CHECK(restarted.status == 1);
  CHECK_MESSAGE(restarted.err.find("service shop.queue: generation 2 of app shop.queue did not become ready: exit status 3; "
                                   "generation 1 stays\nqueue is bad") != std::string::npos,
                restarted.err);
  const play::Status now = portherd.status();
  CHECK(now.app("shop").state == "ready");
  REQUIRE(now.app("shop").workers.size() == 2);
  for (const auto& worker : now.app("shop").workers) CHECK(worker.generation == 1);
  CHECK(is_service(now, "ready"));
  CHECK(service(now).find("\"generation\": 1,") != std::string::npos);
  CHECK(portherd.lines_with("queue is good").size() == 2);
  CHECK(play::get(portherd.port(), "/0").status == 200);
}

TEST_CASE("services are on the metrics page, and what is counted of them outlives an upgrade") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, shop() + "[metrics]\nlisten = \"unix:metrics.sock\"\n");
  const std::string before = service(wait_for(portherd, "ready"));
  const auto has = [&](const std::string& line) {
    play::Peer visitor = play::connect_unix(folder / "metrics.sock");
    visitor.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    return visitor.read_to_end().find(line) != std::string::npos;
  };
  CHECK(has("\nportherd_service_up{app=\"shop\",service=\"queue\"} 1\n"));
  REQUIRE(::kill(std::stoi(before.substr(before.find("\"pid\": ") + 7)), SIGKILL) == 0);
  portherd.wait_until("it runs again", [](const play::Status& now) {
    return is_service(now, "ready") && service(now).find("\"restarts\": 1") != std::string::npos;
  });
  const std::string killed = "\nportherd_service_exits_total{app=\"shop\",service=\"queue\",reason=\"killed\"} 1\n";
  CHECK(has(killed));
  const play::Ended upgraded = order(portherd, {"upgrade"});
  CHECK_MESSAGE(upgraded.status == 0, upgraded.err);
  CHECK(has(killed));
  CHECK(has("\nportherd_service_up{app=\"shop\",service=\"queue\"} 1\n"));
  CHECK(service(portherd.status()).find("\"restarts\": 1") != std::string::npos);
}

TEST_CASE("an app is stopped with its services, they last, and started with them") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, shop());
  wait_for(portherd, "ready");
  CHECK(order(portherd, {"stop", "shop"}).status == 0);
  const play::Status off = portherd.status();
  CHECK(off.app("shop").workers.empty());
  CHECK(is_service(off, "stopped"));
  CHECK(off.exit_status == 0);
  CHECK(at(portherd, "worker has ended app=shop ") < at(portherd, "shop.queue | leaves"));
  CHECK(order(portherd, {"start", "shop"}).status == 0);
  wait_for(portherd, "ready");
}

TEST_CASE("a service that is started again while it ends is not there twice, and an upgrade waits for its end") {
  const play::Folder folder;
  folder.write("stubborn", "");
  std::filesystem::copy_file(play::path_of_portherd(), folder / "portherd");
  auto portherd = play::Supervisor::serve(folder, shop("20s"));
  const std::string before = service(wait_for(portherd, "ready"));
  const pid_t old = std::stoi(before.substr(before.find("\"pid\": ") + 7));
  std::thread stopping([&] { CHECK(order(portherd, {"stop", "shop"}).status == 1); });  // it was started again
  portherd.expect_line("worker has ended app=shop ");
  folder.write("portherd.toml", folder.read("portherd.toml") + "env = { WORD = \"another\" }\n");
  CHECK(order(portherd, {"reload"}).status == 0);
  std::thread starting([&] { CHECK(order(portherd, {"start", "shop"}).status == 0); });
  stopping.join();
  portherd.wait_until("its app serves", [](const play::Status& now) { return now.app("shop").ready().size() == 1; });
  const play::Ended upgraded = order(portherd, {"upgrade"});
  CHECK(upgraded.status == 1);
  CHECK_MESSAGE(upgraded.err.find("app shop is being changed") != std::string::npos, upgraded.err);
  CHECK(portherd.lines_with("waits for jobs").size() == 1);
  std::filesystem::remove(folder / "stubborn");
  CHECK(::kill(old, SIGKILL) == 0);
  starting.join();
  wait_for(portherd, "ready");
  CHECK(portherd.lines_with("waits for jobs").size() == 2);
}

TEST_CASE("at the end a service that ignores TERM is killed after its graceful_timeout") {
  const play::Folder folder;
  folder.write("stubborn", "");
  auto portherd = play::Supervisor::serve(folder, shop("100ms"));
  wait_for(portherd, "ready");
  CHECK(portherd.stop() == 0);
  CHECK(at(portherd, "worker has ended app=shop ") < at(portherd, "worker has ended app=shop.queue "));
  CHECK(portherd.expect_line("worker has ended app=shop.queue").find("KILL") != std::string::npos);
}

TEST_CASE("an app may be services alone") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kJobs);
  const play::Status now = portherd.wait_until("all is ready", [](const play::Status& s) { return is_service(s, "ready"); });
  CHECK(now.app("jobs").state == "ready");
  CHECK(now.app("jobs").workers.empty());
  CHECK(order(portherd, {"restart", "jobs"}).status == 0);
  CHECK(order(portherd, {"stop", "jobs"}).status == 0);
  CHECK(is_service(portherd.status(), "stopped"));
}

TEST_CASE("an upgrade leaves a service as it is, and the next program looks after it") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, shop());
  const std::string before = service(wait_for(portherd, "ready"));
  const std::size_t pid = before.find("\"pid\": ");
  const play::Ended upgraded = order(portherd, {"upgrade"});
  CHECK_MESSAGE(upgraded.status == 0, upgraded.err);
  const std::string after = service(portherd.status());
  CHECK(after.substr(after.find("\"pid\": "), 20) == before.substr(pid, 20));
  REQUIRE(::kill(std::stoi(before.substr(pid + 7)), SIGKILL) == 0);
  portherd.wait_until("it runs again", [](const play::Status& now) {
    return is_service(now, "ready") && service(now).find("\"restarts\": 1") != std::string::npos;
  });
  const play::Ended restarted = order(portherd, {"restart", "shop"});
  CHECK_MESSAGE(restarted.status == 0, restarted.err);
}
