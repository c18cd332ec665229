// docs/configuration.md and examples/every-setting/portherd.toml are what the table of settings says. After a
// change of the table: PORTHERD_REGENERATE=1 unit_conf
#include "conf/reference.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "conf/load.h"

namespace {

std::string const kPage = SOURCE_DIR "/docs/configuration.md";
std::string const kExample = SOURCE_DIR "/examples/every-setting/portherd.toml";

void check_same(std::string const& file, std::string const& wanted) {
  if (std::getenv("PORTHERD_REGENERATE") != nullptr) std::ofstream(file, std::ios::binary) << wanted;
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  CHECK_MESSAGE(text.str() == wanted,
                file << " is not what conf/keys.h says; write it anew: PORTHERD_REGENERATE=1 unit_conf");
}

}  // namespace

TEST_CASE("docs/configuration.md is made from the table") {
  check_same(kPage, conf::configuration_page());
}

TEST_CASE("examples/every-setting is made from the table") {
  check_same(kExample, conf::every_setting());
}

TEST_CASE("the example of every setting is read without a problem and changes no default") {
  conf::Loaded const loaded = conf::load_text(conf::every_setting(), "every-setting");
  for (conf::Problem const& problem : loaded.problems) FAIL_CHECK(text(problem));
  conf::Settings expected;
  expected.listen.http = {*conf::parse_address("127.0.0.1:8000")};
  conf::App app;
  app.name = "hello";
  app.wsgi = "hello:app";
  expected.apps = {app};
  conf::settle(expected);
  CHECK(loaded.settings == expected);
}

TEST_CASE("every example is read without a problem") {
  std::size_t examples = 0;
  for (auto const& entry : std::filesystem::directory_iterator(SOURCE_DIR "/examples")) {
    std::string const file = (entry.path() / "portherd.toml").string();
    if (!std::filesystem::exists(file)) continue;
    ++examples;
    for (conf::Problem const& problem : conf::load(file).problems) FAIL_CHECK(text(problem));
  }
  CHECK(examples > 0);
}
