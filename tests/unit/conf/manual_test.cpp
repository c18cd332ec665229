#include "conf/manual.h"

#include <doctest/doctest.h>

#include <sstream>

#include "conf/reference.h"
#include "runtime/text.h"

TEST_CASE("the manual has every table and every key of the example of every setting") {
  const std::string manual = conf::settings_manual();
  std::istringstream lines(conf::every_setting(/*with_examples=*/true));
  std::size_t keys = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    if (line.empty() || line.front() == '#' || line.front() == '[' || equals == std::string::npos) continue;
    CAPTURE(line);
    CHECK(manual.find("\n*" + runtime::scdoc(line.substr(0, equals)) + "* (") != std::string::npos);
    ++keys;
  }
  CHECK(keys > 60);
  CHECK(manual.starts_with("## [listen]\n"));
  CHECK(manual.find("\n## [apps.NAME]\n") != std::string::npos);
}
