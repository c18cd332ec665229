// `restart` under load, of an app of each kind: another generation serves, and no client has noticed.
#include "examples.h"
#include "steady_load.h"

namespace {

// The example `name`, over TLS too.
std::string over_tls_too(const play::Folder& folder, const std::string& name, const std::string& app) {
  folder.certificate("localhost");
  std::string config = play::example(folder, name);
  const std::string http = "[\"127.0.0.1:$PORT\"]";
  const std::size_t at = config.find(http);
  REQUIRE(at != std::string::npos);
  config.insert(at + http.size(),
                "\nhttps = [\"127.0.0.1:$TLS\"]\n[tls]\ncertificates = \"tls\"\n[log]\naccess = \"off\"");
  const std::string table = "[apps." + app + "]\n";
  return config.insert(config.find(table) + table.size(), "plain_http = \"serve\"\n");
}

play::Ended order(const play::Supervisor& portherd, const std::string& verb, const std::string& app) {
  return play::portherd({verb, app, "-c", portherd.config_file()});
}

void restart_ten_times(const std::string& example, const std::string& app, const std::string& greeting) {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, over_tls_too(folder, example, app));
  portherd.wait_ready();
  play::SteadyLoad load(portherd,
                        {.is_answer = [&](std::string_view body) { return body.starts_with(greeting); }});
  load.wait_for(100);
  for (int i = 0; i < 10; ++i) {
    const play::Ended restarted = order(portherd, "restart", app);
    REQUIRE_MESSAGE(restarted.status == 0, restarted.err);
    CHECK(restarted.out.find("2 of 2 workers ready") != std::string::npos);
    load.wait_for(100);
  }
  load.stop_unhurt();
  const play::Status after = portherd.wait_until(
      "the last of those before have left",
      [&](const play::Status& now) { return now.all_ready() && now.app(app).workers.size() == 2; });
  for (const auto& worker : after.app(app).workers) CHECK(worker.generation == 11);
  CHECK(after.app(app).failed == 0);
  CHECK(portherd.lines_with("unexpectedly").empty());
}

}  // namespace

TEST_CASE("a Flask app by wsgi is restarted ten times under load, and no request fails") {
  if (play::run({play::python(), "-c", "import flask"}).status != 0) {
    MESSAGE("skipped: Flask is not installed (packaging/build-deps installs it)");
    return;
  }
  restart_ten_times("python-flask", "flask", "Hello from Flask, 127.0.0.1\n");
}

TEST_CASE("a Starlette app under uvicorn is restarted ten times under load, and no request fails") {
  if (!play::is_installed("uvicorn")) return;
  restart_ten_times("starlette-uvicorn", "starlette", "Hello from Starlette over HTTP/1.1\n");
}

TEST_CASE("a Node app is restarted ten times under load, and no request fails") {
  if (!play::is_installed("node")) return;
  restart_ten_times("node", "node", "Hello from Node, process ");
}

TEST_CASE("with max_surge several workers are replaced at a time, and no request fails") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
workers = 4
max_surge = 3
)");
  portherd.wait_ready();
  play::SteadyLoad load(portherd, {}, play::kPlainCrowd);
  load.wait_for(50);
  for (int i = 0; i < 5; ++i) CHECK(order(portherd, "restart", "who").status == 0);
  load.wait_for(50);
  load.stop_unhurt();
  for (const auto& worker : portherd.wait_ready().app("who").workers) CHECK(worker.generation == 6);
}
