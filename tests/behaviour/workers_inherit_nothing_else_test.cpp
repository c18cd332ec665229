#include "play.h"

namespace {
bool has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}
}  // namespace

TEST_CASE("a worker is born with its socket, its folder and the environment that the file gives it") {
  const play::Folder folder;
  folder.write("shop/shop.env", "FROM_FILE=1\nFROM_BOTH=file\n");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.shop]
directory = "shop"
command = ["$PYTHON", "$APPS/inherits.py"]
env_file = "shop.env"
env = { FROM_BOTH = "table" }
)",
                                          {{"SECRET_OF_THE_OPERATOR", "1"}});
  const std::string born = play::get(portherd.port()).body;
  CAPTURE(born);
  for (const char* const line : {"descriptor 0", "descriptor 1", "descriptor 2", "descriptor 3",
                                 "LISTEN_FDS=1", "FROM_FILE=1", "FROM_BOTH=table", "PYTHONUNBUFFERED=1"}) {
    CAPTURE(line);
    CHECK(has(born, line));
  }
  CHECK(has(born, "folder " + (folder / "shop")));
  CHECK(born.find("\nPATH=") != std::string::npos);
  CHECK(born.find("SECRET_OF_THE_OPERATOR") == std::string::npos);
  CHECK(born.find("descriptor 5") == std::string::npos);  // 4 is the connection that it answers on
  const std::string pid = std::to_string(portherd.status().app("shop").workers.at(0).pid);
  CHECK(has(born, "pid " + pid));
  CHECK(has(born, "group " + pid));
  CHECK(has(born, "LISTEN_PID=" + pid));
}

TEST_CASE("run hands its own environment on, but not what systemd has told it alone") {
  const play::Folder folder;
  const play::Environment of_the_service{
      {"NOTIFY_SOCKET", folder / "systemd"}, {"WATCHDOG_USEC", "30000000"}, {"WATCHDOG_PID", "1"},
      {"LISTEN_FDNAMES", "web"},             {"INVOCATION_ID", "0af7"},     {"JOURNAL_STREAM", "9:70123"}};
  play::Environment more = of_the_service;
  more["MY_OWN"] = "1";
  auto portherd =
      play::Supervisor::run(folder, {"--bind", "127.0.0.1:$PORT", "--", "$PYTHON", "$APPS/inherits.py"}, more);
  const std::string born = play::get(portherd.port()).body;
  CHECK(has(born, "MY_OWN=1"));
  CHECK(has(born, "LISTEN_FDS=1"));
  CHECK(born.find("\nNOTIFY_SOCKET=") != std::string::npos);  // its own
  for (const auto& [name, value] : of_the_service) CHECK_FALSE(has(born, name + "=" + value));
}

TEST_CASE("a command may take its socket as a number, as a path or as a port") {
  const play::Folder folder;
  folder.write("serve.py", R"(
import os, socket, sys
sys.path.insert(0, sys.argv[1])
import worker
kind, where = sys.argv[2], sys.argv[3]
if kind == "fd":
    assert where == "3"
elif kind == "socket":
    assert where == os.environ["PORTHERD_SOCKET"]
    own = socket.socket(socket.AF_UNIX); own.bind(where); own.listen(100)
    worker.listener = lambda: own
elif kind == "port":
    assert where == os.environ["PORT"]
    own = socket.create_server(("127.0.0.1", int(where)))
    worker.listener = lambda: own
worker.serve(lambda connection, request: worker.answer(connection, "by " + kind))
)");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.fd]
hosts = ["fd"]
command = ["$PYTHON", "serve.py", "$APPS", "fd", "{fd}"]
[apps.socket]
hosts = ["socket"]
command = ["$PYTHON", "serve.py", "$APPS", "socket", "{socket}"]
[apps.port]
hosts = ["port"]
command = ["$PYTHON", "serve.py", "$APPS", "port", "{port}"]
workers = 2
[apps.variable]
hosts = ["variable"]
command = ["sh", "-c", "exec $PYTHON serve.py $APPS port ${PORT}"]
)");
  CHECK(play::get(portherd.port(), "/", "variable").body == "by port");
  for (const char* const kind : {"fd", "socket", "port"}) {
    CHECK(play::get(portherd.port(), "/", kind).body == std::string("by ") + kind);
  }
  CHECK(portherd.wait_ready().app("port").workers.size() == 2);
}
