// The role of the front, with scripted processes: each notes what it hears and says what the test tells it to. Who is the
// n-th has the folder front.N; what it does instead of starting is in behaviour.N.
#include "supervisor/front.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "conf/program.h"
#include "doctest_precompiled.h"
#include "supervisor/spool.h"

using namespace supervisor;
using Json = nlohmann::json;

namespace {

constexpr const char* kFront = R"(
import json, os, select, socket, sys
channel = socket.socket(fileno=3)
def say(**order): channel.send(json.dumps(order).encode())
number = 1
while True:
    home = "%s/front.%d" % (sys.argv[1], number)
    try: os.mkdir(home); break
    except FileExistsError: number += 1
os.chmod(home, 0o777)
os.mkfifo(home + "/said.new", 0o666)
os.chmod(home + "/said.new", 0o666)
said = os.open(home + "/said.new", os.O_RDWR)
os.rename(home + "/said.new", home + "/said")
try: behaviour = open("%s/behaviour.%d" % (sys.argv[1], number)).read()
except FileNotFoundError: behaviour = ""
while True:
    there = select.select([channel, said], [], [])[0]
    if said in there:
        for order in os.read(said, 4096).splitlines():
            if order == b"end": sys.exit(0)
            channel.send(order)
    if channel not in there: continue
    text, fds, flags, address = socket.recv_fds(channel, 65536, 64)
    if not text: break
    order = json.loads(text)
    with open(home + "/notes", "a") as notes: notes.write("%s %s\n" % (order["order"], order.get("id", order.get("worker", order.get("at_once", "")))))
    for fd in fds: os.close(fd)
    if order["order"] == "begin":
        if behaviour == "exits": sys.exit(7)
        elif behaviour == "trouble": say(order="trouble", sentence="this key is no key")
        elif behaviour != "waits": say(order="started", threads=0, landlock=0, unfenced="")
    if order["order"] == "drain" and order["at_once"]: break
)";

/// The first front of it has started.
struct Stage {
  Stage() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    std::filesystem::permissions(folder, std::filesystem::perms::all);  // the front is not root when we are
    settings.log.access.is_on = false;
    settings.listen.http.push_back(*conf::parse_address("127.0.0.1:0"));
    conf::settle(settings);
    listeners = std::make_unique<Listeners>(std::move(*Listeners::open(settings.listen, settings.metrics, 1, {})));
    logs = std::move(*open_logs(settings.log));
    spool = std::move(*open_spool(folder));
    account = *front_account(settings.front);
    const auto python = conf::find_program("python3", "/usr/bin:/bin:/usr/local/bin", "/");
    REQUIRE(python.has_value());
    front = std::make_unique<Front>(
        FrontGround{reaper, settings, apps, *listeners, logs, spool, fence, folder, boards, account,
                    FrontProgram{.path = *python, .arguments = {"-c", kFront, folder}}},
        FrontCalls{.on_started = runtime::bind<&Stage::on_started>(this),
                   .on_probed = runtime::bind<&Stage::on_probed>(this),
                   .on_drained = runtime::bind<&Stage::on_drained>(this),
                   .on_stuck = runtime::bind<&Stage::on_stuck>(this),
                   .on_unstuck = runtime::bind<&Stage::on_unstuck>(this),
                   .on_lost = runtime::bind<&Stage::on_lost>(this),
                   .on_gone = runtime::bind<&Stage::on_gone>(this)});
    REQUIRE(front->start().has_value());
    turn_until([&] { return starts == 1; });
  }
  ~Stage() {
    front->abandon();
    std::filesystem::remove_all(folder);
  }

  void on_started() { ++starts; }
  void on_probed(const upstream::Probed& told) { heard.push_back("probed " + std::to_string(told.worker)); }
  void on_drained(const upstream::Drained& told) { heard.push_back("drained " + std::to_string(told.worker)); }
  void on_stuck(const upstream::Stuck& told) { heard.push_back("stuck " + told.exchange); }
  void on_lost(const upstream::Lost& told) {
    heard.push_back("lost " + std::to_string(told.worker) + " " + std::to_string(told.requests));
  }
  void on_unstuck(const upstream::Unstuck& told) { heard.push_back("unstuck " + told.exchange); }
  void on_gone(bool has_drained) { heard.push_back(has_drained ? "gone" : "never started"); }

  /// Looks again every few milliseconds; fails after a minute.
  void turn_until(const std::function<bool()>& it_is_so) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!it_is_so()) {
      REQUIRE(std::chrono::steady_clock::now() < patience);
      look.arm(std::chrono::milliseconds(5));
      loop.turn(true);
    }
  }
  void on_look() {}

  void let(int number, const std::string& behaviour) const {
    std::ofstream(folder + "/behaviour." + std::to_string(number)) << behaviour;
  }
  std::string notes(int number) const {
    std::ifstream file(folder + "/front." + std::to_string(number) + "/notes");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void wait_note(int number, const std::string& text) {
    turn_until([&] { return notes(number).find(text) != std::string::npos; });
  }
  void say(int number, const std::string& line) const {
    const runtime::Fd pipe(::open((folder + "/front." + std::to_string(number) + "/said").c_str(), O_WRONLY | O_CLOEXEC));
    const std::string text = line + "\n";
    REQUIRE(::write(pipe.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void say(int number, const upstream::Order& order) const { say(number, upstream::encode(order)); }
  std::size_t count(const std::string& what) const {
    return static_cast<std::size_t>(std::ranges::count(heard, what));
  }
  void wait_heard(const std::string& what) {
    turn_until([&] { return count(what) > 0; });
  }

  void replace() {
    const auto begun = front->replace([&](runtime::Result<void> how) { replaced.push_back(how ? "" : how.error().text()); });
    REQUIRE_MESSAGE(begun.has_value(), begun.error().text());
  }
  /// Its text: empty, it has come about.
  std::string wait_replaced() {
    const std::size_t before = replaced.size();
    replace();
    turn_until([&] { return replaced.size() > before; });
    return replaced.back();
  }

  std::string folder = "/tmp/portherd-front-XXXXXX";
  runtime::Loop loop;
  runtime::Timer look{loop, runtime::bind<&Stage::on_look>(this)};
  Reaper reaper{loop};
  conf::Settings settings;
  std::vector<upstream::AppIndex> apps;
  std::unique_ptr<Listeners> listeners;
  LogFiles logs;
  runtime::Fd spool;
  supervisor::Fence fence;
  Boards boards{std::move(*upstream::Scoreboard::make()), std::move(*upstream::HerdBoard::make("test-herd", false))};
  Account account;
  std::unique_ptr<Front> front;
  int starts = 0;
  std::vector<std::string> heard;     // in the order in which it was
  std::vector<std::string> replaced;  // what came of each replace()
};

upstream::Publish publish(upstream::WorkerId id) { return {{.id = id, .slot = 1, .pid = 1, .socket = "s"}}; }

}  // namespace

TEST_CASE("another front takes over: it knows the workers, then the old one drains, and ends when it is done") {
  Stage stage;
  const pid_t old = stage.front->pid();
  stage.front->tell(publish(5));
  stage.front->tell(upstream::Probe{{.id = 6, .slot = 2, .pid = 2, .socket = "s"}, ""});
  CHECK(stage.wait_replaced() == "");
  CHECK(stage.front->pid() != old);
  stage.wait_note(1, "drain False\n");
  stage.wait_note(2, "begin \nprobe 6\n");
  CHECK(stage.notes(2).find("publish 5\nbegin \n") != std::string::npos);
  CHECK(stage.boards.fronts.is_shared());

  stage.front->tell(publish(7));  // both hear of what comes
  stage.wait_note(1, "publish 7\n");
  stage.wait_note(2, "publish 7\n");
  stage.say(1, upstream::Probed{0, 6, true, ""});  // not its business any more
  stage.say(1, "end");
  stage.turn_until([&] { return !stage.boards.fronts.is_shared(); });
  stage.say(2, upstream::Probed{0, 6, true, ""});
  stage.wait_heard("probed 6");
  CHECK(stage.count("probed 6") == 1);
  CHECK(stage.replaced.size() == 1);
}

TEST_CASE("a new front that does not start leaves the old one as it is, and says why") {
  Stage stage;
  const pid_t old = stage.front->pid();
  stage.let(2, "exits");
  CHECK(stage.wait_replaced().find("did not start: exit status 7") != std::string::npos);
  stage.let(3, "trouble");
  CHECK(stage.wait_replaced().find("did not start: this key is no key") != std::string::npos);
  CHECK(stage.front->pid() == old);
  CHECK(stage.notes(1).find("drain") == std::string::npos);
  CHECK_FALSE(stage.boards.fronts.is_shared());
  CHECK(stage.wait_replaced() == "");  // and may be tried again
}

TEST_CASE("one replacement at a time") {
  Stage stage;
  stage.let(2, "waits");
  stage.replace();
  const auto second = stage.front->replace([](const auto&) { FAIL("never called"); });
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().text().find("being replaced already") != std::string::npos);
}

TEST_CASE("who waits until it is settled is called when the front that starts has started, one after the other") {
  Stage stage;
  stage.let(2, "waits");
  stage.replace();
  CHECK_FALSE(stage.front->is_settled());
  std::vector<std::string> called;
  stage.front->when_settled([&] {
    called.emplace_back("first");
    stage.replace();
  });
  stage.front->when_settled([&] { called.emplace_back("second"); });
  stage.wait_note(2, "begin \n");
  CHECK(called.empty());
  stage.say(2, upstream::Started{1});
  stage.turn_until([&] { return called.size() == 1; });
  CHECK(called.back() == "first");
  stage.turn_until([&] { return called.size() == 2; });
  CHECK(stage.replaced == std::vector<std::string>{"", ""});  // what the first has begun is over
}

TEST_CASE("who waits until it is settled is called, too, when a front that dies is followed by another, and at the end") {
  Stage stage;
  stage.let(2, "waits");
  ::kill(stage.front->pid(), SIGKILL);
  stage.turn_until([&] { return !stage.front->is_settled(); });
  int called = 0;
  stage.front->when_settled([&] { ++called; });
  stage.wait_note(2, "begin \n");
  CHECK(called == 0);
  stage.say(2, upstream::Started{1});
  stage.turn_until([&] { return called == 1; });
  CHECK(stage.front->is_settled());
  stage.let(3, "waits");
  stage.replace();
  stage.front->when_settled([&] { ++called; });
  stage.front->drain();
  stage.turn_until([&] { return called == 2; });
}

TEST_CASE("who drains hears of a change when the one that serves has said yes, and never of one that it has refused") {
  Stage stage;
  CHECK(stage.wait_replaced() == "");
  std::vector<std::string> changed;
  const auto change = [&] {
    const auto begun = stage.front->change({stage.settings, stage.apps, *stage.listeners, {}, stage.logs},
                                           [&](runtime::Result<void> how) { changed.push_back(how ? "" : how.error().text()); });
    REQUIRE_MESSAGE(begun.has_value(), begun.error().text());
  };
  const auto configured = [&](int number) {
    const std::string notes = stage.notes(number);
    std::size_t times = 0;
    for (std::size_t at = 0; (at = notes.find("configure ", at)) != std::string::npos; ++at) ++times;
    return times;
  };
  change();
  stage.turn_until([&] { return configured(2) == 2; });
  stage.front->tell(publish(5));
  stage.wait_note(1, "publish 5\n");
  CHECK(configured(1) == 1);
  stage.say(2, upstream::Changed{.version = 2, .refused = "no"});
  stage.turn_until([&] { return changed.size() == 1; });
  CHECK(changed[0] == "no");
  change();
  stage.say(2, upstream::Changed{.version = 3});
  stage.turn_until([&] { return changed.size() == 2 && configured(1) == 2; });
  CHECK(changed[1] == "");
}

TEST_CASE("a worker has drained when each front has said so that knew it, or has ended") {
  Stage stage;
  stage.front->tell(publish(5));
  stage.front->tell(publish(6));
  CHECK(stage.wait_replaced() == "");
  stage.front->tell(upstream::Unpublish{0, 5});
  stage.front->tell(upstream::Unpublish{0, 6});
  stage.wait_note(1, "unpublish 6\n");
  stage.wait_note(2, "unpublish 6\n");
  stage.say(2, upstream::Drained{0, 5});
  stage.say(2, upstream::Drained{0, 6});
  stage.say(2, upstream::Stuck{0, 5, "marker"});
  stage.wait_heard("stuck marker");
  CHECK(stage.count("drained 5") == 0);
  stage.say(1, upstream::Drained{0, 5});
  stage.wait_heard("drained 5");
  CHECK(stage.count("drained 6") == 0);
  stage.say(1, "end");
  stage.wait_heard("drained 6");
  CHECK(stage.count("drained 5") == 1);
}

TEST_CASE("what was stuck in a front that has ended is not stuck any more") {
  Stage stage;
  stage.front->tell(publish(5));
  stage.say(1, upstream::Stuck{0, 5, "came back"});
  stage.say(1, upstream::Unstuck{0, 5, "came back"});
  stage.say(1, upstream::Stuck{0, 5, "lost"});
  stage.wait_heard("stuck lost");
  CHECK(stage.wait_replaced() == "");
  stage.say(2, upstream::Stuck{0, 5, "of the new one"});
  stage.wait_heard("stuck of the new one");
  stage.say(1, "end");
  stage.wait_heard("unstuck lost");
  CHECK(stage.count("unstuck came back") == 1);
  CHECK(stage.count("unstuck of the new one") == 0);
}

TEST_CASE("what a worker's end has cost is said once by each front that was asked, or has ended without an answer") {
  Stage stage;
  stage.front->tell(publish(5));
  CHECK(stage.wait_replaced() == "");
  REQUIRE(stage.front->count() == 2);
  stage.front->tell(upstream::Ended{.app = 0, .worker = 5, .unexpected = true});
  stage.front->tell(upstream::Ended{.app = 0, .worker = 6, .unexpected = false});
  stage.say(2, upstream::Lost{.app = 0, .worker = 5, .requests = 3, .ages = {}});
  stage.wait_heard("lost 5 3");
  stage.say(1, "end");
  stage.wait_heard("lost 5 0");
  CHECK(stage.count("lost 5 3") == 1);
  CHECK(stage.count("lost 6 0") == 0);
}

TEST_CASE("two drain beside the one that serves; for a third the oldest is cut") {
  Stage stage;
  for (int i = 0; i < 3; ++i) CHECK(stage.wait_replaced() == "");
  // Until that has gone there is no room for one more beside it.
  const auto at_once = stage.front->may_be_saved();
  REQUIRE_FALSE(at_once.has_value());
  CHECK(at_once.error().text().find("is being cut; try again soon") != std::string::npos);
  stage.turn_until([&] { return stage.front->may_be_saved().has_value(); });
  stage.wait_note(1, "drain True\n");
  stage.wait_note(3, "drain False\n");
  CHECK(stage.notes(2).find("drain True") == std::string::npos);
}

TEST_CASE("if the one that serves dies while another starts, that has its place; if it dies alone, one is started") {
  Stage stage;
  stage.let(2, "waits");
  stage.replace();
  stage.wait_note(2, "begin \n");
  const pid_t first = stage.front->pid();
  ::kill(first, SIGKILL);
  stage.turn_until([&] { return stage.front->pid() != first; });
  CHECK(stage.replaced.empty());
  stage.say(2, upstream::Started{1});
  stage.turn_until([&] { return stage.replaced.size() == 1; });
  CHECK(stage.replaced[0] == "");
  ::kill(stage.front->pid(), SIGKILL);
  stage.wait_note(3, "begin \n");
}

TEST_CASE("what is told to a front that is being started is obeyed when that one says so, not before") {
  Stage stage;
  stage.let(2, "waits");
  ::kill(stage.front->pid(), SIGKILL);
  stage.wait_note(2, "begin \n");
  bool is_obeyed = false;
  REQUIRE(stage.front->confirm([&](const auto&) { is_obeyed = true; }).has_value());
  stage.say(2, upstream::Started{1});
  stage.turn_until([&] { return stage.starts == 2; });
  CHECK_FALSE(is_obeyed);
  stage.say(2, upstream::Changed{.version = 2});
  stage.turn_until([&] { return is_obeyed; });
}

TEST_CASE("who waits for an order waits for the front that takes over meanwhile: it was told, and need not have heard") {
  for (const bool ends_first : {false, true}) {
    CAPTURE(ends_first);
    Stage stage;
    stage.let(2, "waits");
    stage.replace();
    stage.wait_note(2, "begin \n");
    bool is_obeyed = false;
    REQUIRE(stage.front->confirm([&](const auto&) { is_obeyed = true; }).has_value());
    const pid_t first = stage.front->pid();
    if (ends_first) {
      ::kill(first, SIGKILL);
      stage.turn_until([&] { return stage.front->pid() != first; });
    }
    stage.say(2, upstream::Started{1});
    stage.turn_until([&] { return stage.starts == 2; });
    CHECK_FALSE(is_obeyed);
    stage.say(2, upstream::Changed{.version = 2});
    stage.turn_until([&] { return is_obeyed; });
  }
}

TEST_CASE("the end drains all fronts, and has come when the last has ended") {
  Stage stage;
  CHECK(stage.wait_replaced() == "");
  stage.let(3, "waits");
  stage.replace();
  stage.wait_note(3, "begin \n");
  stage.front->drain();
  for (const int number : {1, 2, 3}) stage.wait_note(number, "drain False\n");
  CHECK_FALSE(stage.front->replace([](const auto&) {}).has_value());
  stage.say(1, "end");
  stage.say(3, "end");
  stage.turn_until([&] { return !stage.boards.fronts.is_shared(); });
  CHECK(stage.count("gone") == 0);
  stage.say(2, "end");
  stage.wait_heard("gone");
  CHECK(stage.replaced.back().find("everything is ending") != std::string::npos);
}
