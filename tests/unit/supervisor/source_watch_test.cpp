#include "supervisor/source_watch.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "doctest_precompiled.h"

using namespace supervisor;

namespace {

struct Stage {
  std::string folder;
  runtime::Loop loop;
  std::vector<std::string> changed;
  std::unique_ptr<SourceWatch> watch;

  Stage() {
    char name[] = "/tmp/portherd-sources-XXXXXX";
    folder = ::mkdtemp(name);
    watch = std::make_unique<SourceWatch>(loop, std::move(*SourceWatch::open()), runtime::bind<&Stage::on_changed>(this));
  }
  ~Stage() { std::filesystem::remove_all(folder); }
  void write(const std::string& name) const { std::ofstream(folder + "/" + name) << "text\n"; }
  void make(const std::string& name) const { std::filesystem::create_directories(folder + "/" + name); }
  void on_changed() {
    changed.push_back(watch->changed().substr(folder.size() + 1));
    loop.stop();
  }
};

}  // namespace

TEST_CASE("what people write is a source; what is hidden, a copy of an editor or no text of a program is not") {
  for (const char* name : {"app.py", "index.js", "config.ru", "a.b.ts", "pyproject.toml"}) CHECK_MESSAGE(is_source(name), name);
  for (const char* name : {"", ".py", ".app.py", "app.pyc", "app.py~", ".app.py.swp", "4913", "db.sqlite3", "app.log", "py"}) {
    CHECK_MESSAGE(!is_source(name), name);
  }
  for (const char* name : {".git", ".venv", "venv", "node_modules", "__pycache__"}) CHECK_MESSAGE(is_left_out(name), name);
  for (const char* name : {"src", "shop", "venvs"}) CHECK_MESSAGE(!is_left_out(name), name);
}

TEST_CASE("many changes are told once, by the first one") {
  Stage stage;
  stage.watch->add(stage.folder);
  stage.watch->add(stage.folder);
  stage.write("notes.txt");
  stage.write("a.py");
  stage.write("b.py");
  stage.loop.run();
  CHECK(stage.changed == std::vector<std::string>{"a.py"});
  std::filesystem::remove(stage.folder + "/b.py");
  stage.loop.run();
  CHECK(stage.changed.back() == "b.py");
  CHECK(stage.watch->folders() == std::vector<std::string>{stage.folder});
}

TEST_CASE("a folder alone is that folder; a tree has what is below it, but for what is left out, and what comes later") {
  Stage stage;
  stage.make("src/deep");
  stage.make("node_modules/other");
  SUBCASE("alone") {
    stage.watch->add(stage.folder);
    CHECK(stage.watch->folders().size() == 1);
  }
  SUBCASE("a tree") {
    std::filesystem::create_directory_symlink(stage.folder, stage.folder + "/src/again");
    stage.watch->add_tree(stage.folder);
    CHECK(stage.watch->folders().size() == 3);
    stage.write("src/deep/a.js");
    stage.loop.run();
    CHECK(stage.changed.back() == "src/deep/a.js");
    stage.make("src/new");
    stage.write("b.js");
    stage.loop.run();
    CHECK(stage.watch->folders().size() == 4);
    stage.write("src/new/c.js");
    stage.loop.run();
    CHECK(stage.changed.back() == "src/new/c.js");
    std::filesystem::remove_all(stage.folder + "/src");
    stage.write("d.js");
    stage.loop.run();
    CHECK(stage.watch->folders() == std::vector<std::string>{stage.folder});
  }
}

TEST_CASE("a folder that is not there, or too many of them, cost nothing") {
  Stage stage;
  stage.watch->add(stage.folder + "/none");
  CHECK(stage.watch->folders().empty());
  for (std::size_t i = 0; i < SourceWatch::kMost + 5; ++i) stage.make("d" + std::to_string(i));
  stage.watch->add_tree(stage.folder);
  CHECK(stage.watch->folders().size() == SourceWatch::kMost);
}
