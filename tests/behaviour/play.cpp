// Places, ports and programs. Next: play_peer.cpp (connections), play_supervisor.cpp.
#include "play.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "play_process.h"
#include "runtime/socket.h"

namespace play {
namespace {

// Locks of ports, held until this process ends, so that tests that run at the same time have different ones.
std::vector<runtime::Fd>& port_locks() {
  static std::vector<runtime::Fd> locks;
  return locks;
}

bool lock_port(std::uint16_t port) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string text = "portherd-test-port-" + std::to_string(port);
  std::memcpy(name.sun_path + 1, text.data(), text.size());  // abstract: gone with its last holder
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  runtime::Fd lock(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::bind(lock.get(), reinterpret_cast<sockaddr*>(&name), size) != 0) return false;
  port_locks().push_back(std::move(lock));
  return true;
}

bool is_free(std::uint16_t port) {
  return runtime::listen_tcp("*", port, false).has_value();
}

}  // namespace

bool is_sanitized() { return std::getenv("PORTHERD_IS_SANITIZED") != nullptr; }

std::uint64_t scaled(std::uint64_t count) {
  const char* const scale = std::getenv("PORTHERD_TEST_SCALE");
  const double factor = scale != nullptr ? std::atof(scale) : is_sanitized() ? 0.05 : 1.0;
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(count) * factor));
}

const std::string& python() {
  static const std::string path = ::access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3";
  return path;
}

std::string source(std::string_view path) {
  return std::string(SOURCE_DIR) + "/" + std::string(path);
}

bool is_installed(const std::string& program, const std::string& how) {
  if (run({"sh", "-c", "command -v " + program}).status == 0) return true;
  MESSAGE("skipped: " << program << " is not installed (" << how << ")");
  return false;
}

// Below the range that the kernel takes for outgoing connections (32768 and up).
std::uint16_t free_port() {
  for (int tries = 0; tries < 5000; ++tries) {
    static std::uint32_t next = static_cast<std::uint32_t>(::getpid()) * 7919;
    const auto port = static_cast<std::uint16_t>(12000 + 2 * (next++ % 9000));
    const auto after = static_cast<std::uint16_t>(port + 1);
    if (is_free(port) && is_free(after) && lock_port(port)) return port;
  }
  FAIL("no free port");
  return 0;
}

Folder::Folder() {
  path_ = (std::filesystem::temp_directory_path() / "portherd-play-XXXXXX").string();
  REQUIRE(::mkdtemp(path_.data()) != nullptr);
  REQUIRE(::chmod(path_.c_str(), 0755) == 0);
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::write(std::string_view name, std::string_view text) const {
  const std::string file = *this / name;
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

std::string Folder::read(std::string_view name) const {
  std::ostringstream text;
  text << std::ifstream(*this / name, std::ios::binary).rdbuf();
  return text.str();
}

void Folder::copy(std::string_view folder_of_project) const {
  std::filesystem::copy(source(folder_of_project), path_, std::filesystem::copy_options::recursive);
}

void Folder::certificate(const std::string& host) const {
  std::filesystem::create_directories(*this / "tls");
  const Ended made =
      play::run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-days", "30", "-subj", "/CN=" + host, "-addext", "subjectAltName=DNS:" + host,
                 "-keyout", *this / ("tls/" + host + ".key"), "-out", *this / ("tls/" + host + ".crt")});
  REQUIRE_MESSAGE(made.status == 0, made.err);
}

Ended run(const Arguments& arguments, const std::string& directory, const Environment& more) {
  Pipe out, err;
  const pid_t pid = start(arguments, directory, more, out.writing.get(), err.writing.get());
  out.writing.reset();
  err.writing.reset();
  Ended ended;
  const bool closed =
      drain({{out.reading.get(), &ended.out}, {err.reading.get(), &ended.err}}, 4 * kPatience);
  if (!closed) ::kill(pid, SIGKILL);
  ended.status = wait_for(pid);
  REQUIRE_MESSAGE(closed, arguments[0] << " did not end, or left somebody with its output: " << ended.err);
  check_nobody_left(arguments[0]);
  return ended;
}

Ended portherd(Arguments arguments, const std::string& directory, const Environment& more) {
  arguments.insert(arguments.begin(), path_of_portherd());
  return run(arguments, directory, more);
}

}  // namespace play
