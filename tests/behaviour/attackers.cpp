#include "attackers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>

namespace play {
namespace {

using runtime::Fd;
using namespace std::string_literals;

// ---- HTTP/2, by the byte (RFC 9113 4.1, RFC 7541 6) ----

enum Type : std::uint8_t { kData, kHeaders, kPriority, kReset, kSettings, kPush, kPing, kGoaway, kWindow, kContinuation };
constexpr std::uint8_t kEndStream = 1, kEndHeaders = 4, kBoth = 5;

std::string number(std::uint32_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
  return text;
}

std::string frame(int type, int flags, std::uint32_t stream, const std::string& payload = "") {
  return number(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         number(stream, 4) + payload;
}

std::string times(std::uint32_t count, const std::string& text) {
  std::string all;
  for (std::uint32_t i = 0; i < count; ++i) all += text;
  return all;
}

const std::string kHello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0);
const std::string kGet = "\x82\x86\x84\x01\x01"s + "a";              // GET http / a
const std::string kPost = "\x83\x86\x84\x01\x01"s + "a";
const std::string kGetBig = "\x82\x86\x04\x04/big\x01\x01"s + "a";
std::uint32_t stream(std::uint32_t n) { return 2 * n + 1; }

/// An entry of the dynamic table (name by its number in the static one), and then as many references to it.
std::string bomb(int name, std::uint32_t size, std::uint32_t references) {
  // RFC 7541 5.1: 127, and the rest by seven bits.
  std::string length = "\x7f";
  for (std::uint32_t rest = size - 127; true; rest >>= 7) {
    length += static_cast<char>(rest < 128 ? rest : (rest & 127) | 128);
    if (rest < 128) break;
  }
  return kGet + static_cast<char>(0x40 | name) + length + std::string(size, 'x') + std::string(references, '\xbe');
}

std::vector<Attack> http2_attacks() {
  const std::string post = kHello + frame(kHeaders, kEndHeaders, 1, kPost);
  return {
      {.name = "CONTINUATION without an end",
       .opening = kHello + frame(kHeaders, 0, 1, kGet),
       .round = [](std::uint32_t) { return frame(kContinuation, 0, 1, times(500, "\x00\x01x\x01y"s)); }},
      {.name = "HPACK bomb",
       .opening = kHello,
       .round = [](std::uint32_t n) { return frame(kHeaders, kBoth, stream(n), bomb(4, 3900, 12000)); },
       .rounds = 1000},
      {.name = "cookie bomb",
       .opening = kHello,
       .round = [](std::uint32_t n) { return frame(kHeaders, kBoth, stream(n), bomb(32, 200, 15000)); },
       .rounds = 1000},
      {.name = "DATA by the byte",
       .opening = post,
       .round = [](std::uint32_t) { return times(100, frame(kData, 0, 1, "x")); }},
      {.name = "answers for which there is no window",
       .opening = kHello + frame(kSettings, 0, 0, number(4, 2) + number(0, 4)),
       .round = [](std::uint32_t n) { return n < 20 ? frame(kHeaders, kBoth, stream(n), kGetBig) : ""s; },
       .rounds = 500},
  };
}

std::vector<Attack> http1_attacks() {
  const std::string host = " HTTP/1.1\r\nHost: a\r\n";
  const auto always = [](const std::string& text) { return [text](std::uint32_t) { return text; }; };
  return {
      {.name = "slow heads", .opening = "GET /" + host + "X: ", .round = always("y"), .connections = 200},
      {.name = "slow bodies",
       .opening = "POST /" + host + "Content-Length: 100000\r\n\r\n",
       .round = always("y"),
       .connections = 200},
      {.name = "answers not read", .opening = "GET /big" + host + "\r\n", .round = always(""), .reads = false, .connections = 20, .rounds = 500},
      {.name = "pipelining without reading", .opening = "", .round = always(times(100, "GET /" + host + "\r\n")), .reads = false, .rounds = 500},
      {.name = "chunks of one byte",
       .opening = "POST /" + host + "Transfer-Encoding: chunked\r\n\r\n",
       .round = always(times(500, "1\r\nx\r\n"))},
      {.name = "trailers",
       .opening = "POST /" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n",
       .round = always(times(500, "A: b\r\n"))},
      {.name = "chunk extensions",
       .opening = "POST /" + host + "Transfer-Encoding: chunked\r\n\r\n1",
       .round = always(times(500, ";a=b"))},
      {.name = "heads without an end", .opening = "GET /" + host, .round = always(times(500, "A: b\r\n"))},
  };
}

// ---- one process ----

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return to;
}

Fd connect_to(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = loopback(port);
  const void* const address = &to;
  if (::connect(fd.get(), static_cast<const sockaddr*>(address), sizeof to) != 0) fd.reset();
  return fd;
}

/// One connection of an attack.
class Line {
 public:
  Line(const Attack& attack, std::uint16_t port) : attack_(attack), port_(port) {}

  void next() {
    if (!fd_) {
      fd_ = connect_to(port_);
      round_ = 0;
      if (!fd_ || !say(attack_.opening)) return;
    }
    if (attack_.reads && !listen()) return fd_.reset();
    say(attack_.round(round_++));
  }

 private:
  /// False: the front has closed it.
  bool say(const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const auto n = ::send(fd_.get(), text.data() + done, text.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) {
        done += static_cast<std::size_t>(n);
        continue;
      }
      // Nobody reads us: this round is over, and the connection held as it is.
      pollfd room{fd_.get(), POLLOUT, 0};
      if (errno == EAGAIN && ::poll(&room, 1, 10) == 0) return true;
      if (errno == EAGAIN && (!attack_.reads || listen())) continue;
      fd_.reset();
      return false;
    }
    return true;
  }
  bool listen() {
    char buffer[65536];
    for (;;) {
      const auto n = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (n <= 0) return n < 0 && errno == EAGAIN;
    }
  }

  const Attack& attack_;
  const std::uint16_t port_;
  Fd fd_;
  std::uint32_t round_ = 0;
};

}  // namespace

std::vector<Attack> attacks() {
  std::vector<Attack> all = http2_attacks();
  for (Attack& attack : http1_attacks()) all.push_back(std::move(attack));
  return all;
}

Attacker::Attacker(const Attack& attack, std::uint16_t port) {
  std::vector<Line> lines;
  for (int i = 0; i < attack.connections; ++i) lines.emplace_back(attack, port);
  start(attack.rounds, [&](std::uint32_t n) { lines[n % lines.size()].next(); });
}

/// Returns in the parent only.
void Attacker::start(std::uint32_t rounds, const std::function<void(std::uint32_t)>& round) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  Fd told(ends[1]);
  progress_ = Fd(ends[0]);
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ != 0) return;
  static volatile std::sig_atomic_t is_over = 0;
  std::signal(SIGTERM, [](int) { is_over = 1; });
  const std::uint32_t step = std::max<std::uint32_t>(1, rounds / kSteps);
  for (std::uint32_t n = 0; is_over == 0; ++n) {
    round(n);
    if (n < step * kSteps && (n + 1) % step == 0) [[maybe_unused]] const auto written = ::write(told.get(), "x", 1);
  }
  ::_exit(0);
}

Attacker::Attacker(Attacker&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), progress_(std::move(other.progress_)) {}

Attacker::~Attacker() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Attacker::wait_for_step() {
  char byte = 0;
  pollfd more{progress_.get(), POLLIN, 0};
  REQUIRE_MESSAGE(::poll(&more, 1, static_cast<int>(kPatience.count())) == 1, "the attacker is stuck");
  [[maybe_unused]] const auto n = ::read(progress_.get(), &byte, 1);
}

double Attacker::stop() {
  ::kill(pid_, SIGTERM);
  rusage used{};
  int status = 0;
  while (::wait4(pid_, &status, 0, &used) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  CHECK(status == 0);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double cpu_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::istringstream rest(text.substr(text.rfind(')') + 2));  // proc(5): utime and stime are fields 14 and 15
  std::string skipped;
  for (int i = 3; i < 14; ++i) rest >> skipped;
  double user = 0, system = 0;
  rest >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace play
