#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "play.h"

namespace {

constexpr int kClients = 200, kWorkers = 2, kShort = 1, kLong = 3;

// One thread of the front: it notices the clients one after the other.
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
threads = 1
[log]
access = { path = "access.log" }
[apps.app]
workers = 2
queue_timeout = "1h"
request_timeout = "1h"
)";
constexpr const char* kCommand = R"(
command = ["$PYTHON", "$APPS/works.py"]
)";
// As tests/apps/works.py.
constexpr const char* kWsgi = R"(
import os, threading, time

BEAT = 0.05
lock = threading.Lock()
now = most = 0

def app(environ, start_response):
    global now, most
    with lock:
        now += 1
        most = max(most, now)
    what, _, name = environ["PATH_INFO"][1:].partition("/")
    if what == "hold":
        open("hold-" + name).read()
    else:
        for _ in range(int(what)):
            time.sleep(BEAT - time.monotonic() % BEAT)
    with lock:
        now -= 1
        text = b"%d %d" % (os.getpid(), most)
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text]
)";

play::Peer ask(const play::Supervisor& portherd, const std::string& path) {
  play::Peer client = play::connect(portherd.port());
  client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
  return client;
}

/// What each worker has done, and the most that it ever had at the same time.
struct Work {
  int requests = 0, most = 0;
};

/// A request as its event tells it, in milliseconds by one clock. When it came is cut off, and with it when it
/// left the line; how long a worker had it is not.
struct Turn {
  pid_t worker = 0;
  double came = 0, dispatched = 0, ended = 0;
  bool is_held = false;  ///< by the test
};

long long milliseconds_of(
    const std::string& time) {  // 2026-01-02T03:04:05.678Z; two that are compared lie less than a day apart
  const auto part = [&](std::size_t at, std::size_t size) { return std::stoll(time.substr(at, size)); };
  return ((part(8, 2) * 24 + part(11, 2)) * 60 + part(14, 2)) * 60'000 + part(17, 2) * 1000 + part(20, 3);
}

std::vector<Turn> read_turns(const std::string& log) {
  std::vector<Turn> turns;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const auto event = nlohmann::json::parse(line);
    const auto came = static_cast<double>(milliseconds_of(event["time"].get<std::string>()));
    turns.push_back({.worker = event["pid"].get<pid_t>(),
                     .came = came,
                     .dispatched = came + event["queue_ms"].get<double>(),
                     .ended = came + event["total_ms"].get<double>(),
                     .is_held = event["path"].get<std::string>().starts_with("/hold/")});
  }
  return turns;
}

/// Pairs of which the one that surely came later was surely dispatched first.
int count_overtaken(const std::vector<Turn>& turns) {
  int overtaken = 0;
  for (const Turn& first : turns) {
    for (const Turn& second : turns) {
      if (first.is_held || second.is_held) continue;
      if (first.came + 1 < second.came && second.dispatched + 2 < first.dispatched) ++overtaken;
    }
  }
  return overtaken;
}

/// How many requests a worker had on average while anybody was in line, from its first one of those on.
double mean_in_flight(const std::vector<Turn>& turns, pid_t worker) {
  double first = 0, last = 0, held = 0;
  for (const Turn& turn : turns) {
    if (turn.is_held) continue;
    last = std::max(last, turn.dispatched);
    if (turn.worker == worker && (first == 0 || turn.dispatched < first)) first = turn.dispatched;
  }
  for (const Turn& turn : turns) {
    if (turn.worker != worker) continue;
    held += std::max(0.0, std::min(turn.ended, last) - std::max(turn.dispatched, first));
  }
  return held / (last - first);
}

}  // namespace

TEST_CASE("200 clients in line are served in the order in which they came, by whoever has least to do") {
  const play::Folder folder;
  folder.write("app.py", kWsgi);
  std::string app = kCommand;
  int slots = 1;
  bool is_mixed = true;
  SUBCASE("one slot, all equally long") {
    app += "concurrency = 1\n";
    is_mixed = false;
  }
  SUBCASE("one slot, long and short") {
    app += "concurrency = 1\n";
  }
  SUBCASE("four slots, all equally long") {
    app += "concurrency = 4\n";
    slots = 4;
    is_mixed = false;
  }
  SUBCASE("four threads of WSGI, long and short") {
    app = "wsgi = \"app:app\"\npython = \"$PYTHON\"\nthreads = 4\n";
    slots = 4;
  }
  auto portherd = play::Supervisor::serve(folder, kConfig + app);
  portherd.wait_ready();

  // Every slot is held while the clients line up.
  std::vector<play::Peer> held, clients;
  for (int i = 0; i < kWorkers * slots; ++i) {
    const std::string name = std::to_string(i);
    REQUIRE(::mkfifo((folder / ("hold-" + name)).c_str(), 0600) == 0);
    held.push_back(ask(portherd, "/hold/" + name));
  }
  const auto beats = [&](int client) { return is_mixed && client % 2 == 1 ? kLong : kShort; };
  for (int i = 0; i < kClients; ++i) clients.push_back(ask(portherd, "/" + std::to_string(beats(i))));
  portherd.wait_until("all are in line", [&](const play::Status& status) {
    return status.app("app").queue == kClients && status.app("app").busy == kWorkers * slots;
  });
  for (int i = 0; i < kWorkers * slots; ++i) folder.write("hold-" + std::to_string(i), "");

  std::map<pid_t, Work> done;
  for (int i = 0; i < kClients; ++i) {
    const play::Answer answer = clients[static_cast<std::size_t>(i)].read_answer();
    REQUIRE(answer.status == 200);
    pid_t pid = 0;
    int most = 0;
    std::istringstream(answer.body) >> pid >> most;
    Work& work = done[pid];
    ++work.requests;
    work.most = std::max(work.most, most);
  }
  for (play::Peer& client : held) CHECK(client.read_answer().status == 200);

  REQUIRE(done.size() == kWorkers);
  const Work &one = done.begin()->second, &other = done.rbegin()->second;
  CHECK(one.most == slots);
  CHECK(other.most == slots);
  if (!is_mixed) {  // 5 %, and a request of the last round for each slot
    CHECK(std::abs(one.requests - other.requests) < kClients / 20 + slots);
  }

  std::vector<Turn> turns;
  portherd.wait_until("every request is in the log", [&](const play::Status&) {
    turns = read_turns(folder.read("access.log"));
    return turns.size() == clients.size() + held.size();
  });
  CHECK(count_overtaken(turns) == 0);
  // No slot is free while somebody waits: so whoever has less to do, for it is faster or its requests are
  // short, gets more.
  for (const auto& [pid, work] : done) CHECK(mean_in_flight(turns, pid) > 0.95 * slots);
}
