// The files of a cgroup tree, prepared: what is written where. That the kernel does with them what it is told is not tried
// here; a machine whose controllers are all of version 1 could not.
#include "supervisor/cgroups.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "doctest_precompiled.h"

using namespace supervisor;
using namespace runtime::literals;

namespace {

const Share kShare{.memory = 1_GiB, .cpu = conf::CpuShare{50}, .processes = 20};

struct Tree {
  Tree() {
    char name[] = "/tmp/portherd-cgroups-XXXXXX";
    folder = ::mkdtemp(name);
    write("list", "4:memory:/elsewhere\n0::/\n");
    prepare("");
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  ~Tree() { std::filesystem::remove_all(folder); }

  // A group that is ours, with one of an app in it: a file system of the kernel makes those files by itself.
  void prepare(const std::string& group) {
    for (const char* const file : {"cgroup.type", "cgroup.procs", "cgroup.subtree_control", "supervisor/cgroup.procs", "app-shop/cgroup.procs",
                                   "app-shop/memory.max", "app-shop/cpu.max", "app-shop/pids.max"})
      write("fs" + group + "/" + file, "");
    write("fs" + group + "/cgroup.controllers", "cpuset cpu io memory pids\n");
    if (!group.empty()) write("fs/cgroup.controllers", "memory\n");
  }
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(folder + "/" + file).parent_path());
    std::ofstream(folder + "/" + file) << text;
  }
  std::string read(const std::string& file) const {
    std::stringstream text;
    text << std::ifstream(folder + "/" + file).rdbuf();
    return text.str();
  }
  runtime::Cgroups where() const { return {.list = folder + "/list", .mount = folder + "/fs"}; }

  std::string folder;
};

}  // namespace

TEST_CASE("the first app that has limits has the tree made, and its group") {
  const Tree tree;
  {
    Cgroups cgroups(tree.where());
    CHECK(cgroups.root().empty());
    const Cgroups::Entry entry = cgroups.enter("shop", kShare);
    CHECK(entry.withheld.empty());
    CHECK(entry.procs);
    CHECK(cgroups.root() == tree.folder + "/fs");
    CHECK(tree.read("fs/cgroup.subtree_control") == "+memory +cpu +pids");
    CHECK(tree.read("fs/app-shop/memory.max") == "1073741824");
    CHECK(tree.read("fs/app-shop/cpu.max") == "50000 100000");
    CHECK(tree.read("fs/app-shop/pids.max") == "20");

    cgroups.limit("shop", {.memory = 2_GiB});
    CHECK(tree.read("fs/app-shop/memory.max") == "2147483648");
    CHECK(tree.read("fs/app-shop/pids.max") == "max");
  }
}

TEST_CASE("a group that nobody is in goes with the app, others when all ends") {
  const Tree tree;
  tree.write("fs/app-busy/cgroup.procs", "1\n");
  std::filesystem::create_directory(tree.folder + "/fs/app-one");
  std::filesystem::create_directory(tree.folder + "/fs/app-two");
  {
    Cgroups cgroups(tree.where());
    cgroups.remove("one");
    CHECK(std::filesystem::exists(tree.folder + "/fs/app-one"));  // nothing has been made by us
    CHECK(cgroups.enter("shop", kShare).procs);
    cgroups.remove("one");
    cgroups.remove("busy");
    CHECK_FALSE(std::filesystem::exists(tree.folder + "/fs/app-one"));
    CHECK(std::filesystem::exists(tree.folder + "/fs/app-busy"));
    tree.write("fs/cgroup.subtree_control", "memory pids\n");  // as the kernel says it
  }
  CHECK_FALSE(std::filesystem::exists(tree.folder + "/fs/app-two"));
  CHECK(tree.read("fs/cgroup.subtree_control") == "-memory -pids");
}

TEST_CASE("a controller that has not been delegated is said, and the others are in force") {
  const Tree tree;
  tree.write("fs/cgroup.controllers", "cpu pids\n");
  Cgroups cgroups(tree.where());
  const Cgroups::Entry entry = cgroups.enter("shop", kShare);
  CHECK(entry.procs);
  CHECK(entry.withheld == std::vector<conf::Withheld>{{"memory_max", "`memory_max`: " + tree.folder + "/fs has no controller memory"}});
  CHECK(tree.read("fs/app-shop/pids.max") == "20");
  CHECK(cgroups.enter("shop", {.processes = 5}).withheld.empty());
}

TEST_CASE("where none is ours nothing is touched, and it is said why, for each limit") {
  const Tree tree;
  std::string why;
  SUBCASE("the root of the whole machine") {
    std::filesystem::remove(tree.folder + "/fs/cgroup.type");
    why = tree.folder + "/fs is not delegated to us (Delegate=yes of a systemd unit)";
  }
  SUBCASE("version 1") {
    std::filesystem::remove(tree.folder + "/fs/cgroup.controllers");
    why = "there is none of version 2 at " + tree.folder + "/fs";
  }
  SUBCASE("version 1 alone is named") {
    tree.write("list", "4:memory:/elsewhere\n");
    why = tree.folder + "/list names none of version 2";
  }
  SUBCASE("no controller") {
    tree.write("fs/cgroup.controllers", "cpuset io\n");
    why = tree.folder + "/fs has none of the controllers memory, cpu and pids";
  }
  SUBCASE("processes that cannot be moved away") {
    tree.write("fs/cgroup.procs", "1\n");
    why = "processes come to " + tree.folder + "/fs faster than they can be moved";
  }
  Cgroups cgroups(tree.where());
  const Cgroups::Entry entry = cgroups.enter("shop", {.memory = 1_GiB, .cpu = {}, .processes = 5});
  CHECK_FALSE(entry.procs);
  CHECK(entry.withheld == std::vector<conf::Withheld>{{"memory_max", "`memory_max` needs a cgroup of our own: " + why},
                                                      {"pids_max", "`pids_max` needs a cgroup of our own: " + why}});
  CHECK(cgroups.root().empty());
  CHECK(tree.read("fs/cgroup.subtree_control").empty());
  CHECK(tree.read("fs/app-shop/memory.max").empty());
}

TEST_CASE("a unit's group is ours if systemd says that it is delegated") {
  Tree tree;
  tree.write("list", "0::/system.slice/portherd.service\n");
  tree.prepare("/system.slice/portherd.service");
  const std::string own = tree.folder + "/fs/system.slice/portherd.service";
  if (::geteuid() == 0) {
    Cgroups cgroups(tree.where());
    CHECK_FALSE(cgroups.enter("shop", kShare).procs);
  }
  if (::setxattr(own.c_str(), "user.delegate", "1", 1, 0) != 0) {
    MESSAGE("skipped: this file system keeps no attributes of users");
    return;
  }
  Cgroups cgroups(tree.where());
  CHECK(cgroups.enter("shop", kShare).procs);
  CHECK(cgroups.root() == own);
  // The program that follows finds itself below, and goes on with the same.
  tree.write("list", "0::/system.slice/portherd.service/supervisor\n");
  Cgroups next(tree.where());
  next.adopt(cgroups.root());
  CHECK(next.enter("shop", {.processes = 7}).procs);
  CHECK(tree.read("fs/system.slice/portherd.service/app-shop/pids.max") == "7");
}

TEST_CASE("what the kernel has counted in a group, and what is left in it") {
  const Tree tree;
  Cgroups cgroups(tree.where());
  CHECK_FALSE(cgroups.oom_kills("shop"));
  CHECK(cgroups.enter("shop", kShare).procs);
  CHECK_FALSE(cgroups.oom_kills("shop"));
  tree.write("fs/app-shop/memory.events", "low 0\nhigh 0\nmax 4\noom 2\noom_kill 2\n");
  CHECK(cgroups.oom_kills("shop") == 2);
  CHECK_FALSE(cgroups.oom_kills("other"));

  tree.write("fs/app-shop/memory.max", "1000\n");
  tree.write("fs/app-shop/memory.current", "600\n");
  tree.write("fs/app-shop/memory.stat", "anon 500\ninactive_file 100\n");
  CHECK(cgroups.memory_left("shop") == 500);
  tree.write("fs/app-shop/memory.max", "max\n");
  CHECK_FALSE(cgroups.memory_left("shop"));
}
