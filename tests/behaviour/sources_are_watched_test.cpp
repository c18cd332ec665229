// `run --reload`: a changed source is a release, and what does not boot leaves what serves as it was.
#include <filesystem>
#include <fstream>

#include "play.h"

namespace {

// Words of one length would do only where a second lies between them: that is how fine Python dates what it has compiled.
std::string app_that_says(const std::string& word) {
  return "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'" + word + "']\n";
}

play::Supervisor run(const play::Folder& folder, const std::string& target, play::Arguments more = {}) {
  play::Arguments arguments{target, "--reload", "--python", "$PYTHON", "--bind", "127.0.0.1:$PORT"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return play::Supervisor::run(folder, arguments);
}

std::string body(const play::Supervisor& portherd) {
  return play::get(portherd.port()).body;
}

void wait_says(play::Supervisor& portherd, const std::string& word) {
  portherd.wait_until(("it says " + word).c_str(), [&](const play::Status&) { return body(portherd) == word; });
}

}  // namespace

TEST_CASE("edit, save, and the new code serves; a syntax error is shown while the old code serves on; mended, it is gone") {
  const play::Folder folder;
  folder.write("shop.py", app_that_says("one"));
  auto portherd = run(folder, "shop:app", {"--workers", "2"});
  portherd.wait_ready();
  CHECK(body(portherd) == "one");
  folder.write("shop.py", app_that_says("four"));
  portherd.expect_line("a release is in force app=shop generation=2");
  wait_says(portherd, "four");  // the front may hear of it a moment later

  folder.write("shop.py", "def app(:\n");
  portherd.expect_line("SyntaxError: ");
  portherd.expect_line("a release has failed");
  CHECK(body(portherd) == "four");
  folder.write("shop.py", app_that_says("seven"));
  wait_says(portherd, "seven");
}

TEST_CASE("what counts are the folders that it imports from, wherever they lie and whenever that is, and an editor's way to write") {
  const play::Folder folder, other;
  std::filesystem::create_directory(folder / "templates");
  std::filesystem::create_directory(other / "late");
  other.write("words.py", "word = b'one'\n");
  other.write("late/__init__.py", "late = b'one'\n");
  folder.write("shop.py", "import sys\nsys.path.append('" + other.path() + "')\n" +
                              "import words\n"
                              "def app(environ, start_response):\n    start_response('200 OK', [])\n"
                              "    import late\n    return [words.word + late.late]\n");
  auto portherd = run(folder, "shop:app");
  portherd.wait_ready();
  CHECK(body(portherd) == "oneone");
  folder.write("notes.txt", "not a source");
  folder.write("templates/page.py", "nobody imports it");
  other.write("words.py~new", "word = b'four'\n");
  std::filesystem::rename(other / "words.py~new", other / "words.py");
  wait_says(portherd, "fourone");
  // The folder is told a moment after the request that imported it.
  portherd.wait_until("the last change is seen", [&](const play::Status&) {
    other.write("late/__init__.py", "late = b'four'\n");
    return body(portherd) == "fourfour";
  });
  for (const std::string& line : portherd.lines_with("sources have changed")) {
    CHECK_MESSAGE(line.find(other.path()) != std::string::npos, line);
  }
}

TEST_CASE("an app that does not boot at first is waited for, and what its import hangs on is watched") {
  const play::Folder folder;
  std::filesystem::create_directory(folder / "shop");
  folder.write("shop/__init__.py", "");
  folder.write("shop/wsgi.py", "raise RuntimeError('not yet')\n");
  auto portherd = run(folder, "shop.wsgi:app");
  portherd.expect_line("RuntimeError: not yet");
  folder.write("shop/wsgi.py", app_that_says("now"));
  wait_says(portherd, "now");
}

TEST_CASE("a command's folder is watched, and folders that are made there") {
  const play::Folder folder;
  folder.write("server.py", "import sys\nsys.path.append('" + play::source("tests/apps") +
                                "')\nimport worker\nimport glob\nfound = sorted(glob.glob('lib/*.py'))\n"
                                "worker.serve(lambda connection, request: worker.answer(connection, ' '.join(found) or 'none'))\n");
  auto portherd = play::Supervisor::run(folder, {"--reload", "--bind", "127.0.0.1:$PORT", "--", play::python(), "server.py"});
  portherd.wait_ready();
  CHECK(body(portherd) == "none");
  std::filesystem::create_directory(folder / "lib");
  portherd.wait_until("a file in the new folder is seen", [&](const play::Status&) {
    folder.write("lib/a.py", "");
    return body(portherd) == "lib/a.py";
  });
}

TEST_CASE("a stopped app is not started by a change, and `reload` is a key of the file, too") {
  const play::Folder folder;
  folder.write("shop.py", app_that_says("one"));
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.shop]
wsgi = "shop:app"
python = "$PYTHON"
directory = "$FOLDER"
reload = true
)");
  portherd.wait_ready();
  const auto order = [&](const std::string& verb) { return play::portherd({verb, "shop", "-c", portherd.config_file()}).status; };
  CHECK(order("stop") == 0);
  folder.write("shop.py", app_that_says("four"));
  CHECK(order("start") == 0);
  CHECK(body(portherd) == "four");
  // The change may have been told after the start, and no program is replaced while a release is on its way.
  portherd.wait_until("it is upgraded", [&](const play::Status&) {
    return play::portherd({"upgrade", "-c", portherd.config_file()}).status == 0;
  });
  folder.write("shop.py", app_that_says("seven"));
  wait_says(portherd, "seven");
}
