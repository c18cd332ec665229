#include "runtime/machine.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "doctest_precompiled.h"
#include "runtime/random.h"

using runtime::cpus_of_cpu_max;
using runtime::cpus_of_quota;

TEST_CASE("a CPU quota is whole CPUs, rounded up") {
  CHECK(cpus_of_cpu_max("200000 100000\n") == 2);
  CHECK(cpus_of_cpu_max("150000 100000\n") == 2);
  CHECK(cpus_of_cpu_max("1000 100000\n") == 1);
  CHECK(cpus_of_quota("250000", "100000") == 3);
}

TEST_CASE("no quota is none, and neither is nonsense") {
  CHECK_FALSE(cpus_of_cpu_max("max 100000\n"));
  CHECK_FALSE(cpus_of_quota("-1", "100000"));
  CHECK_FALSE(cpus_of_cpu_max(""));
  CHECK_FALSE(cpus_of_cpu_max("100000 0"));
  CHECK_FALSE(cpus_of_cpu_max("100000"));
}

TEST_CASE("a limit of memory is bytes, or none") {
  CHECK(runtime::bytes_of_limit("536870912\n") == 512UL << 20);
  CHECK(runtime::bytes_of_limit("9223372036854771712\n") == 9'223'372'036'854'771'712U);
  CHECK_FALSE(runtime::bytes_of_limit("max\n"));
  CHECK_FALSE(runtime::bytes_of_limit(""));
}

TEST_CASE("there is at least one CPU, and we use some memory") {
  CHECK(runtime::usable_cpus() >= 1);
  CHECK(runtime::usable_cpus() <= static_cast<std::size_t>(::sysconf(_SC_NPROCESSORS_CONF)));
  CHECK(runtime::resident_memory(::getpid()).value() > 100'000);
  CHECK(runtime::usable_memory() > runtime::resident_memory(::getpid()).value());
  CHECK_FALSE(runtime::resident_memory(0));
  CHECK(runtime::OwnMemory().resident().value() > 100'000);
}

TEST_CASE("chance is from 0 up to 1, and not twice the same") {
  const double one = runtime::random_unit(), two = runtime::random_unit();
  CHECK((one >= 0 && one < 1));
  CHECK((two >= 0 && two < 1));
  CHECK(runtime::random_bits() != runtime::random_bits());
}

TEST_CASE("a number is found by its key, with a unit behind it or none") {
  const char* text = "MemTotal:       16384 kB\nlow 3\noom 1\noom_kill 7\nempty\nbad x\n";
  CHECK(runtime::number_of(text, "MemTotal:") == 16384);
  CHECK(runtime::number_of(text, "oom_kill") == 7);
  CHECK(runtime::number_of(text, "oom") == 1);
  CHECK_FALSE(runtime::number_of(text, "empty"));
  CHECK_FALSE(runtime::number_of(text, "bad"));
  CHECK_FALSE(runtime::number_of("", "low"));
}

TEST_CASE("below a limit is left what is not used, and what holds files that nobody needs") {
  CHECK(runtime::left_below(1000, 600, "anon 500\ninactive_file 100\n") == 500);
  CHECK(runtime::left_below(1000, 600, "inactive_file 1\ntotal_inactive_file 50\n") == 450);
  CHECK(runtime::left_below(1000, 1200, "") == 0);
  CHECK(runtime::left_below(1000, 100, "inactive_file 200\n") == 1000);
}

TEST_CASE("a process has a share of its resident memory, and the machine some that is free") {
  CHECK(runtime::proportional_memory(::getpid()).value() > 100'000);
  CHECK_FALSE(runtime::proportional_memory(0));
  const auto held = runtime::held_memory(::getpid());
  REQUIRE(held.has_value());
  CHECK(held->shared > 100'000);  // the C library at least
  CHECK(held->proportional <= *runtime::resident_memory(::getpid()) + 1'000'000);
  CHECK_FALSE(runtime::held_memory(0));
  CHECK(runtime::available_memory() > 0);
  CHECK(runtime::available_memory() <= runtime::usable_memory());
}

namespace {

/// A machine's cgroup files, prepared.
struct Prepared {
  Prepared() {
    char name[] = "/tmp/portherd-cgroups-XXXXXX";
    folder = ::mkdtemp(name);
    cgroups = {.list = folder + "/list", .mount = folder + "/mount"};
  }
  ~Prepared() { std::filesystem::remove_all(folder); }
  void write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = folder + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::string folder;
  runtime::Cgroups cgroups;
};

}  // namespace

TEST_CASE("version 2: the least of our cgroup and of those above it, up to the mount") {
  const Prepared files;
  files.write("list", "0::/pods/one\n");
  files.write("mount/pods/one/cpu.max", "max 100000\n");
  files.write("mount/pods/cpu.max", "50000 100000\n");
  files.write("mount/pods/one/memory.max", "max\n");
  files.write("mount/pods/memory.max", "104857600\n");
  files.write("mount/pods/memory.current", "62914560\n");
  files.write("mount/pods/memory.stat", "anon 41943040\ninactive_file 20971520\n");
  CHECK(runtime::usable_cpus(files.cgroups) == 1);
  CHECK(runtime::usable_memory(files.cgroups) == 100U << 20);
  CHECK(runtime::available_memory(files.cgroups) == 60U << 20);
}

TEST_CASE("version 1: a controller each, with its own path") {
  const Prepared files;
  files.write("list", "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/docker/abc\n");
  files.write("mount/cpu/docker/abc/cpu.cfs_quota_us", "100000\n");
  files.write("mount/cpu/docker/abc/cpu.cfs_period_us", "100000\n");
  files.write("mount/cpu/docker/cpu.cfs_quota_us", "-1\n");
  files.write("mount/cpu/docker/cpu.cfs_period_us", "100000\n");
  files.write("mount/memory/docker/abc/memory.limit_in_bytes", "104857600\n");
  files.write("mount/memory/docker/abc/memory.usage_in_bytes", "94371840\n");
  files.write("mount/memory/docker/abc/memory.stat", "inactive_file 1\ntotal_inactive_file 10485760\n");
  CHECK(runtime::usable_cpus(files.cgroups) == 1);
  CHECK(runtime::usable_memory(files.cgroups) == 100U << 20);
  CHECK(runtime::available_memory(files.cgroups) == 20U << 20);
}

TEST_CASE("a container that sees a path which is not under its mount has the mount itself") {
  const Prepared files;
  files.write("list", "0::/../elsewhere\n");
  files.write("mount/cpu.max", "100000 100000\n");
  files.write("mount/memory.max", "52428800\n");
  CHECK(runtime::usable_cpus(files.cgroups) == 1);
  CHECK(runtime::usable_memory(files.cgroups) == 50U << 20);
}

TEST_CASE("without cgroups there is the machine") {
  const Prepared files;
  CHECK(runtime::usable_cpus(files.cgroups) >= runtime::usable_cpus());
  CHECK(runtime::usable_memory(files.cgroups) >= runtime::usable_memory());
}
