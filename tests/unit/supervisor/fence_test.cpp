#include "supervisor/fence.h"

#include <unistd.h>

#include <filesystem>

#include "conf/address.h"
#include "doctest_precompiled.h"

namespace {

namespace fs = std::filesystem;
using supervisor::Fence;
using Folders = std::set<std::string>;

conf::Settings of(std::vector<std::string> command, const std::string& files = {}) {
  conf::Settings settings;
  conf::App& app = settings.apps.emplace_back();
  app.command = std::move(command);
  if (!files.empty()) app.routes.push_back({.files = files});
  return settings;
}

Folders readable(const std::string& files) {
  return supervisor::fence_for(of({"serve"}, files)).readable;
}

struct Folder {
  Folder() { fs::create_directories(path / "inside"); }
  ~Folder() { fs::remove_all(path); }
  fs::path path = fs::canonical(fs::temp_directory_path()) / ("portherd-fence-" + std::to_string(::getpid()));
};

std::vector<std::string> texts(const Fence& old, const Fence& fresh) {
  std::vector<std::string> found;
  for (const conf::Change& change : supervisor::widenings(old, fresh)) found.push_back(conf::text(change));
  return found;
}

}  // namespace

TEST_CASE("only for an app that is told a port the front has to reach workers by TCP, and sockets anywhere only for `proxy`") {
  CHECK(supervisor::fence_for(of({"serve", "--port", "{port}"})).has_ports);
  CHECK(supervisor::fence_for(of({"serve"})) == Fence{});
  conf::Settings settings = of({});
  settings.apps[0].proxy.push_back(*conf::parse_address("unix:/run/app.sock"));
  CHECK(supervisor::fence_for(settings) == Fence{.readable = {}, .has_sockets = true});
}

TEST_CASE("the folder of files that may be swapped is one that can be read") {
  const Folder folder;
  const std::string place = folder.path;
  CHECK(readable(place + "/inside") == Folders{place});
  fs::create_directory_symlink("inside", folder.path / "link");
  CHECK(readable(place + "/link") == Folders{place});
  fs::create_directory_symlink(place + "/inside", folder.path / "inside" / "far");
  CHECK(readable(place + "/inside/far") == Folders{place, place + "/inside"});
}

TEST_CASE("what stands in the root or right below it opens nothing beside it") {
  CHECK(readable("/usr") == Folders{"/usr"});
  CHECK(readable("/usr/share") == Folders{"/usr/share"});
}

TEST_CASE("a folder that was put in the place of one that could be read is another one, and what is changed in it is not") {
  const Folder folder;
  const auto settings = of({"serve"}, folder.path / "inside");
  const Fence old = supervisor::fence_for(settings);
  fs::create_directories(folder.path / "more");
  fs::remove_all(folder.path / "inside");
  fs::create_directories(folder.path / "inside");
  CHECK(supervisor::fence_for(settings) == old);
  const fs::path away = folder.path.string() + "-away";
  fs::rename(folder.path, away);
  fs::create_directories(folder.path / "inside");
  CHECK(texts(old, supervisor::fence_for(settings)) == std::vector{"front: has to read files in " + folder.path.string() +
                                                                   ", which is another folder now (another front takes over, connections drain)"});
  fs::remove_all(away);
}

TEST_CASE("what the front was not let reach when it began takes another one, and less does not") {
  const std::string cost = " (another front takes over, connections drain)";
  CHECK(texts({}, {.readable = {"/srv/a", "/srv/b"}}) ==
        std::vector{"front: has to read files in /srv/a" + cost, "front: has to read files in /srv/b" + cost});
  CHECK(texts({}, {.readable = {}, .has_ports = true, .has_sockets = true}) ==
        std::vector{"front: has to reach workers by ports" + cost, "front: has to reach sockets of `proxy`" + cost});
  CHECK(texts({.readable = {"/srv/a", "/srv/b"}, .has_ports = true, .has_sockets = true}, {.readable = {"/srv/a"}}).empty());
}
