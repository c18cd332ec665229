// Where the lines of the access log go, and what happens when they cannot.
#include "proxy/access_log.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "doctest_precompiled.h"

namespace {

using proxy::AccessEvent;
using proxy::AccessLog;

conf::AccessLog to_file() {
  conf::AccessLog settings;
  settings.format = conf::AccessFormat::kCombined;
  return settings;
}

AccessEvent event_of(std::string_view path, std::uint16_t status = 200) {
  AccessEvent event;
  event.client.family = AF_UNIX;
  event.method = "GET";
  event.target = event.path = path;
  event.status = status;
  return event;
}

/// A file in memory, and a second descriptor to look into it.
struct File {
  File() : seen(::memfd_create("log", MFD_CLOEXEC)), given(runtime::duplicate(seen.get())) {}
  std::string text() const {
    std::string all;
    char buffer[65536];
    off_t at = 0;
    for (ssize_t n = 0; (n = ::pread(seen.get(), buffer, sizeof buffer, at)) > 0; at += n)
      all.append(buffer, static_cast<std::size_t>(n));
    return all;
  }
  long lines() const {
    const std::string all = text();
    return std::count(all.begin(), all.end(), '\n');
  }
  runtime::Fd seen, given;
};

}  // namespace

TEST_CASE("events wait for the file, and all of them are in it when the log has gone") {
  File file;
  {
    AccessLog log;
    log.write(event_of("/before"), to_file());
    log.reopen(std::move(file.given));
    log.write(event_of("/after"), to_file());
  }
  CHECK(file.lines() == 2);
  CHECK(file.text().find("/before") < file.text().find("/after"));
}

TEST_CASE("an event is in the old file or in the new one, never lost, whatever thread writes it") {
  File first, second;
  constexpr int kThreads = 3, kEvents = 500;
  {
    AccessLog log;
    log.reopen(std::move(first.given));
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&log] {
        for (int n = 0; n < kEvents; ++n) log.write(event_of("/"), to_file());
      });
    }
    log.reopen(std::move(second.given));
    for (std::thread& thread : threads) thread.join();
    log.write(event_of("/last"), to_file());
  }
  CHECK(first.lines() + second.lines() == kThreads * kEvents + 1);
  CHECK(second.text().find("/last") != std::string::npos);
}

TEST_CASE("paths in skip are worth a line only if they fail or are slow") {
  using namespace std::chrono_literals;
  conf::AccessLog settings = to_file();
  settings.skip = {"/healthz"};
  File file;
  {
    AccessLog log;
    log.reopen(std::move(file.given));
    log.write(event_of("/healthz"), settings);
    log.write(event_of("/healthz2"), settings);
    log.write(event_of("/healthz", 503), settings);
    AccessEvent broken = event_of("/healthz");
    broken.outcome = proxy::kAnswerCut;
    log.write(broken, settings);
  }
  CHECK(file.lines() == 3);

  settings.slow = 100ms;
  File slow;
  {
    AccessLog log;
    log.reopen(std::move(slow.given));
    AccessEvent event = event_of("/healthz");
    event.total = 99ms;
    log.write(event, settings);
    event.total = 100ms;
    log.write(event, settings);
  }
  CHECK(slow.lines() == 1);
}

TEST_CASE("a log that nobody empties takes a bounded memory, and drops what does not fit") {
  AccessLog log;  // no file came
  const std::string path(1000, 'x');
  for (int i = 0; i < 3000; ++i) log.write(event_of(path), to_file());
  File file;
  log.reopen(std::move(file.given));
  // The writer empties it; then events fit again.
  while (file.lines() == 0) std::this_thread::yield();
  log.write(event_of("/fits"), to_file());
  while (file.text().find("/fits") == std::string::npos) std::this_thread::yield();
  CHECK(file.text().size() <= 1024 * 1024 + 1000);
  CHECK(file.lines() > 900);
  CHECK(file.lines() < 1100);
}
