// What becomes of bodies when the folder for temporary files has no room, or is none.
#include <sys/mount.h>

#include <filesystem>

#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
spool = "$FOLDER/spool"
spool_disk = "1MiB"
[log]
access = "stderr"
[apps.app]
proxy = ["unix:app.sock"]
)";
constexpr const char* kOk = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

std::string post(std::size_t size) {
  return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
}

void check_served(play::Supervisor& portherd, play::App& app, std::size_t size) {
  play::Peer client = play::connect(portherd.port());
  client.send(post(size));
  play::Peer worker = app.accept();
  CHECK(worker.read_body(worker.read_head()).size() == size);
  worker.send(kOk);
  CHECK(client.read_answer().status == 204);
}

/// 507, which the event and one line of the error log explain.
void check_refused(play::Supervisor& portherd, play::App& app, std::size_t size, const std::string& outcome, const std::string& cause) {
  play::Peer client = play::connect(portherd.port());
  client.send(post(size));
  CHECK(client.read_answer().status == 507);
  CHECK(portherd.expect_line("\"status\":507").find("\"outcome\":\"us: " + outcome + "\"") != std::string::npos);
  CHECK(portherd.expect_line(" error front: " + outcome).find("app=app cause=" + cause) != std::string::npos);
  CHECK(portherd.lines_with(" error front: ").size() == 1);
  CHECK_FALSE(app.has_visitor());
  check_served(portherd, app, 1000);  // what fits into memory is not concerned
}

}  // namespace

TEST_CASE("past spool_disk a body is 507, and its bytes are there for the next one") {
  const play::Folder folder;
  std::filesystem::create_directory(folder / "spool");
  std::filesystem::permissions(folder / "spool", std::filesystem::perms::all);
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  check_refused(portherd, app, 3 << 20, "spool_disk is used up", "\"[front] spool_disk\"");
  for (int i = 0; i < 5; ++i) check_served(portherd, app, 700 << 10);
}

TEST_CASE("a folder that takes no file is a 507 for what does not fit into memory") {
  const play::Folder folder;
  std::filesystem::create_directory(folder / "spool");
  play::App app(folder, "app.sock");
  SUBCASE("read-only") {
    std::filesystem::permissions(folder / "spool", std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec |
                                                       std::filesystem::perms::others_read | std::filesystem::perms::others_exec);
    auto portherd = play::Supervisor::serve(folder, kConfig);
    check_refused(portherd, app, 1 << 20, "disk does not take what is too much for memory", "\"Permission denied\"");
  }
  SUBCASE("removed while we run") {
    std::filesystem::permissions(folder / "spool", std::filesystem::perms::all);
    auto portherd = play::Supervisor::serve(folder, kConfig);
    check_served(portherd, app, 700 << 10);
    std::filesystem::remove(folder / "spool");
    check_refused(portherd, app, 1 << 20, "disk does not take what is too much for memory", "");  // file systems differ
  }
}

namespace {

/// A small disk at a folder, gone with the test, however that ends.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& folder) : folder_(folder) {
    is_there_ = ::mount("none", folder_.c_str(), "tmpfs", 0, "size=512k,mode=0777") == 0;
  }
  ~SmallDisk() {
    if (is_there_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool is_there() const { return is_there_; }

 private:
  const std::string folder_;
  bool is_there_;
};

}  // namespace

TEST_CASE("a full disk is a 507 for what does not fit into memory, and room again when there is room") {
  const play::Folder folder;
  std::filesystem::create_directory(folder / "spool");
  const SmallDisk disk(folder / "spool");
  if (!disk.is_there()) {
    MESSAGE("skipped: only root, where it may mount, can try a full disk");
    return;
  }
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  check_refused(portherd, app, 1 << 20, "disk does not take what is too much for memory", "\"No space left on device\"");
  for (int i = 0; i < 5; ++i) {
    // What was answered is let go of off the loop, so there is room a moment after the answer.
    portherd.wait_until("there is room", [&](const play::Status&) {
      const auto room = std::filesystem::space(folder / "spool");
      return room.free == room.capacity;
    });
    check_served(portherd, app, 500 << 10);
  }
}
