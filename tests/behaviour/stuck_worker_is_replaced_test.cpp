#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.shop]
wsgi = "shop:app"
python = "$PYTHON"
threads = 2
graceful_timeout = "5s"
queue_timeout = "60s"
[[apps.shop.routes]]
path = "/stuck"
request_timeout = "1s"
)";
constexpr const char* kShop = R"(
import os, sys, threading

def wait_for_a_lock_that_nobody_gives_back():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()

def app(environ, start_response):
    sys.stderr.write("running %s\n" % environ["PATH_INFO"])  # in one piece, whoever else writes
    if environ["PATH_INFO"] == "/stuck":
        wait_for_a_lock_that_nobody_gives_back()
    if environ["PATH_INFO"] == "/slow":
        open("go").read()  # until the test says so
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % os.getpid()]
)";

play::Peer ask(const play::Supervisor& portherd, const std::string& path) {
  play::Peer client = play::connect(portherd.port());
  client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
  return client;
}

}  // namespace

TEST_CASE(
    "a stuck worker is replaced: the stack is told, its neighbours are answered, and nobody waits for it") {
  const play::Folder folder;
  folder.write("shop.py", kShop);
  REQUIRE(::mkfifo((folder / "go").c_str(), 0600) == 0);
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const std::string old = std::to_string(portherd.wait_ready().app("shop").workers.at(0).pid);

  // Both of its threads: one for ever, the other until the test says so. Whoever else comes has to wait.
  play::Peer slow = ask(portherd, "/slow"), stuck = ask(portherd, "/stuck");
  portherd.expect_line("running /slow");
  portherd.expect_line("running /stuck");
  std::atomic<bool> is_over = false;
  std::size_t served = 0, failed = 0;
  std::thread others([&] {
    while (!is_over) ++(play::get(portherd.port()).status == 200 ? served : failed);
  });

  CHECK(stuck.read_answer().status == 504);
  const std::string stack = portherd.expect_line("where a stuck worker is");
  CAPTURE(stack);
  CHECK(stack.find("app=shop worker=1 pid=" + old) != std::string::npos);
  CHECK(stack.find("in wait_for_a_lock_that_nobody_gives_back") != std::string::npos);

  const play::Status replaced = portherd.wait_until("another has its place", [&](const play::Status& now) {
    const auto& worker = now.app("shop").workers.at(0);
    return worker.state == "ready" && std::to_string(worker.pid) != old;
  });
  CHECK(replaced.app("shop").state == "ready");
  folder.write("go", "");
  const play::Answer answer = slow.read_answer();
  CHECK(answer.status == 200);
  CHECK(answer.body == old);

  portherd.expect_line("worker has ended");
  is_over = true;
  others.join();
  CHECK(served > 0);
  CHECK(failed == 0);
  const std::string said = portherd.said();
  const std::string pid = std::to_string(replaced.app("shop").workers.at(0).pid);
  CHECK(said.find("worker is ready app=shop worker=1 pid=" + pid) <
        said.find("worker has ended app=shop worker=1 pid=" + old));
  CHECK(portherd.wait_ready().app("shop").workers.at(0).last_exit == "killed by us (SIGKILL)");
}
