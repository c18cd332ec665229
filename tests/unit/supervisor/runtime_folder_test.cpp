#include "supervisor/runtime_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include "doctest_precompiled.h"

using supervisor::RuntimeFolder;

TEST_CASE("a runtime folder is nobody else's, is found while it lives, and is gone afterwards") {
  std::string path;
  const auto is_ours = [&path](const supervisor::Instance& instance) {
    return instance.control == path + "/control.sock";
  };
  {
    const auto folder = RuntimeFolder::make();
    REQUIRE(folder.has_value());
    path = folder->path();
    struct stat about{};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 077) == (::geteuid() == 0 ? 011 : 0));  // through it, but no look into it
    CHECK(about.st_uid == ::geteuid());
    // Room for "/APP.ID.sock" with the longest name of an app.
    CHECK(path.size() + 1 + 32 + 1 + 10 + 5 <= 107);

    folder->announce({.pid = ::getpid(), .directory = "/srv/shop", .control = path + "/control.sock"});
    // flock(2) is per open file: asked from this same process it holds too.
    const auto living = supervisor::living_instances();
    const auto self = std::ranges::find_if(living, is_ours);
    REQUIRE(self != living.end());
    CHECK(self->pid == ::getpid());
    CHECK(self->directory == "/srv/shop");
  }
  CHECK(::access(path.c_str(), F_OK) != 0);
  CHECK(std::ranges::none_of(supervisor::living_instances(), is_ours));
}

TEST_CASE("as root others come through to the folder, whatever the umask is") {
  if (::geteuid() != 0) return;
  // Where somebody lives in it already, its mode is theirs, and has to be right too.
  ::rmdir(supervisor::runtime_bases().front().c_str());
  const mode_t before = ::umask(077);
  const auto folder = RuntimeFolder::make();
  ::umask(before);
  REQUIRE(folder.has_value());
  for (const std::string& path : {folder->path(), folder->path().substr(0, folder->path().rfind('/'))}) {
    struct stat about{};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 011) == 011);
  }
}

TEST_CASE("two of one process do not share a folder") {
  const auto one = RuntimeFolder::make(), two = RuntimeFolder::make();
  REQUIRE((one.has_value() && two.has_value()));
  CHECK(one->path() != two->path());
}

TEST_CASE("what a dead one left behind is removed at the next start, a living one's is not") {
  const auto living = RuntimeFolder::make();
  REQUIRE(living.has_value());
  const std::string base = living->path().substr(0, living->path().rfind('/'));
  const std::string stale = base + "/99999999";
  REQUIRE(::mkdir(stale.c_str(), 0700) == 0);
  REQUIRE(::mkdir((stale + "/shop.1").c_str(), 0700) == 0);
  for (const char* name : {"/lock", "/shop.1/sock"}) {
    std::FILE* file = std::fopen((stale + name).c_str(), "w");
    REQUIRE(file != nullptr);
    std::fclose(file);
  }
  REQUIRE(::symlink("/etc/passwd", (stale + "/link").c_str()) == 0);
  const auto next = RuntimeFolder::make();
  CHECK(::access(stale.c_str(), F_OK) != 0);
  CHECK(::access("/etc/passwd", F_OK) == 0);
  CHECK(::access(living->path().c_str(), F_OK) == 0);
}
