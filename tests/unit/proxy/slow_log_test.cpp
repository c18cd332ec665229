// Which requests are slow, and how a worker's stack finds the line of its exchange.
#include "proxy/slow_log.h"

#include <sys/mman.h>
#include <unistd.h>

#include "doctest_precompiled.h"
#include "runtime/log.h"

namespace {

using namespace std::chrono_literals;
using proxy::AccessEvent;
using proxy::SlowLog;

/// What `act` says in the error log.
std::string said_of(const auto& act) {
  const runtime::Fd file(::memfd_create("error.log", MFD_CLOEXEC));
  runtime::log_to(runtime::duplicate(file.get()));
  act();
  runtime::log_to(runtime::duplicate(STDERR_FILENO));
  std::string text(static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END)), '\0');
  REQUIRE(::pread(file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  return text;
}

AccessEvent event_of(std::string_view id, runtime::Microseconds total) {
  AccessEvent event;
  event.id = id;
  event.app = "shop";
  event.method = "GET";
  event.path = "/basket";
  event.total = total;
  event.queue = 1500us;
  event.client.family = AF_UNIX;
  return event;
}

}  // namespace

TEST_CASE("a slow request is one warning with what its event says") {
  SlowLog log;
  CHECK(said_of([&] { log.look_at(event_of("a", 99999us), 100ms); }).empty());
  const std::string line = said_of([&] { log.look_at(event_of("a", 100ms), 100ms); });
  for (const char* const part : {" warning ", "slow request id=a app=shop", "method=GET", "path=/basket", "queue_ms=1.500",
                                 "first_byte_ms=-", "total_ms=100.000", "outcome=ok", "stack=-\n"}) {
    CAPTURE(part);
    CHECK(line.find(part) != line.npos);
  }
}

TEST_CASE("what lives long by nature is not slow, and zero is off") {
  AccessEvent event = event_of("a", 100ms);
  event.lives_long = true;
  CHECK_FALSE(SlowLog::is_slow(event, 100ms));
  SlowLog off;
  CHECK_FALSE(SlowLog::is_slow(event_of("a", 1h), 0ms));
  CHECK(said_of([&] { off.look_at(event_of("a", 1h), 0ms); }).empty());
}

TEST_CASE("a stack that came before the end of its exchange stands in its line") {
  SlowLog log;
  log.on_stack("a", "in f\nin g");
  CHECK(said_of([&] { log.look_at(event_of("b", 1s), 100ms); }).find("stack=-") != std::string::npos);
  CHECK(said_of([&] { log.look_at(event_of("a", 1s), 100ms); }).find(R"(stack="in f\nin g")") != std::string::npos);
}

TEST_CASE("one that comes later has a line of its own, once") {
  SlowLog log;
  CHECK_FALSE(said_of([&] { log.look_at(event_of("a", 1s), 100ms); }).empty());
  CHECK(said_of([&] { log.on_stack("a", "in f"); }).find("stack of a slow request id=a stack=\"in f\"") != std::string::npos);
  CHECK(said_of([&] { log.on_stack("a", "in f"); }).empty());
}

TEST_CASE("stacks are remembered in a bounded number, the oldest goes") {
  SlowLog log;
  for (std::size_t i = 0; i <= SlowLog::kMost; ++i) log.on_stack(std::to_string(i), "in f");
  CHECK(said_of([&] { log.look_at(event_of("0", 1s), 100ms); }).find("stack=-") != std::string::npos);
  CHECK(said_of([&] { log.look_at(event_of("1", 1s), 100ms); }).find("stack=\"in f\"") != std::string::npos);
}
