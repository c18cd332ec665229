// A whole HTTP/2 connection with a scripted client: nghttp2 on the other end of a socket pair. The site has
// no app, so that every request is answered by ourselves; answers of workers are tests/behaviour's.
#include "proxy/h2_session.h"

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>

#include "doctest_precompiled.h"
#include "proxy/access_log.h"
#include "proxy/front_thread.h"
#include "proxy/tls_context.h"
#include "unit/proxy/tls_peer.h"

namespace {

using namespace std::chrono_literals;
using Fields = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  int status = 0;
  std::string body;
  bool is_whole = false;                   // END_STREAM came
  std::optional<std::uint32_t> was_reset;  // with this error
};

conf::Settings settings_with(const conf::Clocks& clocks) {
  conf::Settings settings;
  settings.log.access.is_on = false;
  settings.front.clocks = clocks;
  return settings;
}

/// One thread of a front, turned by hand, and one client at it.
class Play {
 public:
  explicit Play(const conf::Clocks& clocks = {})
      : board_(std::move(*upstream::Scoreboard::make())),
        snapshot_(std::make_shared<const proxy::Snapshot>(settings_with(clocks), std::vector<upstream::AppIndex>{})),
        site_(*snapshot_, *board_),
        thread_(0, site_, snapshot_, log_, 10) {
    proxy::ClientFacts facts;
    facts.peer.family = AF_UNIX;
    thread_.clients().add(proxy::Transport(std::move(sockets_.ours)), facts);
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_client_new(&client_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(client_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Play() { nghttp2_session_del(client_); }
  Play(const Play&) = delete;
  Play& operator=(const Play&) = delete;

  nghttp2_session* client() { return client_; }
  proxy::FrontThread& thread() { return thread_; }

  std::int32_t ask(const Fields& fields, bool has_body = false) {
    std::vector<nghttp2_nv> pairs;
    for (const auto& [name, value] : fields) {
      pairs.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider never{};
    never.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t, std::uint32_t*,
                             nghttp2_data_source*, void*) -> ssize_t { return NGHTTP2_ERR_DEFERRED; };
    return nghttp2_submit_request(client_, nullptr, pairs.data(), pairs.size(), has_body ? &never : nullptr,
                                  nullptr);
  }

  /// Moves bytes to and fro until nobody has anything more to say.
  void settle() {
    for (int quiet = 0; quiet < 3;) quiet = step() ? 0 : quiet + 1;
  }
  /// The same, until our side has closed the connection.
  void until_closed() {
    while (!is_closed_) step();
  }

  const Answer& answer(std::int32_t id) { return answers_[id]; }
  const std::vector<std::pair<std::int32_t, std::uint32_t>>& goaways() const { return goaways_; }
  bool is_closed() const { return is_closed_; }
  /// What there is to be said goes into the socket; nobody has read it yet.
  bool say() {
    const std::uint8_t* out = nullptr;
    bool has_said = false;
    for (ssize_t n = 0; !is_closed_ && (n = nghttp2_session_mem_send(client_, &out)) > 0;) {
      has_said =
          ::send(sockets_.theirs.get(), out, static_cast<std::size_t>(n), MSG_NOSIGNAL) == n || has_said;
    }
    return has_said;
  }
  /// Bytes that nghttp2 would not write.
  void send_raw(std::string_view raw) {
    REQUIRE(::write(sockets_.theirs.get(), raw.data(), raw.size()) == static_cast<ssize_t>(raw.size()));
  }

 private:
  static std::uint8_t* bytes(const std::string& text) {
    return static_cast<std::uint8_t*>(static_cast<void*>(const_cast<char*>(text.data())));
  }

  bool step() {
    const bool has_said = say();
    thread_.loop().turn(/*wait=*/false);
    std::uint8_t in[65536];
    const ssize_t n = ::read(sockets_.theirs.get(), in, sizeof in);
    is_closed_ = is_closed_ || n == 0;
    if (n <= 0) return has_said;
    nghttp2_session_mem_recv(client_, in, static_cast<std::size_t>(n));
    frames_.append(in, in + n);
    look_for_goaways();
    return true;
  }

  /// By ourselves: after a first GOAWAY, nghttp2 looks at no other.
  void look_for_goaways() {
    constexpr std::size_t kHead = 9;
    const auto number = [this](std::size_t at, std::size_t size) {
      std::uint32_t sum = 0;
      for (std::size_t i = 0; i < size; ++i) sum = sum << 8 | static_cast<unsigned char>(frames_[at + i]);
      return sum;
    };
    while (frames_.size() >= kHead && frames_.size() >= kHead + number(0, 3)) {
      if (frames_[3] == NGHTTP2_GOAWAY) goaways_.emplace_back(number(kHead, 4), number(kHead + 4, 4));
      frames_.erase(0, kHead + number(0, 3));
    }
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* self) {
    const std::string key(name, name + size), text(value, value + value_size);
    if (key == ":status") static_cast<Play*>(self)->answers_[frame->hd.stream_id].status = std::stoi(text);
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* self) {
    static_cast<Play*>(self)->answers_[id].body.append(data, data + size);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    Play& play = *static_cast<Play*>(self);
    const std::int32_t id = frame->hd.stream_id;
    const bool may_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (may_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) play.answers_[id].is_whole = true;
    if (frame->hd.type == NGHTTP2_RST_STREAM) play.answers_[id].was_reset = frame->rst_stream.error_code;
    return 0;
  }

  tls_peer::Sockets sockets_;
  upstream::Scoreboard board_;
  proxy::SnapshotPointer snapshot_;
  proxy::Site site_;
  proxy::AccessLog log_;
  proxy::FrontThread thread_;
  nghttp2_session* client_ = nullptr;
  std::map<std::int32_t, Answer> answers_;
  std::vector<std::pair<std::int32_t, std::uint32_t>> goaways_;
  std::string frames_;  // what came, from the first frame on that is not whole
  bool is_closed_ = false;
};

const Fields kGet{{":method", "GET"}, {":scheme", "http"}, {":authority", "a.example"}, {":path", "/"}};

Fields with(Fields fields, const std::string& name, const std::string& value) {
  fields.emplace_back(name, value);
  return fields;
}

constexpr std::int32_t kAnyStream = 0x7fffffff;

}  // namespace

TEST_CASE("requests at the same time are all answered, each on its stream") {
  Play play;
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(play.ask(kGet));
  play.settle();
  for (const std::int32_t id : ids) {
    CAPTURE(id);
    CHECK(play.answer(id).status == 404);
    CHECK(play.answer(id).body == "404 Not Found\n");
    CHECK(play.answer(id).is_whole);
    CHECK_FALSE(play.answer(id).was_reset);
  }
}

TEST_CASE("what is no request is refused, and the connection goes on") {
  Play play;
  const std::int32_t differs = play.ask(with(kGet, "host", "b.example"));
  const std::int32_t large = play.ask(with(kGet, "x", std::string(40'000, 'x')));
  const std::int32_t good = play.ask(kGet);
  play.settle();
  CHECK(play.answer(differs).status == 400);
  CHECK(play.answer(large).status == 431);
  CHECK(play.answer(good).status == 404);
}

TEST_CASE("connection-specific fields are a stream error (RFC 9113 8.2.2)") {
  Play play;
  const std::int32_t id = play.ask(with(kGet, "connection", "keep-alive"));
  play.settle();
  CHECK(play.answer(id).was_reset == NGHTTP2_PROTOCOL_ERROR);
  CHECK(play.answer(id).status == 0);
}

TEST_CASE("an answer that does not wait for the body is whole, and the stream is not reset") {
  Play play;
  const std::int32_t id =
      play.ask({{":method", "POST"}, {":scheme", "http"}, {":authority", "a.example"}, {":path", "/"}}, true);
  play.settle();
  CHECK(play.answer(id).status == 404);
  CHECK(play.answer(id).is_whole);
  CHECK_FALSE(play.answer(id).was_reset);
}

TEST_CASE("the answer to HEAD has no body") {
  Play play;
  const std::int32_t id =
      play.ask({{":method", "HEAD"}, {":scheme", "http"}, {":authority", "a.example"}, {":path", "/"}});
  play.settle();
  CHECK(play.answer(id).status == 404);
  CHECK(play.answer(id).body.empty());
  CHECK(play.answer(id).is_whole);
}

TEST_CASE("a drain says GOAWAY in two steps, answers what is on its way, and closes") {
  Play play;
  const std::int32_t first = play.ask(kGet);
  play.settle();
  play.thread().clients().drain();
  const std::int32_t late = play.ask(kGet);  // sent before the client has heard
  play.settle();
  REQUIRE(play.goaways().size() == 2);
  CHECK(play.goaways()[0] == std::pair{kAnyStream, std::uint32_t{NGHTTP2_NO_ERROR}});
  CHECK(play.goaways()[1] == std::pair{late, std::uint32_t{NGHTTP2_NO_ERROR}});
  CHECK(play.answer(first).status == 404);
  CHECK(play.answer(late).status == 404);
  CHECK(play.is_closed());
}

TEST_CASE("frames that lead nowhere are counted, and in the end refused") {
  Play play;
  play.settle();
  for (int burst = 0; burst < 50; ++burst) {
    for (int i = 0; i < 100; ++i) nghttp2_submit_ping(play.client(), NGHTTP2_FLAG_NONE, nullptr);
    play.settle();
    if (play.is_closed()) break;
  }
  REQUIRE_FALSE(play.goaways().empty());
  CHECK(play.goaways().back().second == NGHTTP2_ENHANCE_YOUR_CALM);
  CHECK(play.is_closed());
}

TEST_CASE("a client that resets what it asked for, again and again, is sent away") {
  Play play;
  play.settle();
  for (int burst = 0; burst < 100 && !play.is_closed(); ++burst) {
    for (int i = 0; i < 20; ++i) {
      const std::int32_t id = play.ask(kGet, true);
      play.say();
      nghttp2_submit_rst_stream(play.client(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    }
    play.settle();
  }
  CHECK(play.is_closed());
}

TEST_CASE("a client may reset every request that is answered before it has sent it whole") {
  Play play;
  play.settle();
  for (int burst = 0; burst < 50; ++burst) {
    std::vector<std::int32_t> ids;
    for (int i = 0; i < 20; ++i) ids.push_back(play.ask(kGet, true));
    play.settle();
    for (const std::int32_t id : ids)
      nghttp2_submit_rst_stream(play.client(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    play.settle();
  }
  CHECK(play.goaways().empty());
  const std::int32_t id = play.ask(kGet);
  play.settle();
  CHECK(play.answer(id).status == 404);
}

TEST_CASE("what is no HTTP/2 ends the connection") {
  Play play;
  play.settle();
  play.send_raw({"\xff\xff\xff\x01\x05\x00\x00\x00\x01garbage", 16});
  play.settle();
  CHECK(play.is_closed());
}

TEST_CASE("a connection without requests ends with GOAWAY when keep_alive is over") {
  conf::Clocks clocks;
  clocks.keep_alive = 50ms;
  Play play(clocks);
  const std::int32_t id = play.ask(kGet);
  play.until_closed();
  CHECK(play.answer(id).status == 404);
  REQUIRE_FALSE(play.goaways().empty());
  CHECK(play.goaways().back().second == NGHTTP2_NO_ERROR);
}

TEST_CASE("an idle connection that makes room for another says GOAWAY") {
  Play play;
  const std::int32_t id = play.ask(kGet);
  play.settle();
  play.thread().clients().close_idlest();
  play.settle();
  REQUIRE(play.goaways().size() == 1);
  CHECK(play.goaways()[0] == std::pair{id, std::uint32_t{NGHTTP2_NO_ERROR}});
  CHECK(play.is_closed());
  CHECK(play.thread().clients().size() == 0);
}

TEST_CASE("a head that does not come to its end is waited for as long as the head clock says") {
  conf::Clocks clocks;
  clocks.head = 50ms;
  Play play(clocks);
  play.settle();
  // HEADERS without END_HEADERS on stream 1, one byte of block: ":method: GET".
  play.send_raw({"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82", 10});
  play.until_closed();
  CHECK(play.is_closed());
}
