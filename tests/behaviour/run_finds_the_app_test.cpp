// `portherd run` in a project's folder finds what a person would, and says what.
#include <filesystem>

#include "play.h"

namespace {

const std::string kApp =
    "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [__name__.encode()]\n";

struct Project {
  play::Folder folder;
  Project(std::initializer_list<std::pair<std::string, std::string>> files) {
    for (const auto& [name, text] : files) {
      std::filesystem::create_directories(std::filesystem::path(folder / name).parent_path());
      folder.write(name, text);
    }
  }
  std::string served(const std::string& said, play::Arguments more = {}) {
    play::Arguments arguments = {"--python", "$PYTHON", "--bind", "127.0.0.1:$PORT"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto portherd = play::Supervisor::run(folder, arguments);
    portherd.expect_line(said);
    portherd.wait_ready();
    return play::get(portherd.port()).body;
  }
  play::Ended refused(play::Arguments more = {}) {
    play::Arguments arguments = {"run", "--python", play::python(), "--bind",
                                 "127.0.0.1:" + std::to_string(play::free_port())};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return play::portherd(arguments, folder.path());
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
bool can_import(const std::string& module) {
  return play::run({play::python(), "-c", "import " + module}).status == 0;
}

}  // namespace

TEST_CASE("a file with a usual name, in the folder, in a package or in src") {
  CHECK(Project{{"main.py", kApp}}.served("found main:app in main.py") == "main");
  CHECK(Project{{"shop/__init__.py", ""}, {"shop/wsgi.py", kApp}, {"tests/__init__.py", kApp}}.served(
            "found shop.wsgi:app") == "shop.wsgi");
  CHECK(Project{{"src/shop/__init__.py", kApp}}.served("found shop:app in src/shop/__init__.py") == "shop");
}

TEST_CASE("an application by another name, one that is made, and one of which only the object tells") {
  CHECK(Project{{"app.py", kApp + "application = app\n"}}.served("found app:app ") == "app");
  CHECK(Project{{"app.py", "def create_app(config=None):\n    from other import app\n    return app\n"},
                {"other.py", kApp}}
            .served("found app:create_app() ") == "other");
  CHECK(Project{{"app.py", "import other\napp = (lambda: other.app)()\n"}, {"other.py", kApp}}.served(
            "found app:app ") == "other");
}

TEST_CASE("the module that imports another is what is served; two strangers are an error that names both") {
  CHECK(Project{{"app.py", kApp}, {"wsgi.py", "from app import app as application\n"}}.served(
            "found wsgi:application") == "app");
  const play::Ended two = Project{{"app.py", kApp}, {"main.py", kApp}}.refused();
  CHECK(two.status == 2);
  CHECK(has(two.err, "`portherd run app:app` (app.py) or `portherd run main:app` (main.py)"));
}

TEST_CASE("a Procfile comes first: web with its port, the others as services, and .env") {
  Project project{
      {"Procfile", "web: $PYTHON server.py\nworker: echo works; exec sleep 1000\nrelease: false\n"},
      {".env", "PYTHON=" + play::python() + "\n"},
      {"main.py", kApp}};
  project.folder.write("server.py", project.folder.read("main.py"));
  std::filesystem::copy(play::source("tests/import/server.py"), project.folder / "server.py",
                        std::filesystem::copy_options::overwrite_existing);
  std::filesystem::copy(play::source("tests/import/shop.py"), project.folder / "shop.py");
  CHECK(project.served("found Procfile") == "shop");
  const play::Ended none = Project{{"Procfile", "worker: x\n"}}.refused();
  CHECK(none.status == 2);
  CHECK(has(none.err, "has no `web`"));
}

TEST_CASE("Django by manage.py") {
  if (!can_import("django")) return;
  const play::Folder folder;
  folder.copy("examples/python-django");
  std::filesystem::remove(folder / "portherd.toml");
  auto portherd = play::Supervisor::run(
      folder, {"--python", "$PYTHON", "--bind", "127.0.0.1:$PORT", "--env", "SECRET_KEY=x"});
  portherd.expect_line("found shop.wsgi:application in shop/wsgi.py");
  portherd.wait_ready();
  CHECK(play::get(portherd.port()).status == 200);
}

TEST_CASE("an ASGI app is told from WSGI, found or given") {
  const std::string app =
      "async def app(scope, receive, send):\n"
      "    if scope['type'] != 'http':\n        return\n"
      "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
      "    await send({'type': 'http.response.body', 'body': b'asgi'})\n";
  Project project{{"main.py", app}};
  CHECK(project.served("main:app is an ASGI app") == "asgi");
  CHECK(project.served("main:app is an ASGI app", {"main:app"}) == "asgi");
  CHECK(project.served("main:app, 1 worker x 7 requests",
                       {"main:app", "-k", "uvicorn.workers.UvicornWorker", "--limit-concurrency", "7"}) == "asgi");
  CHECK(project.served("--lifespan: an app that has a lifespan gets it",
                       {"main:app", "--loop", "uvloop", "--no-server-header", "--lifespan", "on"}) == "asgi");
  CHECK(has(project.refused({"main:app", "--root-path", "/api"}).err, "--root-path: the app says it itself"));
  CHECK(has(project.refused({"main:app", "--threads", "8"}).err, "`threads` is for a `wsgi` app"));
  CHECK(Project{{"app.py", "import other\napp = (lambda: other.app)()\n"}, {"other.py", app}}.served(
            "app:app is an ASGI app") == "asgi");
}

TEST_CASE("the folder's .venv is used, and that is said") {
  Project project{{"main.py", kApp}};
  std::filesystem::create_directories(project.folder / ".venv/bin");
  std::filesystem::create_symlink(play::python(), project.folder / ".venv/bin/python");
  auto portherd = play::Supervisor::run(project.folder, {"--bind", "127.0.0.1:$PORT"}, {{"VIRTUAL_ENV", ""}});
  portherd.expect_line("python is " + project.folder.path() + "/.venv/bin/python");
  portherd.wait_ready();
}

TEST_CASE("gunicorn's and uvicorn's flags") {
  Project project{{"main.py", "import os\ndef make():\n    return app\n" + kApp + "    "}};
  project.folder.write("main.py",
                       "import os\ndef app(e, s):\n    s('200 OK', [])\n    return "
                       "[os.environ['A'].encode()]\ndef make():\n    return app\n");
  CHECK(project.served("timeout: the request ends with 504", {"main:make",
                                                              "--factory",
                                                              "-w",
                                                              "2",
                                                              "--threads",
                                                              "2",
                                                              "--timeout",
                                                              "20",
                                                              "-e",
                                                              "A=b,c",
                                                              "--max-requests",
                                                              "50",
                                                              "--max-requests-jitter",
                                                              "5",
                                                              "--keep-alive",
                                                              "5",
                                                              "--graceful-timeout",
                                                              "9",
                                                              "--access-logfile",
                                                              "-",
                                                              "-k",
                                                              "gthread"}) == "b,c");
  for (const play::Arguments& refused : {play::Arguments{"--daemon"},
                                         {"-c", "gunicorn.conf.py"},
                                         {"-k", "tornado"},
                                         {"-t", "soon"},
                                         {"--certfile", "a.pem", "--keyfile", "b.pem"},
                                         {"--host", "::1", "--port", "1"}}) {
    const play::Ended ended = project.refused(refused);
    CHECK(ended.status == 2);
    CHECK_MESSAGE(!ended.err.empty(), refused.front());
  }
  CHECK(has(project.refused({"-c", "gunicorn.conf.py"}).err, "portherd import"));
  CHECK(has(project.refused({"--chdir", "/nowhere"}).err, "--chdir /nowhere: there is no such folder"));
  CHECK(has(project.refused({"main.py"}).err, "did you mean `portherd run main:app`"));
  CHECK(project.served("--worker-tmp-dir: workers need no file to prove that they live",
                       {"main:app", "-n", "shop", "--worker-tmp-dir", "/dev/shm", "--capture-output", "-e", "A=b"}) == "b");
}

TEST_CASE("a command is told how it gets its socket, unless it says how") {
  const play::Folder folder;
  const std::string line = "a program that wants a port: --env 'PORT={port}'";
  const std::string server = "import sys\nsys.path.append('" + play::source("tests/apps") + "')\n";
  folder.write("told.py", server + "import worker\nworker.serve(lambda connection, request: worker.answer(connection, 'fd'))\n");
  {
    auto told = play::Supervisor::run(folder, {"--bind", "127.0.0.1:$PORT", "--", play::python(), "told.py"});
    told.expect_line(line);
    told.wait_ready();
  }
  folder.write("server.py",
               "import http.server, os\n"
               "class Answer(http.server.BaseHTTPRequestHandler):\n"
               "    def do_GET(self):\n        self.send_response(200)\n        self.send_header('Content-Length', '4')\n"
               "        self.end_headers()\n        self.wfile.write(b'port')\n"
               "    do_OPTIONS = do_GET\n"
               "http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Answer).serve_forever()\n");
  auto by_port = play::Supervisor::run(
      folder, {"--bind", "127.0.0.1:$PORT", "--env", "PORT={port}", "--", play::python(), "server.py"});
  by_port.wait_ready();
  CHECK(play::get(by_port.port()).body == "port");
  CHECK(by_port.lines_with("descriptor 3").empty());
}

TEST_CASE("an app that cannot be read, or looked at, shows its own error") {
  const play::Ended syntax = Project{{{"app.py", "def app(:\n"}}}.refused();
  CHECK(syntax.status == 1);
  CHECK(has(syntax.err, "app.py\", line 1"));
  CHECK(has(syntax.err, "SyntaxError"));
  const play::Ended import = Project{{{"app.py", "import nosuch\napp = nosuch.app()\n"}}}.refused();
  CHECK(import.status == 1);
  CHECK(has(import.err, "app.py\", line 1, in <module>"));
  CHECK_FALSE(has(import.err, "<string>"));
}
