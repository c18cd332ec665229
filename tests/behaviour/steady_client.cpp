#include "steady_client.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <charconv>
#include <optional>

#include "runtime/socket.h"

namespace play {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* tls) const { SSL_CTX_free(tls); }
};

SSL_CTX* tls_context() {
  static const std::unique_ptr<SSL_CTX, FreeContext> tls(SSL_CTX_new(TLS_client_method()));
  return tls.get();
}

std::string wire_form(const std::string& protocol) {
  return static_cast<char>(protocol.size()) + protocol;
}

std::size_t number(std::string_view text, int base) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

}  // namespace

// ---- the connection ----

void Line::FreeTls::operator()(SSL* tls) const {
  SSL_free(tls);
}

Line::Line() = default;
Line::~Line() = default;

bool Line::open(std::uint16_t port, const std::string& host, const std::string& alpn, std::string& why) {
  fd_ = runtime::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool is_there =
      ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  why = is_there ? "the handshake failed" : "the connection was refused";
  if (is_there) {
    ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
    runtime::set_no_delay(fd_.get());
    if (alpn.empty() || shake_hands(host, alpn)) return true;
  }
  close();
  return false;
}

bool Line::shake_hands(const std::string& host, const std::string& alpn) {
  tls_.reset(SSL_new(tls_context()));
  SSL_set_fd(tls_.get(), fd_.get());
  std::string name = host;  // SSL_set_tlsext_host_name() without its C cast
  SSL_ctrl(tls_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  const std::string protocols = wire_form(alpn);
  SSL_set_alpn_protos(tls_.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned int>(protocols.size()));
  for (int done = 0; (done = SSL_connect(tls_.get())) != 1;) {
    const int error = SSL_get_error(tls_.get(), done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
    if (!wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, kPatience)) return false;
  }
  return true;
}

void Line::close() {
  tls_.reset();
  fd_.reset();
}

void Line::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = tls_ ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()))
                            : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    const bool may_go_on =
        tls_ ? SSL_get_error(tls_.get(), static_cast<int>(count)) == SSL_ERROR_WANT_WRITE : errno == EAGAIN;
    if (!may_go_on || !wait(POLLOUT, kPatience)) return;
  }
}

Line::Got Line::read(std::string& into, milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    char buffer[16384];
    errno = 0;
    const int count = try_read(buffer, sizeof buffer);
    if (count > 0) {
      into.append(buffer, static_cast<std::size_t>(count));
      return Got::kBytes;
    }
    if (count == 0) return Got::kEnd;
    if (errno != EAGAIN) return Got::kReset;
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() < 0 || !wait(POLLIN, left)) return Got::kNothing;
  }
}

// As recv(): 0 is the end, -1 with EAGAIN is "not yet".
int Line::try_read(char* into, int most) {
  if (!tls_) return static_cast<int>(::recv(fd_.get(), into, static_cast<std::size_t>(most), 0));
  const int count = SSL_read(tls_.get(), into, most);
  if (count > 0) return count;
  const int error = SSL_get_error(tls_.get(), count);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  errno =
      error == SSL_ERROR_WANT_READ ? EAGAIN : ECONNRESET;  // an end without a goodbye is none: RFC 8446 6.1
  return -1;
}

bool Line::wait(short what, milliseconds patience) {
  pollfd wait{fd_.get(), what, 0};
  return ::poll(&wait, 1, static_cast<int>(patience.count())) == 1;
}

std::string_view name(Line::Got end) {
  return end == Line::Got::kReset ? " was reset" : " ended";
}

// ---- HTTP/1.1 ----

namespace {

struct Http1 {
  SteadyLoad& load;
  const std::uint16_t port;
  const bool over_tls;
  Line line{};
  std::string received{};
  bool is_reused = false;  // it has had an answer

  void ask() {
    if (!line.is_open() && !open()) return;
    line.send("GET " + load.question().path + " HTTP/1.1\r\nHost: " + load.question().host + "\r\n\r\n");
    hear();
    if (line.is_open()) rest();
  }

  bool open() {
    std::string why;
    if (!line.open(port, load.question().host, over_tls ? "http/1.1" : "", why)) {
      load.failed(why);
      return false;
    }
    load.opened();
    received.clear();
    is_reused = false;
    return true;
  }

  bool more(std::string_view where) {
    const Line::Got got = line.read(received, kPatience);
    if (got == Line::Got::kBytes) return true;
    const std::string how = got == Line::Got::kNothing
                                ? "nothing came " + std::string(where)
                                : "the connection" + std::string(name(got)) + " " + std::string(where);
    is_reused&& received.empty() && got != Line::Got::kNothing ? load.repeated(how) : load.failed(how);
    line.close();
    return false;
  }

  void hear() {
    std::size_t head_end = 0;
    while ((head_end = received.find("\r\n\r\n")) == std::string::npos) {
      if (!more("before an answer")) return;
    }
    const std::string head = received.substr(0, head_end + 4);
    const int status =
        head.starts_with("HTTP/1.1 ") ? static_cast<int>(number(std::string_view(head).substr(9, 3), 10)) : 0;
    received.erase(0, head.size());
    const auto body = hear_body(head);
    if (!body) return;
    load.answered(status, *body);
    is_reused = true;
    if (field_of(head, "Connection") == "close") line.close();
  }

  // None: it was cut, which has been told.
  std::optional<std::string> hear_body(const std::string& head) {
    if (field_of(head, "Transfer-Encoding") != "chunked")
      return take(number(field_of(head, "Content-Length"), 10));
    std::string body;
    for (;;) {
      std::size_t end = 0;
      while ((end = received.find("\r\n")) == std::string::npos) {
        if (!cut_or_more()) return std::nullopt;
      }
      const std::size_t size = number(received, 16);
      received.erase(0, end + 2);
      const auto chunk = take(size + 2);
      if (!chunk) return std::nullopt;
      body += chunk->substr(0, size);
      if (size == 0) return body;
    }
  }

  std::optional<std::string> take(std::size_t size) {
    while (received.size() < size) {
      if (!cut_or_more()) return std::nullopt;
    }
    std::string bytes = received.substr(0, size);
    received.erase(0, size);
    return bytes;
  }

  bool cut_or_more() {
    is_reused = false;  // an answer has begun: its end is no reason to ask again
    return more("within an answer");
  }

  // Nothing is under way: the server may leave.
  void rest() {
    const Line::Got got = line.read(received, kPause);
    if (!received.empty()) load.failed("bytes that nobody asked for: " + received.substr(0, 200));
    if (got != Line::Got::kNothing) line.close();
  }
};

}  // namespace

void ask_http1(SteadyLoad& load, std::uint16_t port, bool over_tls) {
  Http1 client{.load = load, .port = port, .over_tls = over_tls};
  while (!load.is_enough()) client.ask();
}

}  // namespace play
