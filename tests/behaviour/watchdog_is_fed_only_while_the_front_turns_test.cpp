// WATCHDOG=1 for the service manager (sd_watchdog_enabled(3)).
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>

#include "play.h"

namespace {

// The service manager: hears what a service says on NOTIFY_SOCKET.
class ServiceManager {
 public:
  explicit ServiceManager(std::string path)
      : path_(std::move(path)), socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path_, address.sun_path);
    REQUIRE(::bind(socket_.get(), static_cast<const sockaddr*>(static_cast<const void*>(&address)),
                   sizeof address) == 0);
  }
  const std::string& path() const { return path_; }
  std::string next_word() {
    pollfd there{socket_.get(), POLLIN, 0};
    REQUIRE(::poll(&there, 1, static_cast<int>(play::kPatience.count())) == 1);
    return receive();
  }
  // How many of those that have come until now are this.
  std::size_t count(const std::string& wanted) {
    std::size_t count = 0;
    for (pollfd there{socket_.get(), POLLIN, 0}; ::poll(&there, 1, 0) == 1;)
      count += receive() == wanted ? 1 : 0;
    return count;
  }

 private:
  std::string receive() {
    char text[256];
    const auto n = ::recv(socket_.get(), text, sizeof text, 0);
    return std::string(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  std::string path_;
  runtime::Fd socket_;
};

}  // namespace

TEST_CASE(
    "the watchdog is fed while the front turns its loops, not while it stands still, and by the program that "
    "follows") {
  const play::Folder folder;
  ServiceManager manager(folder / "systemd");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
)",
                                          {{"NOTIFY_SOCKET", manager.path()}, {"WATCHDOG_USEC", "1000000"}});
  CHECK(manager.next_word() == "READY=1");
  CHECK(manager.next_word() == "WATCHDOG=1");
  CHECK(manager.next_word() == "WATCHDOG=1");
  const play::Status before = portherd.wait_ready();

  // Told twice a second, it would be told twenty times until the front is killed (10 s); but for 2 s, and one
  // word that was on its way, nobody knows yet.
  ::kill(before.front, SIGSTOP);
  manager.count("");
  portherd.expect_line("has not turned its loop");
  CHECK(manager.count("WATCHDOG=1") < 10);

  portherd.wait_until("another front runs", [&](const play::Status& status) {
    return status.front > 0 && status.front != before.front;
  });
  CHECK(manager.next_word() == "WATCHDOG=1");

  CHECK(play::portherd({"upgrade", "-c", portherd.config_file()}).status == 0);
  while (manager.next_word() != "READY=1") continue;
  CHECK(manager.next_word() == "WATCHDOG=1");

  portherd.signal(SIGTERM);
  std::string word = manager.next_word();
  while (word == "WATCHDOG=1") word = manager.next_word();
  CHECK(word.starts_with("STOPPING=1\nEXTEND_TIMEOUT_USEC="));
}
