#include <sys/types.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "play.h"

namespace {

constexpr int kWorkers = 2, kQueue = 4;
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[metrics]
listen = "127.0.0.1:$TLS"
[log]
access = "off"
[apps.app]
wsgi = "app:app"
python = "$PYTHON"
workers = 2
threads = 1
queue_size = 4
queue_timeout = "1h"
request_timeout = "1h"
)";

// Answers "PID BEGAN ENDED", by the clock that all processes share.
constexpr const char* kApp = R"(
import os, time

def app(environ, start_response):
    began = time.monotonic()
    time.sleep(0.02)  # the work
    text = b"%d %f %f" % (os.getpid(), began, time.monotonic())
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text]
)";

/// What a worker says of itself.
struct Work {
  int requests = 0;
  double first = 0, last = 0, busy = 0;  // seconds; `busy`: at work, of those between the two
};

/// Clients that ask again when they have been served, and, if refused, when anybody has been: where two more
/// come than there are places, three requests come for each one served, however fast the machine is.
class Crowd {
 public:
  Crowd(std::uint16_t port, std::uint64_t goal) : port_(port), goal_(goal) {}

  void run(int clients) {
    std::vector<std::thread> threads;
    for (int i = 0; i < clients; ++i) threads.emplace_back([this] { ask_and_ask(); });
    for (std::thread& thread : threads) thread.join();
  }

  std::uint64_t served() const { return served_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t others() const { return others_; }  ///< neither 200 nor 503 with Retry-After
  const std::map<pid_t, Work>& works() const { return works_; }
  bool is_over() const {
    const std::lock_guard lock(mutex_);
    return served_ >= goal_;
  }

 private:
  void ask_and_ask() {
    std::unique_lock lock(mutex_);
    while (served_ < goal_) {
      const std::uint64_t seen = served_;
      lock.unlock();
      const play::Answer answer = play::get(port_);
      lock.lock();
      if (answer.status == 200) {
        note(answer.body);
      } else {
        ++(answer.status == 503 && !answer.field("Retry-After").empty() ? refused_ : others_);
        more_.wait_for(lock, play::kPatience, [&] { return served_ != seen; });
      }
    }
  }

  void note(const std::string& body) {
    pid_t pid = 0;
    double began = 0, ended = 0;
    std::istringstream(body) >> pid >> began >> ended;
    Work& work = works_[pid];
    if (work.requests++ == 0) work.first = began;
    work.first = std::min(work.first, began);
    work.last = std::max(work.last, ended);
    work.busy += ended - began;
    ++served_;
    more_.notify_all();
  }

  const std::uint16_t port_;
  const std::uint64_t goal_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable more_;
  std::uint64_t served_ = 0, refused_ = 0, others_ = 0;
  std::map<pid_t, Work> works_;
};

}  // namespace

TEST_CASE(
    "three times the load that an app can serve: it works all along, and who is too many hears so at once") {
  const play::Folder folder;
  folder.write("app.py", kApp);
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();

  Crowd crowd(portherd.port(), 300);
  std::thread runs([&] { crowd.run(kWorkers + kQueue + 2); });
  std::uint64_t bad = 0;
  int longest = 0;
  do {
    const play::Status status = portherd.status();
    longest = std::max(longest, status.app("app").queue);
    const bool is_well = status.exit_status == 0 && status.app("app").busy <= kWorkers &&
                         play::get(portherd.tls_port(), "/-/healthy").status == 200 &&
                         play::get(portherd.tls_port(), "/-/ready").status == 200;
    if (!is_well) ++bad;
  } while (!crowd.is_over());
  runs.join();

  CHECK(bad == 0);
  CHECK(longest <= kQueue);
  CHECK(crowd.others() == 0);
  CHECK(crowd.refused() >
        crowd.served() / 2);  // two for each one served; less where two are served in the same moment
  REQUIRE(crowd.works().size() == kWorkers);
  for (const auto& [pid, work] : crowd.works()) {
    // Refusals leave it to work. A generous bound, for a machine may be slow; the figure itself:
    // bench/overload.py.
    CAPTURE(work.busy / (work.last - work.first));
    CHECK(work.busy > (work.last - work.first) / 2);
  }
}
