#include "play.h"

namespace {

std::string config(const std::string& command, const std::string& more) {
  return "[listen]\nhttp = [\"127.0.0.1:$PORT\"]\n[apps.app]\ncommand = " + command + "\n" + more + "\n";
}

}  // namespace

TEST_CASE("a shell that starts the program as its child hides its socket, and the cause of the boot says so") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(
      folder, config(R"(["sh", "-c", "$PYTHON $APPS/wants_listen_pid.py; echo over"])", "boot_timeout = \"1s\""));
  const std::string line = portherd.expect_line("worker did not become ready");
  CHECK_MESSAGE(line.find("; sh has started python3") != std::string::npos, line);
  CHECK_MESSAGE(line.find("which LISTEN_PID does not name: make that the command, or have the shell `exec` it") != std::string::npos,
                line);
}

TEST_CASE("of a program that does not take its socket the cause of the boot says how it would have a port") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, config(R"(["sleep", "1000"])", "boot_timeout = \"1s\""));
  const std::string line = portherd.expect_line("worker did not become ready");
  CHECK_MESSAGE(line.find("a program that wants a port is given one by env") != std::string::npos, line);
}

TEST_CASE("with exec the program has the socket") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(
      folder, config(R"(["sh", "-c", "cd $APPS && exec $PYTHON wants_listen_pid.py"])", ""));
  CHECK(play::get(portherd.port()).body == "here\n");
}

TEST_CASE("npm start hides the socket, and the cause of the boot says so") {
  if (!play::is_installed("npm", "it comes with Node, but not with Debian's")) return;
  const play::Folder folder;
  folder.write("package.json", R"({"name": "app", "version": "1.0.0", "scripts": {"start": "node server.js"}})");
  folder.write("server.js", "require('http').createServer().listen(process.env.PORT || 0, '127.0.0.1');\n");
  auto portherd =
      play::Supervisor::serve(folder, config(R"(["npm", "start"])", "boot_timeout = \"5s\"\nenv = { HOME = \"$FOLDER\" }"));
  portherd.expect_line("npm start has started node (pid ");
}

TEST_CASE("a PORT goes through npm start") {
  if (!play::is_installed("npm", "it comes with Node, but not with Debian's")) return;
  const play::Folder folder;
  folder.write("package.json", R"({"name": "app", "version": "1.0.0", "scripts": {"start": "node server.js"}})");
  folder.write("server.js",
               "require('http').createServer((_, answer) => answer.end('here\\n')).listen(process.env.PORT || 0, '127.0.0.1');\n");
  auto portherd = play::Supervisor::serve(
      folder, config(R"(["npm", "start"])", R"(env = { HOME = "$FOLDER", PORT = "{port}" })"));
  CHECK(play::get(portherd.port()).body == "here\n");
}
