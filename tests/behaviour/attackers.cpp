#include "attackers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

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

/// A byte of it each round, and nothing when it is over.
auto by_the_byte(const std::string& text) {
  return [text](std::uint32_t n) { return n < text.size() ? text.substr(n, 1) : ""s; };
}

/// Slow ones: no round costs us anything, but all that is begun has to be kept.
std::vector<Attack> slow_http2_attacks() {
  const std::string post = kHello + frame(kHeaders, kEndHeaders, 1, kPost);
  const std::string no_window = frame(kSettings, 0, 0, number(4, 2) + number(0, 4));
  const std::string much = times(3000, "\x00\x01x\x01y"s);
  constexpr std::uint32_t kStreams = 100;
  std::string posts = kHello;
  for (std::uint32_t n = 0; n < kStreams; ++n) posts += frame(kHeaders, kEndHeaders, stream(n), kPost);
  return {
      {.name = "HTTP/2: frames by the byte",
       .opening = kHello,
       .round = by_the_byte(frame(kHeaders, kBoth, 1, kGet + much)),
       .connections = 200},
      {.name = "HTTP/2: CONTINUATION by the byte",
       .opening = kHello + frame(kHeaders, 0, 1, kGet),
       .round = by_the_byte(frame(kContinuation, 0, 1, much)),
       .connections = 200},
      {.name = "HTTP/2: slow bodies",
       .opening = post,
       .round = [](std::uint32_t) { return frame(kData, 0, 1, "xyz"); },
       .connections = 200},
      {.name = "HTTP/2: slow bodies of 1,000 streams",
       .opening = posts,
       .round = [](std::uint32_t n) { return frame(kData, 0, stream(n % kStreams), "x"); },
       .connections = 10},
      {.name = "HTTP/2: windows of one byte",
       .opening = kHello + no_window + frame(kHeaders, kBoth, 1, kGetBig),
       .round = [](std::uint32_t) { return frame(kWindow, 0, 1, number(1, 4)); },
       .connections = 20},
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

Attack over_tls(Attack attack, const std::string& alpn) {
  attack.name += ", over TLS";
  attack.alpn = alpn;
  return attack;
}

std::vector<Attack> tls_attacks() {
  std::vector<Attack> all;
  for (Attack& attack : slow_http2_attacks()) all.push_back(over_tls(std::move(attack), "h2"));
  for (Attack& attack : http1_attacks()) {
    if (attack.name.starts_with("slow")) all.push_back(over_tls(std::move(attack), "http/1.1"));
  }
  all.push_back({.name = "1,000 connections that are held, over TLS",
                 .alpn = "http/1.1",
                 .opening = "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                 .round = [](std::uint32_t) { return ""s; },
                 .connections = 1000,
                 .rounds = 2500,
                 .memory = 32 << 20});
  return all;
}

// ---- one process ----

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return to;
}

/// Blocking.
Fd connect_to(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = loopback(port);
  const void* const address = &to;
  if (::connect(fd.get(), static_cast<const sockaddr*>(address), sizeof to) != 0) fd.reset();
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

struct FreeTls {
  void operator()(SSL* tls) const { SSL_free(tls); }
};

SSL* new_tls(const std::string& alpn) {
  static SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL* const tls = SSL_new(context);
  const std::string wire = static_cast<char>(alpn.size()) + alpn;
  SSL_set_alpn_protos(tls, static_cast<const unsigned char*>(static_cast<const void*>(wire.data())),
                      static_cast<unsigned>(wire.size()));
  return tls;
}

/// One connection of an attack.
class Line {
 public:
  Line(const Attack& attack, std::uint16_t port) : attack_(attack), port_(port) {}

  void next() {
    if (!fd_ && !(open() && say(attack_.opening))) return close();
    if (attack_.reads && !listen()) return close();
    say(attack_.round(round_++));
  }

 private:
  bool open() {
    fd_ = connect_to(port_);
    round_ = 0;
    if (fd_ && !attack_.alpn.empty()) {
      tls_.reset(new_tls(attack_.alpn));
      SSL_set_fd(tls_.get(), fd_.get());
      if (SSL_connect(tls_.get()) != 1) return false;
    }
    if (fd_) ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
    return static_cast<bool>(fd_);
  }
  void close() {
    tls_.reset();
    fd_.reset();
  }

  /// False: the front has closed it.
  bool say(const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const auto n = put(text.data() + done, text.size() - done);
      if (n > 0) {
        done += static_cast<std::size_t>(n);
        continue;
      }
      // Nobody reads us: this round is over, and the connection held as it is.
      pollfd room{fd_.get(), POLLOUT, 0};
      if (errno == EAGAIN && ::poll(&room, 1, 10) == 0) return true;
      if (errno == EAGAIN && (!attack_.reads || listen())) continue;
      close();
      return false;
    }
    return true;
  }
  bool listen() {
    char buffer[65536];
    for (;;) {
      const auto n = take(buffer, sizeof buffer);
      if (n <= 0) return n < 0 && errno == EAGAIN;
    }
  }

  // As send(2) and recv(2).
  ssize_t put(const char* bytes, std::size_t size) {
    return tls_ ? as_call(SSL_write(tls_.get(), bytes, static_cast<int>(size)))
                : ::send(fd_.get(), bytes, size, MSG_NOSIGNAL);
  }
  ssize_t take(char* bytes, std::size_t size) {
    return tls_ ? as_call(SSL_read(tls_.get(), bytes, static_cast<int>(size)))
                : ::recv(fd_.get(), bytes, size, 0);
  }
  ssize_t as_call(int n) {
    if (n > 0) return n;
    const int error = SSL_get_error(tls_.get(), n);
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return -1;
  }

  const Attack& attack_;
  const std::uint16_t port_;
  Fd fd_;
  std::unique_ptr<SSL, FreeTls> tls_;  // empty: plain, or not open
  std::uint32_t round_ = 0;
};

}  // namespace

std::vector<Attack> attacks() {
  std::vector<Attack> all = http2_attacks();
  for (const auto& more : {slow_http2_attacks, http1_attacks, tls_attacks}) {
    for (Attack& attack : more()) all.push_back(std::move(attack));
  }
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
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
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
  clockid_t clock = 0;
  timespec spent{};
  REQUIRE(::clock_getcpuclockid(pid, &clock) == 0);
  ::clock_gettime(clock, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

}  // namespace play
