// What a change of the settings comes to: addresses, snapshot, and each thread's part.
#include "proxy/change.h"

#include <sys/mman.h>
#include <unistd.h>

#include "conf/print.h"
#include "doctest_precompiled.h"

namespace {

using proxy::Address;
using proxy::Change;

runtime::Fd in_memory(const std::string& text) {
  runtime::Fd fd(::memfd_create("text", MFD_CLOEXEC));
  REQUIRE(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  return fd;
}

conf::Settings with_apps(std::initializer_list<const char*> names) {
  conf::Settings settings;
  for (const char* const name : names) {
    conf::App& app = settings.apps.emplace_back();
    app.name = name;
    app.hosts = {app.name};
    app.command = {"-"};
  }
  return settings;
}

void open(Change& change, const std::string& text, std::uint16_t port, bool tls, bool shared, std::size_t sockets) {
  Change::Opening& opening = change.openings.emplace_back();
  opening.about = {.text = text, .port = port, .tls = tls, .shared = shared};
  for (std::size_t i = 0; i < sockets; ++i) opening.sockets.push_back(in_memory(""));
}

}  // namespace

TEST_CASE("an app's index is its own, and its place in the settings another thing") {
  Change change;
  REQUIRE(change.configure(in_memory(conf::print(with_apps({"a", "b"}))).get(), {9, 2}));
  const auto snapshot = *change.make(nullptr, {});
  const auto place = snapshot->route.find("b");
  REQUIRE(place == 1U);
  CHECK(snapshot->apps[*place] == 2);
  CHECK(snapshot->find(9)->name == "a");
  CHECK(snapshot->find(0) == nullptr);
}

TEST_CASE("what a change does not speak of stays") {
  Change first;
  REQUIRE(first.configure(in_memory(conf::print(with_apps({"a"}))).get(), {4}));
  const auto before = *first.make(nullptr, {});
  const auto after = *Change().make(before.get(), {{"*:80", 80, false}, {"*:443", 443, true}});
  CHECK(after->settings == before->settings);
  CHECK(after->apps == before->apps);
  CHECK(after->https_port == 443);
}

TEST_CASE("an order that could not be understood makes the whole change void") {
  Change change;
  change.settings = with_apps({});
  change.objection = "no settings came";
  const auto made = change.make(nullptr, {});
  REQUIRE_FALSE(made);
  CHECK(made.error().text().find("no settings came") != std::string::npos);
}

TEST_CASE("an address that is closed and opened again is opened") {
  Change change;
  change.closings = {"*:80", "*:81"};
  open(change, "*:80", 80, false, false, 1);
  const auto after = change.addresses({{"*:80", 80, false}, {"*:81", 81, false}, {"*:443", 443, true}});
  REQUIRE(after.size() == 2);
  CHECK(after[0].text == "*:443");
  CHECK(after[1].text == "*:80");
}

TEST_CASE("each thread has sockets of its own, or its copy of the one that all share") {
  Change change;
  open(change, "own", 80, false, false, 3);
  open(change, "shared", 443, true, true, 1);
  const auto parts = proxy::divide(change, nullptr, 2, 50);
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].sockets.size() == 3);
  CHECK(parts[1].sockets.size() == 2);
  for (const auto& part : parts) {
    CHECK(part.max_clients == 50);
    CHECK(part.sockets.back().address == "shared");
    CHECK(part.sockets.back().speaks.tls);
    CHECK(part.sockets.back().fd);
  }
}
