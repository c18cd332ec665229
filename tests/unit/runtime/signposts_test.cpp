#include "runtime/signposts.h"

#include <stdlib.h>

#include <filesystem>

#include "doctest_precompiled.h"

using runtime::Signpost;
using runtime::signposts;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    path = fs::canonical(path).string();
  }
  ~Folder() { fs::remove_all(path); }
  std::string path = "/tmp/portherd-signposts-XXXXXX";
};

}  // namespace

TEST_CASE("a path without a link is decided by its last name") {
  const Folder folder;
  fs::create_directories(folder.path + "/live/shop");
  CHECK(signposts(folder.path + "/live/shop") == std::vector<Signpost>{{folder.path + "/live", "shop"}});
  CHECK(signposts(folder.path + "/./live/../live/shop/") == std::vector<Signpost>{{folder.path + "/live", "shop"}});
}

TEST_CASE("each link decides, and where it leads to") {
  const Folder folder;
  fs::create_directories(folder.path + "/archive/1");
  fs::create_directories(folder.path + "/live");
  fs::create_symlink("../archive/1", folder.path + "/live/now");
  fs::create_symlink(folder.path + "/live/now/shop.pem", folder.path + "/shop.crt");
  CHECK(signposts(folder.path + "/shop.crt") == std::vector<Signpost>{{folder.path, "shop.crt"},
                                                                       {folder.path + "/live", "now"},
                                                                       {folder.path + "/archive/1", "shop.pem"}});
}

TEST_CASE("a way that ends too early is decided by the first name that is not there") {
  const Folder folder;
  CHECK(signposts(folder.path + "/tls/shop.crt") == std::vector<Signpost>{{folder.path, "tls"}});
  fs::create_symlink("gone/tls", folder.path + "/tls");
  CHECK(signposts(folder.path + "/tls/shop.crt") == std::vector<Signpost>{{folder.path, "tls"}, {folder.path, "gone"}});
}

TEST_CASE("links that lead in a circle are followed for a while") {
  const Folder folder;
  fs::create_symlink("b", folder.path + "/a");
  fs::create_symlink("a", folder.path + "/b");
  CHECK(signposts(folder.path + "/a").size() == 41);
}
