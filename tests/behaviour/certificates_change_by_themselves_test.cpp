// Certificates that change in their folder are in force without an order, however they get there; those that cannot be used
// are not, and those before stay.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "play.h"

namespace {

struct Stage {
  Stage() : portherd(play::Supervisor::serve((folder.certificate("localhost"), folder), R"(
[listen]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[apps.app]
proxy = ["unix:app.sock"]
)")) {}

  std::string digest() const { return play::connect_tls(portherd.tls_port()).certificate_digest(); }
  void wait_other(const std::string& before) {
    portherd.wait_until("another certificate is in force", [&](const play::Status&) { return digest() != before; });
  }

  play::Folder folder;
  play::Supervisor portherd;
};

}  // namespace

TEST_CASE("a certificate that changes in its folder is in force by itself; one that is none is not") {
  Stage stage;
  const std::string before = stage.digest();
  stage.folder.write("tls/other.crt", "nothing");
  stage.folder.write("tls/other.key", "nothing");
  stage.portherd.expect_line("those before stay in force");
  CHECK(stage.digest() == before);
  std::filesystem::remove(stage.folder / "tls/other.crt");
  stage.folder.certificate("localhost");
  stage.wait_other(before);
}

TEST_CASE("another folder is put in the place of the certificates': it is in force by itself, and is watched from then on") {
  Stage stage;
  for (int i = 0; i < 2; ++i) {
    const std::string before = stage.digest();
    const play::Folder other;
    other.certificate("localhost");
    std::filesystem::copy(other / "tls", stage.folder / "other");
    constexpr int kExchange = 2;  // rename(2)
    REQUIRE(::syscall(SYS_renameat2, AT_FDCWD, (stage.folder / "tls").c_str(), AT_FDCWD, (stage.folder / "other").c_str(), kExchange) == 0);
    std::filesystem::remove_all(stage.folder / "other");
    stage.wait_other(before);
  }
  const std::string before = stage.digest();
  stage.folder.certificate("localhost");
  stage.wait_other(before);
}

TEST_CASE("certificates are links that lead elsewhere: where they lead is watched, too") {
  Stage stage;
  // As certbot keeps them: live/NAME/fullchain.pem is a link into archive/, and ours is a link to that.
  const auto archive = [&](const std::string& number) {
    const play::Folder other;
    other.certificate("localhost");
    for (const std::string kind : {"crt", "key"}) {
      std::filesystem::copy_file(other / "tls/localhost." + kind, stage.folder / "archive/" + kind + number);
      std::filesystem::remove(stage.folder / "live/" + kind);
      std::filesystem::create_symlink("../archive/" + kind + number, stage.folder / "live/" + kind);
    }
  };
  std::filesystem::create_directory(stage.folder / "archive");
  std::filesystem::create_directory(stage.folder / "live");
  std::string before = stage.digest();
  archive("1");
  for (const std::string kind : {"crt", "key"}) {
    std::filesystem::remove(stage.folder / "tls/localhost." + kind);
    std::filesystem::create_symlink(stage.folder / "live/" + kind, stage.folder / "tls/localhost." + kind);
  }
  stage.wait_other(before);
  before = stage.digest();
  archive("2");
  stage.wait_other(before);
}

TEST_CASE("the folder of certificates is a link that is swapped, as Kubernetes does: what it leads to now is in force") {
  Stage stage;
  std::filesystem::rename(stage.folder / "tls", stage.folder / "..1");
  std::filesystem::create_symlink("..1", stage.folder / "tls");
  for (const std::string number : {"2", "3"}) {
    const std::string before = stage.digest();
    const play::Folder other;
    other.certificate("localhost");
    std::filesystem::copy(other / "tls", stage.folder / ".." + number);
    std::filesystem::create_symlink(".." + number, stage.folder / "next");
    std::filesystem::rename(stage.folder / "next", stage.folder / "tls");
    stage.wait_other(before);
  }
}

TEST_CASE("the folder of certificates goes and comes again: those before stay in force until then") {
  Stage stage;
  const std::string before = stage.digest();
  std::filesystem::remove_all(stage.folder / "tls");
  stage.portherd.expect_line("the certificates have changed, and cannot be used");
  CHECK(stage.digest() == before);
  stage.folder.certificate("localhost");
  stage.wait_other(before);
}
