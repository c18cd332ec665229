// `portherd upgrade`: another program goes on in the place of the running one, and nobody notices.
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "play.h"
#include "play_h2.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
drain_timeout = "20s"
[log]
access = "off"
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
workers = 2
[apps.chat]
hosts = ["chat"]
proxy = ["unix:chat.sock"]
)";

// In the folder of the test, where it can be replaced.
std::string put(const play::Folder& folder, const std::string& program) {
  const std::string draft = folder / "portherd.next";
  std::filesystem::copy_file(program, draft, std::filesystem::copy_options::overwrite_existing);
  std::filesystem::rename(draft, folder / "portherd");
  return folder / "portherd";
}
void put_text(const play::Folder& folder, std::string_view text) {
  const std::string draft = folder.write("portherd.next", text);
  std::filesystem::permissions(draft, std::filesystem::perms(0755));
  std::filesystem::rename(draft, folder / "portherd");
}

play::Ended upgrade(const play::Supervisor& portherd) {
  return play::portherd({"upgrade", "-c", portherd.config_file()});
}

// Clients that keep to the rules: one request after the other, another connection when they are told to.
class Clients {
 public:
  explicit Clients(std::uint16_t port) {
    for (int i = 0; i < 3; ++i) {
      threads_.emplace_back([this, port] { while (!is_enough_) h1(port); });
      threads_.emplace_back([this, port] { while (!is_enough_) h2(port); });
    }
  }
  ~Clients() { stop(); }
  void stop() {
    is_enough_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  std::atomic<std::size_t> served_h1 = 0, served_h2 = 0, failed = 0;

 private:
  void h1(std::uint16_t port) {
    play::Peer peer = play::connect(port);
    while (!is_enough_) {
      peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      const play::Answer answer = peer.read_answer();
      ++(answer.is_whole && answer.status == 200 ? served_h1 : failed);
      if (!answer.is_whole || answer.field("Connection") == "close") return;
    }
  }

  void h2(std::uint16_t port) {
    play::h2::Client client(play::connect(port));
    for (std::uint32_t stream = 1; !is_enough_; stream += 2) {
      client.send(play::h2::frame(play::h2::kHeaders, play::h2::kLast, stream,
                                  play::h2::block({{":method", "GET"},
                                                   {":scheme", "http"},
                                                   {":path", "/"},
                                                   {":authority", "a"}})));
      bool is_leaving = false;
      for (bool is_over = false; !is_over;) {
        const auto frame = client.next_or_end();
        if (!frame) {
          ++failed;
          return;
        }
        if (frame->type == play::h2::kGoaway) {
          is_leaving = true;
          if (frame->number() < stream) return;  // it was not taken: on another connection
        }
        if (frame->stream != stream) continue;
        if (frame->type == play::h2::kHeaders) ++(frame->status() == 200 ? served_h2 : failed);
        is_over = frame->has(play::h2::kEndStream);
      }
      if (is_leaving) return;
    }
  }

  std::atomic<bool> is_enough_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("five upgrades under load: no request fails, and the supervisor and its workers are the same processes") {
  const play::Folder folder;
  put(folder, play::path_of_portherd());
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const play::Status before = portherd.wait_ready();
  {
    Clients clients(portherd.port());
    std::set<pid_t> fronts{before.front};
    for (int i = 0; i < 5; ++i) {
      const std::size_t h1 = clients.served_h1, h2 = clients.served_h2;
      put(folder, play::path_of_portherd());
      const play::Ended ended = upgrade(portherd);
      CHECK(ended.status == 0);
      CHECK(ended.out == "upgraded from " + before.version + " to " + before.version + "\n");
      const play::Status after = portherd.status();
      CHECK(after.supervisor == before.supervisor);
      CHECK(after.app("who").ready() == before.app("who").ready());
      CHECK(fronts.insert(after.front).second);
      portherd.wait_until("the clients go on", [&](const play::Status&) {
        return clients.served_h1 > h1 + 20 && clients.served_h2 > h2 + 20;
      });
    }
    clients.stop();
    MESSAGE(clients.served_h1.load() << " requests over HTTP/1.1, " << clients.served_h2.load() << " over HTTP/2");
    CHECK(clients.failed == 0);
  }
  const play::Status after = portherd.status();
  CHECK(after.app("who").failed == 0);
  CHECK(after.app("who").served >= before.app("who").served);  // counters never fall

  SUBCASE("a worker that dies is replaced by the program that goes on") {
    ::kill(after.app("who").ready()[0], SIGKILL);
    portherd.wait_until("another one is ready", [&](const play::Status& now) {
      return now.app("who").ready().size() == 2 && now.app("who").ready() != after.app("who").ready();
    });
    portherd.expect_line("worker has ended unexpectedly");  // once the fronts have said what it had in flight
  }
  SUBCASE("it still stops in order") {}
}

TEST_CASE("USR2 upgrades, and a stop that comes in the middle of it is obeyed") {
  const play::Folder folder;
  put(folder, play::path_of_portherd());
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const play::Status before = portherd.wait_ready();
  portherd.signal(SIGUSR2);
  SUBCASE("alone") {
    portherd.expect_line("supervisor: upgraded");
    const play::Status after = portherd.status();
    CHECK(after.supervisor == before.supervisor);
    CHECK(after.app("who").ready() == before.app("who").ready());
  }
  SUBCASE("before it is asked") {
    CHECK(portherd.stop() == 0);
  }
  SUBCASE("as it is executed") {
    portherd.expect_line("handing over to another program");
    CHECK(portherd.stop() == 0);
  }
}

TEST_CASE("everything ends while the next program is asked: the command says so") {
  const play::Folder folder;
  put(folder, play::path_of_portherd());
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  put_text(folder, "#!/bin/sh\necho asked >asked.new; mv asked.new asked; exec sleep 1000\n");
  play::Ended ended;
  std::thread asking([&] { ended = upgrade(portherd); });
  portherd.wait_until("it is asked", [&](const play::Status&) { return std::filesystem::exists(folder / "asked"); });
  portherd.signal(SIGTERM);
  CHECK(portherd.wait_exit() == 0);
  asking.join();
  CHECK(ended.status == 1);
  CHECK_MESSAGE(ended.err == "portherd: everything is ending\n", ended.err);
}

TEST_CASE("a WebSocket lives on through the old front, until its time to drain is over and it is told so") {
  const play::Folder folder;
  put(folder, play::path_of_portherd());
  play::App chat(folder, "chat.sock");
  auto portherd = play::Supervisor::serve(folder, std::string(kConfig).replace(std::string(kConfig).find("20s"), 3, "4s"));
  portherd.wait_until("the worker is ready", [](const play::Status& now) { return now.app("who").ready().size() == 2; });
  play::Peer client = play::connect(portherd.port());
  client.send(
      "GET /chat HTTP/1.1\r\nHost: chat\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  play::Peer worker = chat.accept();
  worker.read_head();
  worker.send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  client.read_head();
  const pid_t old = portherd.status().front;

  CHECK(upgrade(portherd).status == 0);
  CHECK(portherd.status().front != old);
  worker.send("\x81\x02hi");
  CHECK(client.read(4) == "\x81\x02hi");
  client.send("\x81\x85....there");
  CHECK(worker.read(11) == "\x81\x85....there");

  CHECK(client.read(4) == "\x88\x02\x03\xf4");  // Close, 1012: nobody ends it but the old front
  CHECK(client.ends_well());
  play::wait_gone(old);
  CHECK(play::get(portherd.port()).status == 200);
  worker.close();
}

TEST_CASE("a program that cannot go on leaves everything as it was, and the command says why") {
  const play::Folder folder;
  put(folder, play::path_of_portherd());
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const play::Status before = portherd.wait_ready();
  std::string why;
  SUBCASE("it ends") {
    put_text(folder, "#!/bin/sh\nexit 1\n");
    why = "cannot go on here: exit status 1 without a word";
  }
  SUBCASE("it says why") {
    put_text(folder, "#!/bin/sh\necho 'portherd: the moon is full' >&2; exit 1\n");
    why = "cannot go on here: the moon is full";
  }
  SUBCASE("it is no program") {
    put_text(folder, "hello\n");
    why = "cannot start the program: Exec format error";
  }
  SUBCASE("nobody may execute it") {
    std::filesystem::permissions(folder / "portherd", std::filesystem::perms(0644));
    why = "Permission denied";
  }
  SUBCASE("it is not there") {
    std::filesystem::remove(folder / "portherd");
    why = "No such file or directory";
  }
  SUBCASE("it is another one, which agrees to everything") {
    put_text(folder, "#!/bin/sh\nexit 0\n");
    why = "is not portherd";
  }
  SUBCASE("another one is put in its place while it is asked") {
    put_text(folder, "#!/bin/sh\nexit 0\n");
    std::filesystem::rename(folder / "portherd", folder / "other");
    put_text(folder, "#!/bin/sh\nmv '" + (folder / "other") + "' '" + (folder / "portherd") + "'\necho portherd 9.9.9\n");
    why = "was replaced while it was asked";
  }
  SUBCASE("it thinks that it can, and finds that it cannot") {
    const std::string real = folder / "real";
    std::filesystem::copy_file(play::path_of_portherd(), real);
    put_text(folder, "#!" + play::python() + "\nREAL = '" + real + "'\n" + R"(
# What it hands to the real program is of a later format, so that one gives it back: to us, and we to the real one as it was.
import json, os, sys
if sys.argv[1] == "check":
    print("portherd 9.9.9")
    sys.exit(0)
environment = dict(os.environ)
if "FIRST" in environment:
    environment["PORTHERD_HANDED_ON"] = environment.pop("FIRST")
else:
    first = int(environment["PORTHERD_HANDED_ON"])
    state = json.loads(os.pread(first, os.fstat(first).st_size, 0))
    script = os.open(__file__, os.O_RDONLY)
    os.set_inheritable(script, True)
    state["format"], state["program"]["self"] = 99, script
    second = os.memfd_create("second", 0)
    os.write(second, json.dumps(state).encode())
    environment["FIRST"], environment["PORTHERD_HANDED_ON"] = str(first), str(second)
os.execve(REAL, [REAL] + sys.argv[1:], environment)
)");
    why = "what was handed on is of format 99";
  }
  const play::Ended ended = upgrade(portherd);
  CHECK(ended.status == 1);
  CHECK_MESSAGE(ended.err.find(why) != std::string::npos, ended.err);
  const play::Status after = portherd.status();
  CHECK(after.supervisor == before.supervisor);
  CHECK(after.front == before.front);
  CHECK(after.app("who").ready() == before.app("who").ready());
  CHECK(play::get(portherd.port()).status == 200);
  portherd.expect_line("no upgrade: everything is as it was");

  // It was no reason not to try it again.
  put(folder, play::path_of_portherd());
  CHECK(upgrade(portherd).status == 0);
  CHECK(portherd.status().supervisor == before.supervisor);
}

TEST_CASE("whatever an app is at, it is at it afterwards") {
  const play::Folder folder;
  put(folder, play::path_of_portherd());
  for (const char* fifo : {"go", "hold-a"}) REQUIRE(::mkfifo((folder / fifo).c_str(), 0666) == 0);
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.slow]
hosts = ["slow"]
command = ["$PYTHON", "$APPS/slow_start.py"]
[apps.broken]
hosts = ["broken"]
command = ["$PYTHON", "$APPS/crash_loop.py"]
[apps.held]
hosts = ["held"]
command = ["$PYTHON", "$APPS/works.py"]
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
[apps.wsgi]
hosts = ["wsgi"]
directory = "$APPS/wsgi"
wsgi = "hello:app"
[apps.asgi]
hosts = ["asgi"]
directory = "$APPS/asgi"
asgi = "lives:app"
)");
  const play::Status before = portherd.wait_until("they are where they should be", [](const play::Status& now) {
    return now.app("slow").workers[0].state == "starting" && now.app("broken").workers[0].state == "backoff" &&
           now.app("held").ready().size() == 1 && now.app("who").ready().size() == 1 &&
           now.app("wsgi").ready().size() == 1 && now.app("asgi").ready().size() == 1;
  });
  play::Peer held = play::connect(portherd.port());
  held.send("GET /hold/a HTTP/1.1\r\nHost: held\r\n\r\n");
  portherd.wait_until("the request is held", [](const play::Status& now) { return now.app("held").busy == 1; });
  const auto order = [&](play::Arguments words) {
    words.insert(words.end(), {"-c", portherd.config_file()});
    return play::portherd(words).status;
  };
  CHECK(order({"pause", "who"}) == 0);

  CHECK(upgrade(portherd).status == 0);

  const play::Status after = portherd.status();
  CHECK(after.app("slow").workers[0].pid == before.app("slow").workers[0].pid);
  CHECK(after.app("slow").workers[0].state == "starting");
  CHECK(after.app("broken").workers[0].last_exit == "exit status 3");
  CHECK(after.app("who").state == "paused");
  for (const char* app : {"wsgi", "asgi"}) {
    CHECK(after.app(app).workers[0].pid == before.app(app).workers[0].pid);
    CHECK(play::get(portherd.port(), "/", app).status == 200);
  }
  CHECK(order({"resume", "who"}) == 0);
  CHECK(play::get(portherd.port()).status == 200);
  folder.write("go", "");  // opens it, which is all that is waited for
  portherd.wait_until("the slow one is ready", [](const play::Status& now) { return now.app("slow").ready().size() == 1; });
  CHECK(play::get(portherd.port(), "/", "slow").body == "at last\n");
  folder.write("fixed", "");
  portherd.wait_until("the broken one is", [](const play::Status& now) { return now.app("broken").ready().size() == 1; });
  folder.write("hold-a", "");
  CHECK(held.read_answer().status == 200);
  CHECK(play::portherd({"logs", "slow", "-c", portherd.config_file()}).out.find("started") != std::string::npos);
}
