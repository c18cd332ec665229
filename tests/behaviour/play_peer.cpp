// Connections: the client's end, and the app's.
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "play.h"
#include "runtime/socket.h"

namespace play {
namespace {

struct FreeTls {
  void operator()(SSL* tls) const { SSL_free(tls); }
  void operator()(SSL_CTX* tls) const { SSL_CTX_free(tls); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Tls = std::unique_ptr<SSL, FreeTls>;

bool wait(int fd, short what, milliseconds patience = kPatience) {
  pollfd wait{fd, what, 0};
  int found = 0;
  do {
    found = ::poll(&wait, 1, static_cast<int>(patience.count()));
  } while (found < 0 && errno == EINTR);
  return found == 1;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Blocking until connected, non-blocking from then on.
runtime::Fd tcp_to(std::uint16_t port) {
  runtime::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  runtime::set_no_delay(fd.get());
  return fd;
}

std::string wire_form(const std::string& alpn) {
  std::string out, rest = alpn + ",";
  for (std::size_t comma = 0; (comma = rest.find(',')) != std::string::npos; rest.erase(0, comma + 1)) {
    if (comma > 0) out += static_cast<char>(comma) + rest.substr(0, comma);
  }
  return out;
}

SSL_CTX* client_tls() {
  static const std::unique_ptr<SSL_CTX, FreeTls> tls(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_mode(tls.get(), SSL_MODE_RELEASE_BUFFERS);  // a test holds thousands
  return tls.get();
}

std::size_t chunk_size(const std::string& line) {
  return std::stoul(line, nullptr, 16);
}

}  // namespace

std::string field_of(std::string_view head, std::string_view name) {
  std::string out;
  bool found = false;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (::strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    std::string_view value = line.substr(name.size() + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    out += (found ? ", " : "") + std::string(value);
    found = true;
  }
  return out;
}

std::string Answer::field(std::string_view name) const {
  return field_of(head, name);
}

struct Peer::State {
  runtime::Fd fd;
  Tls tls;
  std::string received;  // and not asked for yet
  bool was_reset = false;
};

Peer::Peer(runtime::Fd fd) : state_(std::make_unique<State>()) {
  REQUIRE(fd);
  state_->fd = std::move(fd);
}
Peer::Peer(Peer&&) noexcept = default;
Peer& Peer::operator=(Peer&&) noexcept = default;
Peer::~Peer() = default;

void Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = 0;
    if (state_->tls) {
      count = SSL_write(state_->tls.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), 1UL << 20)));
    } else {
      count = ::send(state_->fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    const bool may_go_on =
        state_->tls ? SSL_get_error(state_->tls.get(), static_cast<int>(count)) == SSL_ERROR_WANT_WRITE
                    : errno == EAGAIN;
    if (!may_go_on) return;  // the other side has gone: what it said before it went can still be read
    REQUIRE_MESSAGE(wait(state_->fd.get(), POLLOUT), "nobody takes what is sent");
  }
}

std::size_t Peer::send_until_blocked(std::size_t most, milliseconds pause) {
  static const std::string zeros(64 * 1024, '\0');
  std::size_t sent = 0;
  while (sent < most && wait(state_->fd.get(), POLLOUT, pause)) {
    const ssize_t count =
        ::send(state_->fd.get(), zeros.data(), std::min(zeros.size(), most - sent), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) break;
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
  return sent;
}

std::size_t Peer::some(char* into, std::size_t most) {
  while (true) {
    ssize_t count = 0;
    if (state_->tls) {
      count = SSL_read(state_->tls.get(), into, static_cast<int>(most));
      if (count <= 0 && SSL_get_error(state_->tls.get(), static_cast<int>(count)) != SSL_ERROR_WANT_READ)
        return 0;
    } else {
      count = ::recv(state_->fd.get(), into, most, 0);
      state_->was_reset = state_->was_reset || (count < 0 && errno != EAGAIN);
      if (count == 0 || state_->was_reset) return 0;
    }
    if (count > 0) return static_cast<std::size_t>(count);
    REQUIRE_MESSAGE(wait(state_->fd.get(), POLLIN), "nothing came; before it: " << state_->received);
  }
}

bool Peer::fill() {
  char buffer[65536];
  const std::size_t count = some(buffer, sizeof buffer);
  state_->received.append(buffer, count);
  return count > 0;
}

void Peer::wait_for_bytes() {
  REQUIRE_MESSAGE(wait(state_->fd.get(), POLLIN), "nothing came");
}

std::string Peer::read_head() {
  std::size_t end = 0;
  while ((end = state_->received.find("\r\n\r\n")) == std::string::npos) {
    REQUIRE_MESSAGE(fill(), "the connection ended before a head: " << state_->received);
  }
  std::string head = state_->received.substr(0, end + 4);
  state_->received.erase(0, end + 4);
  return head;
}

std::string Peer::read(std::size_t count) {
  while (state_->received.size() < count) {
    REQUIRE_MESSAGE(fill(), "the connection ended after: " << state_->received);
  }
  std::string bytes = state_->received.substr(0, count);
  state_->received.erase(0, count);
  return bytes;
}

std::string Peer::read_some() {
  if (state_->received.empty()) fill();
  return std::exchange(state_->received, {});
}

std::size_t Peer::discard(std::size_t most) {
  std::size_t done = std::min(most, state_->received.size());
  state_->received.erase(0, done);
  static thread_local char buffer[256 * 1024];
  while (done < most) {
    const std::size_t count = some(buffer, std::min(sizeof buffer, most - done));
    if (count == 0) break;
    done += count;
  }
  return done;
}

std::string Peer::read_to_end() {
  while (fill()) {
  }
  return std::exchange(state_->received, {});
}

bool Peer::ends_well() {
  if (!is_closed_by_peer()) return false;
  return state_->tls ? (SSL_get_shutdown(state_->tls.get()) & SSL_RECEIVED_SHUTDOWN) != 0 : !state_->was_reset;
}

Answer Peer::read_answer(std::string_view method) {
  Answer answer;
  while (state_->received.find("\r\n\r\n") == std::string::npos) {
    if (!fill()) return answer;
  }
  answer.head = read_head();
  REQUIRE_MESSAGE(answer.head.starts_with("HTTP/1."), answer.head);
  answer.status = std::stoi(answer.head.substr(9, 3));
  const bool has_body =
      method != "HEAD" && answer.status >= 200 && answer.status != 204 && answer.status != 304;
  if (!has_body) {
    answer.is_whole = true;
  } else if (answer.field("Transfer-Encoding") == "chunked") {
    while (true) {
      std::size_t end = 0;
      while ((end = state_->received.find("\r\n")) == std::string::npos && fill()) {
      }
      if (end == std::string::npos) return answer;
      const std::size_t size = chunk_size(state_->received.substr(0, end));
      while (state_->received.size() < end + 2 + size + 2 && fill()) {
      }
      const bool is_cut = state_->received.size() < end + 2 + size + 2;
      answer.body += state_->received.substr(end + 2, size);
      state_->received.erase(0, end + 2 + size + 2);
      if (is_cut) return answer;
      if (size == 0) break;
    }
    answer.is_whole = true;
  } else if (const std::string length = answer.field("Content-Length"); !length.empty()) {
    const std::size_t size = std::stoul(length);
    while (state_->received.size() < size && fill()) {
    }
    answer.body = state_->received.substr(0, size);
    state_->received.erase(0, size);
    answer.is_whole = answer.body.size() == size;
  } else {
    answer.body = read_to_end();
    answer.is_whole = true;
  }
  return answer;
}

std::string Peer::read_body(std::string_view head) {
  if (const std::string length = field_of(head, "Content-Length"); !length.empty())
    return read(std::stoul(length));
  std::string body;
  while (field_of(head, "Transfer-Encoding") == "chunked") {
    std::string line = read(2);
    while (!line.ends_with("\r\n")) line += read(1);
    const std::size_t size = chunk_size(line);
    body += read(size);
    CHECK(read(2) == "\r\n");
    if (size == 0) break;
  }
  return body;
}

void Peer::shut_writing() {
  if (state_->tls) SSL_shutdown(state_->tls.get());
  ::shutdown(state_->fd.get(), SHUT_WR);
}

void Peer::close() {
  state_->fd.reset();
}

void Peer::reset() {
  const linger at_once{1, 0};
  ::setsockopt(state_->fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  state_->fd.reset();
}

std::string Peer::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(state_->tls.get(), &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

std::string Peer::certificate_digest() const {
  const std::unique_ptr<X509, FreeTls> certificate(SSL_get1_peer_certificate(state_->tls.get()));
  REQUIRE(certificate);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  X509_digest(certificate.get(), EVP_sha256(), digest, &size);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

std::string Peer::certificate_name() const {
  const std::unique_ptr<X509, FreeTls> certificate(SSL_get1_peer_certificate(state_->tls.get()));
  REQUIRE(certificate);
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
  return name;
}

Peer connect(std::uint16_t port) {
  runtime::Fd fd = tcp_to(port);
  REQUIRE_MESSAGE(fd, "nobody listens at port " << port);
  return Peer(std::move(fd));
}

Peer connect_unix(const std::string& path) {
  return Peer(runtime::connect_unix(path));
}

Peer connect_tls(std::uint16_t port, const std::string& host, const std::string& alpn) {
  Peer peer(tcp_to(port));
  peer.begin_tls(host, alpn);
  return peer;
}

void Peer::begin_tls(const std::string& host, const std::string& alpn) {
  Tls tls(SSL_new(client_tls()));
  SSL_set_fd(tls.get(), state_->fd.get());
  std::string name = host;  // SSL_set_tlsext_host_name() without its C cast
  SSL_ctrl(tls.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  const std::string protocols = wire_form(alpn);
  SSL_set_alpn_protos(tls.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned int>(protocols.size()));
  for (int done = 0; (done = SSL_connect(tls.get())) != 1;) {
    const int why = SSL_get_error(tls.get(), done);
    REQUIRE_MESSAGE((why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE), "the handshake failed");
    REQUIRE(wait(state_->fd.get(), why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT));
  }
  state_->tls = std::move(tls);
}

bool is_refused(std::uint16_t port) {
  return !tcp_to(port);
}

Answer get(std::uint16_t port, std::string_view path, std::string_view host) {
  Peer client = connect(port);
  client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) +
              "\r\nConnection: close\r\n\r\n");
  return client.read_answer();
}

App::App(const Folder& folder, const std::string& name) {
  auto listener = runtime::listen_unix(folder / name, 0666);
  REQUIRE(listener.has_value());
  ::chmod((folder / name).c_str(), 0666);  // whatever the umask
  listener_ = std::move(*listener);
}

Peer App::accept() {
  return accept_any({this}).second;
}

bool App::has_visitor() {
  return wait(listener_.get(), POLLIN, milliseconds(0));
}

std::pair<std::size_t, Peer> App::accept_any(const std::vector<App*>& apps) {
  std::vector<pollfd> waits;
  for (const App* app : apps) waits.push_back({app->listener_.get(), POLLIN, 0});
  REQUIRE_MESSAGE(::poll(waits.data(), waits.size(), static_cast<int>(kPatience.count())) > 0, "no visitor");
  std::size_t which = 0;
  while ((waits[which].revents & POLLIN) == 0) ++which;
  runtime::PeerAddress nobody;
  return {which, Peer(runtime::accept_from(apps[which]->listener_.get(), nobody))};
}

}  // namespace play
