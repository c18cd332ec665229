#include <filesystem>

#include "play.h"

namespace {
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

play::Ended run(const play::Folder& folder, play::Arguments more) {
  play::Arguments arguments = {"run", "--bind", "127.0.0.1:" + std::to_string(play::free_port()), "--python",
                               play::python()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return play::portherd(arguments, folder.path());
}
}  // namespace

TEST_CASE("a module that is not there is named") {
  const play::Folder folder;
  const play::Ended ended = run(folder, {"nosuch:app"});
  CHECK((ended.status == 1 || ended.status == 2));
  CHECK(has(ended.err, "nosuch"));
  CHECK_FALSE(has(ended.err, "portherd/worker.py"));  // not our own insides
}

TEST_CASE("an attribute that is not there is named") {
  const play::Folder folder;
  folder.write("hello.py", "application = None\n");
  const play::Ended ended = run(folder, {"hello:app"});
  CHECK((ended.status == 1 || ended.status == 2));
  CHECK(has(ended.err, "app"));
  CHECK(has(ended.err, "hello"));
}

TEST_CASE("a broken app shows its own traceback") {
  const play::Folder folder;
  folder.write("shop.py", "import settings\n");
  folder.write("settings.py", "def database():\n    raise RuntimeError('no database')\ndatabase()\n");
  const play::Ended ended = run(folder, {"shop:app"});
  CHECK(ended.status == 1);
  CHECK(has(ended.err, "Traceback"));
  CHECK(has(ended.err, "settings.py\", line 2, in database"));
  CHECK(has(ended.err, "RuntimeError: no database"));
  CHECK_FALSE(has(ended.err, "<portherd/"));
  CHECK_FALSE(has(ended.err, "importlib"));
}

TEST_CASE("without a target, in an empty folder, it says what to give") {
  const play::Folder folder;
  for (const play::Arguments& target : {play::Arguments{}, play::Arguments{"."}}) {
    const play::Ended ended = run(folder, target);
    CHECK(ended.status == 2);
    CHECK(has(ended.err, "portherd.toml"));
    CHECK(has(ended.err, "module:"));
  }
}

TEST_CASE("a command that is not there is named") {
  const play::Folder folder;
  const play::Ended ended = run(folder, {"--", "no-such-program-here"});
  CHECK((ended.status == 1 || ended.status == 2));
  CHECK(has(ended.err, "no-such-program-here"));
}

TEST_CASE("a port in use is named") {
  const play::Folder folder;
  folder.write("hello.py", "def app(e, s):\n    s('200 OK', []); return []\n");
  auto portherd =
      play::Supervisor::run(folder, {"hello:app", "--python", "$PYTHON", "--bind", "127.0.0.1:$PORT"});
  const std::string address = "127.0.0.1:" + std::to_string(portherd.port());
  const play::Ended ended =
      play::portherd({"run", "hello:app", "--python", play::python(), "--bind", address}, folder.path());
  CHECK(ended.status == 1);
  CHECK(has(ended.err, address));
  CHECK(has(ended.err, "in use"));
}

TEST_CASE("a command that ends at once fails the run, with what it said") {
  const play::Folder folder;
  const play::Ended ended = run(folder, {"--", "sh", "-c", "echo cannot find my settings >&2; exit 7"});
  CHECK(ended.status == 1);
  CHECK(has(ended.err, "cannot find my settings"));
  CHECK(has(ended.err, "7"));
}

TEST_CASE("a folder whose name is no UTF-8, and a command of very many words, are no reason not to start") {
  const play::Folder folder;
  const std::string latin1 = folder / "caf\xe9";
  std::filesystem::create_directory(latin1);
  play::Arguments arguments = {"run", "--bind", "127.0.0.1:" + std::to_string(play::free_port()), "--",
                               "sh",  "-c",     "echo $# words in ${PWD##*/} >&2; exit 7"};
  arguments.insert(arguments.end(), 2001, "word");
  const play::Ended ended = play::portherd(arguments, latin1);
  CHECK(ended.status == 1);
  CHECK_MESSAGE(has(ended.err, "2000 words in caf"), ended.err);
  CHECK_FALSE(has(ended.err, "before it could start"));
}

TEST_CASE("what follows an address is the target, and --bind may stand again") {
  const play::Folder folder;
  for (const char* const option : {"--bind", "--tls-bind"}) {
    CAPTURE(option);
    const play::Ended ended = play::portherd({"run", option, "127.0.0.1:0", option, "127.0.0.1:0", "nosuch"},
                                             folder.path(), {{"HOME", folder.path()}});
    CHECK(ended.status == 2);
    CHECK_MESSAGE(has(ended.err, "`nosuch` is no folder and no module:attr"), ended.err);
  }
}
