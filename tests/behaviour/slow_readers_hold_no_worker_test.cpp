// Answers that their clients do not take: what becomes of the worker, of the memory, of the file, and of the answer.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT", "unix:$FOLDER/front.sock"]
[front.clocks]
write_idle = "10m"
[log]
access = "stderr"
[apps.app]
command = ["$PYTHON", "$APPS/megabyte.py"]
workers = 2
concurrency = 2
queue_timeout = "60s"
)";

const std::string& expected() {
  static const std::string body = [] {
    std::string text;
    for (int i = 0; text.size() < (1 << 20); ++i) text += std::to_string(i) + '\n';
    text.resize(1 << 20);
    return text;
  }();
  return body;
}

play::Peer ask(play::Peer client, const std::string& target = "/") {
  client.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
  return client;
}

/// The temporary files that a process has open.
std::vector<std::filesystem::path> spool_files(pid_t front) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(front) + "/fd")) {
    std::error_code ignored;
    const std::string target = std::filesystem::read_symlink(entry.path(), ignored).string();
    if (target.find("/spool/") != std::string::npos && target.ends_with(" (deleted)")) files.push_back(entry.path());
  }
  return files;
}

std::uint64_t size_of(const std::vector<std::filesystem::path>& files) {
  std::uint64_t size = 0;
  for (const auto& file : files) {
    struct stat about {};
    if (::stat(file.c_str(), &about) == 0) size += static_cast<std::uint64_t>(about.st_size);
  }
  return size;
}

void wait_free(play::Supervisor& portherd) {
  portherd.wait_until("no worker is busy", [](const play::Status& status) {
    return status.app("app").busy == 0 && status.app("app").queue == 0;
  });
}

struct Stage {
  explicit Stage(const std::string& app = "", const std::string& front = "")
      : portherd(play::Supervisor::serve(with_spool(), "[front]\nspool = \"$FOLDER/spool\"\n" + front + kConfig + app)) {
    portherd.wait_ready();
  }
  const play::Folder& with_spool() const {
    std::filesystem::create_directory(folder / "spool");
    std::filesystem::permissions(folder / "spool", std::filesystem::perms::all);
    return folder;
  }
  /// A client that has asked and does not read. By a Unix socket: with TCP on loopback the kernel takes megabytes.
  play::Peer ask(const std::string& target = "/") const { return ::ask(play::connect_unix(folder / "front.sock"), target); }

  play::Folder folder;
  play::Supervisor portherd;
};

}  // namespace

TEST_CASE("500 clients that do not read hold no worker, cost bounded memory, and get all of their answers when they read") {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Stage stage;
  play::Supervisor& portherd = stage.portherd;
  const pid_t front = portherd.status().front;
  const std::uint64_t before = play::memory_of(front);
  std::vector<play::Peer> clients;
  bool is_loopback = false;
  SUBCASE("on loopback") { is_loopback = true; }
  SUBCASE("where the kernel takes little") {}
  for (int i = 0; i < 500; ++i) clients.push_back(is_loopback ? ask(play::connect(portherd.port())) : stage.ask());
  for (play::Peer& client : clients) client.wait_for_bytes();
  wait_free(portherd);
  const std::uint64_t grown = play::memory_of(front) - before;
  const auto files = spool_files(front);
  MESSAGE("the front has grown by " << grown / 1024 << " KiB, and has " << size_of(files) / 1024 << " KiB in "
                                    << files.size() << " files");
  if (!play::is_sanitized()) CHECK(grown < (32UL << 20));  // buffer_memory, and 16 MiB
  if (!is_loopback) CHECK(files.size() == 500);
  CHECK(size_of(files) < (1UL << 30));
  CHECK(std::filesystem::is_empty(stage.folder / "spool"));

  CHECK(play::get(portherd.port(), "/", "a").body == expected());  // who reads is served
  for (play::Peer& client : clients) {
    const play::Answer answer = client.read_answer();
    CHECK(answer.is_whole);
    CHECK(answer.body == expected());
  }
  wait_free(portherd);
}

TEST_CASE("an answer without a length is kept, too, and its connection goes on behind it") {
  Stage stage;
  play::Supervisor& portherd = stage.portherd;
  play::Peer client = stage.ask("/chunked");
  client.wait_for_bytes();
  wait_free(portherd);
  CHECK(spool_files(portherd.status().front).size() == 1);
  for (int i = 0; i < 2; ++i) {
    const play::Answer answer = client.read_answer();
    CHECK(answer.is_whole);
    CHECK(answer.body == expected());
    if (i == 0) client.send("GET /chunked HTTP/1.1\r\nHost: a\r\n\r\n");
  }
}

TEST_CASE("our own Python worker is free, too, whatever it says about the length") {
  const play::Folder folder;
  folder.write("big.py", R"(
BODY = "".join("%d\n" % i for i in range(200000)).encode()[:1 << 20]

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", str(len(BODY)))] if environ["PATH_INFO"] == "/length" else [])
    for i in range(0, len(BODY), 1 << 16):
        yield BODY[i:i + (1 << 16)]
)");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["unix:$FOLDER/front.sock"]
[apps.app]
wsgi = "big:app"
python = "$PYTHON"
)");
  portherd.wait_ready();
  for (const char* const target : {"/length", "/none"}) {
    play::Peer client = ask(play::connect_unix(folder / "front.sock"), target);
    client.wait_for_bytes();
    wait_free(portherd);
    const play::Answer answer = client.read_answer();
    CHECK(answer.is_whole);
    CHECK(answer.body == expected());
  }
}

TEST_CASE("a client that half-closes while it takes its answer gets all of it") {
  Stage stage;
  play::Peer client = stage.ask();
  client.wait_for_bytes();
  wait_free(stage.portherd);
  client.shut_writing();
  const play::Answer answer = client.read_answer();
  CHECK(answer.is_whole);
  CHECK(answer.body == expected());
}

TEST_CASE("a client that leaves takes its file along") {
  Stage stage;
  play::Supervisor& portherd = stage.portherd;
  play::Peer client = stage.ask();
  client.wait_for_bytes();
  wait_free(portherd);
  client.reset();
  CHECK(portherd.expect_line("\"outcome\":").find("\"outcome\":\"client: client went away\"") != std::string::npos);
  portherd.wait_until("the file is closed", [](const play::Status& status) { return spool_files(status.front).empty(); });
}

TEST_CASE("an answer that its worker cut off is cut, though the client did not read meanwhile") {
  Stage stage;
  play::Supervisor& portherd = stage.portherd;
  play::Peer client = stage.ask("/cut");
  portherd.expect_line("worker cut its answer off");
  CHECK_FALSE(client.read_answer().is_whole);
}

TEST_CASE("what is longer than spool_answer, or is to be streamed, holds its worker") {
  std::string more;
  SUBCASE("longer") { more = "spool_answer = \"64KiB\"\n"; }
  SUBCASE("streamed") { more = "stream_answer = true\n"; }
  Stage stage(more);
  play::Supervisor& portherd = stage.portherd;
  play::Peer client = stage.ask();
  client.wait_for_bytes();
  play::get(portherd.port(), "/", "a");  // by now it would be free
  CHECK(portherd.status().app("app").busy == 1);
  CHECK(spool_files(portherd.status().front).empty());
  CHECK(client.read_answer().body == expected());
}

TEST_CASE("an answer that cannot be written holds its worker, with one line in the log, and loses nothing") {
  std::string front, cause = "disk does not take what is too much for memory";
  SUBCASE("the folder has gone") {}
  SUBCASE("spool_disk is used up") {
    front = "spool_disk = \"100KiB\"\n";
    cause = "spool_disk is used up";
  }
  Stage stage("", front);
  play::Supervisor& portherd = stage.portherd;
  if (front.empty()) std::filesystem::remove(stage.folder / "spool");
  play::Peer client = stage.ask();
  client.wait_for_bytes();
  portherd.expect_line(" error front: " + cause);
  CHECK(portherd.status().app("app").busy == 1);
  CHECK(client.read_answer().body == expected());
  CHECK(portherd.lines_with(" error front: ").size() == 1);
  CHECK(portherd.expect_line("\"outcome\":").find("\"outcome\":\"ok\"") != std::string::npos);
}

TEST_CASE("an answer that the disk does not give back is cut, not whole") {
  Stage stage;
  play::Supervisor& portherd = stage.portherd;
  play::Peer client = stage.ask();
  client.wait_for_bytes();
  wait_free(portherd);
  const auto files = spool_files(portherd.status().front);
  REQUIRE(files.size() == 1);
  const runtime::Fd file(::open(files[0].c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::ftruncate(file.get(), 0) != 0) {
    MESSAGE("skipped: nobody but its owner may break the front's file");
    return;
  }
  CHECK_FALSE(client.read_answer().is_whole);
  CHECK(portherd.expect_line("\"outcome\":").find("us: disk does not give back what it took") != std::string::npos);
  CHECK(portherd.lines_with(" error front: disk does not give back").size() == 1);
}
