// `portherd import`: what it makes of tests/import/ passes `check` and serves.
#include <filesystem>

#include "play.h"

namespace {

void expect_served(const play::Folder& folder, const play::Arguments& arguments) {
  const play::Ended imported = play::portherd(arguments, folder.path());
  REQUIRE_MESSAGE(imported.status == 0, imported.err);
  folder.write("portherd.toml", imported.out);
  const play::Ended checked = play::portherd({"check", "-c", "portherd.toml"}, folder.path());
  CHECK_MESSAGE(checked.status == 0, checked.err, imported.out);
  auto portherd = play::Supervisor::run(folder, {"--bind", "127.0.0.1:$PORT"});
  portherd.wait_ready();
  CHECK(play::get(portherd.port()).body == "shop");
}

std::vector<std::string> files_of(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(play::source(folder)))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

}  // namespace

TEST_CASE("ten gunicorn configurations are served") {
  const auto files = files_of("tests/import/gunicorn");
  CHECK(files.size() == 10);
  for (const std::string& file : files) {
    CAPTURE(file);
    const play::Folder folder;
    folder.copy("tests/import");
    std::filesystem::copy(folder / ("gunicorn/" + file), folder / "gunicorn.conf.py");
    play::Arguments arguments = {"import", "gunicorn.conf.py", "--python", play::python()};
    if (folder.read("gunicorn.conf.py").find("wsgi_app") == std::string::npos) arguments.emplace_back("shop");
    expect_served(folder, arguments);
  }
}

TEST_CASE("five Procfiles are served") {
  const auto files = files_of("tests/import/procfiles");
  CHECK(files.size() == 5);
  for (const std::string& file : files) {
    CAPTURE(file);
    if (file.starts_with("2") && !play::is_installed("gunicorn")) continue;
    if (file.starts_with("5") && !play::is_installed("uvicorn")) continue;
    const play::Folder folder;
    folder.copy("tests/import");
    std::filesystem::copy(folder / ("procfiles/" + file), folder / "Procfile");
    expect_served(folder, {"import", "Procfile"});
  }
}

TEST_CASE("a configuration that raises shows its own traceback") {
  const play::Folder folder;
  folder.write("gunicorn.conf.py", "def cpus():\n    raise RuntimeError('no cpus')\nworkers = cpus()\n");
  const play::Ended ended =
      play::portherd({"import", "gunicorn.conf.py", "a:b", "--python", play::python()}, folder.path());
  CHECK(ended.status == 1);
  CHECK(ended.out.empty());
  CHECK_MESSAGE(ended.err.find("gunicorn.conf.py\", line 2, in cpus") != std::string::npos, ended.err);
  CHECK(ended.err.find("RuntimeError: no cpus") != std::string::npos);
  CHECK(ended.err.find("<string>") == std::string::npos);  // not our own insides
}

TEST_CASE("a configuration that imports what is not installed is told how to name another interpreter; $VIRTUAL_ENV is one") {
  const play::Folder folder;
  folder.write("gunicorn.conf.py", "import nosuch\n");
  const play::Ended ended =
      play::portherd({"import", "gunicorn.conf.py", "a:b", "--python", play::python()}, folder.path());
  CHECK(ended.status == 1);
  CHECK_MESSAGE(ended.err.find("--python, $VIRTUAL_ENV or .venv name another interpreter") != std::string::npos, ended.err);
  folder.write("gunicorn.conf.py", "workers = 2\n");
  std::filesystem::create_directories(folder / "env/bin");
  std::filesystem::create_symlink(play::python(), folder / "env/bin/python");
  const play::Ended active =
      play::portherd({"import", "gunicorn.conf.py", "a:b"}, folder.path(), {{"VIRTUAL_ENV", folder / "env"}});
  CHECK_MESSAGE(active.out.find("python = \"env/bin/python\"") != std::string::npos, active.out, active.err);
}

TEST_CASE("what is no such file, and a mistake in a Procfile, are said") {
  const play::Folder folder;
  folder.write("Procfile", "web: a\nworker\n");
  folder.write("notes.txt", "x");
  const play::Ended mistake = play::portherd({"import", "Procfile"}, folder.path());
  CHECK(mistake.status == 2);
  CHECK_MESSAGE(mistake.err.find("Procfile:2:1: expected `name: command`") != std::string::npos, mistake.err);
  CHECK(play::portherd({"import", "notes.txt"}, folder.path()).status == 2);
  CHECK(play::portherd({"import", "gone.py"}, folder.path()).status == 2);
}
