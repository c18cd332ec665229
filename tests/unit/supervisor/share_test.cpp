#include "supervisor/share.h"

#include "doctest_precompiled.h"

using namespace supervisor;
using namespace runtime::literals;

namespace {

std::vector<std::string> texts(const Share& share) {
  std::vector<std::string> all;
  for (const Limit& limit : limits_of(share)) all.push_back(std::string(limit.file) + " " + limit.text);
  return all;
}

}  // namespace

TEST_CASE("a share is written as the kernel reads it, and what is not limited as max") {
  CHECK(texts({}) == std::vector<std::string>{"memory.max max", "cpu.max max", "pids.max max"});
  CHECK(texts({.memory = 1_GiB, .cpu = conf::CpuShare{150}, .processes = 200}) ==
        std::vector<std::string>{"memory.max 1073741824", "cpu.max 150000 100000", "pids.max 200"});
  CHECK(limits_of({.cpu = conf::CpuShare{1}})[1].text == "1000 100000");  // the least that the kernel takes
}

TEST_CASE("while two generations live in one group it has the wider limit of each kind") {
  const Share old{.memory = 1_GiB, .cpu = conf::CpuShare{50}, .processes = 10};
  const Share fresh{.memory = 2_GiB, .cpu = conf::CpuShare{20}, .processes = {}};
  CHECK(widest(old, fresh) == Share{.memory = 2_GiB, .cpu = conf::CpuShare{50}, .processes = {}});
  CHECK(widest(fresh, old) == widest(old, fresh));
  CHECK(widest(old, old) == old);
}

TEST_CASE("an app's share is what its settings say, and its services have the same") {
  conf::App app;
  CHECK_FALSE(app.is_confined());
  app.memory_max = 1_GiB;
  app.pids_max = 5;
  CHECK(app.is_confined());
  CHECK(share_of(app) == Share{.memory = 1_GiB, .cpu = {}, .processes = 5});
  CHECK(share_of(conf::service_app(app, {.name = "queue"})) == share_of(app));
}
