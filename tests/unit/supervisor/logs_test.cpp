#include "supervisor/logs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "doctest_precompiled.h"

namespace {

struct Pipe {
  Pipe() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    REQUIRE(::mkfifo(log.error.path.append(folder).append("/log").c_str(), 0600) == 0);
    log.access.is_on = false;
  }
  ~Pipe() { std::filesystem::remove_all(folder); }
  std::string folder = "/tmp/portherd-logs-XXXXXX";
  conf::Log log;
};

}  // namespace

TEST_CASE("a log that nobody reads is refused, not waited for") {
  const Pipe pipe;
  const auto opened = supervisor::open_logs(pipe.log);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().text().starts_with("cannot open the log " + pipe.log.error.path + ": nobody reads there"));
}

TEST_CASE("a log whose reader has stopped reading holds up nobody") {
  const Pipe pipe;
  const runtime::Fd reader(::open(pipe.log.error.path.c_str(), O_RDONLY | O_NONBLOCK));
  const auto opened = supervisor::open_logs(pipe.log);
  REQUIRE_MESSAGE(opened.has_value(), opened.error().text());
  const std::string line(1024, 'x');
  while (::write(opened->error.get(), line.data(), line.size()) > 0) {
  }
  CHECK(errno == EAGAIN);
}
