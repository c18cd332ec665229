// What a hostile client may send over and over: it is told to calm down (RFC 9113 10.5), its connection ends,
// and the app hears nothing of it, or next to nothing. While it goes on, another client is answered.
#include <atomic>
#include <ctime>
#include <thread>

#include "play_h2.h"

namespace {

using namespace play::h2;

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
threads = 1
[apps.app]
hosts = ["a"]
proxy = ["unix:app.sock"]
[apps.sound]
hosts = ["sound"]
proxy = ["unix:sound.sock"]
)";

Fields head(const char* method) {
  return {{":method", method}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}};
}
std::string open(std::uint32_t stream) {
  return frame(kHeaders, kEndHeaders, stream, block(head("POST")));
}
std::string get(std::uint32_t stream) {
  return frame(kHeaders, kLast, stream, block(head("GET")));
}

struct Flood {
  std::string name;
  std::string first;                                // before it begins
  std::function<std::string(std::uint32_t)> piece;  // with a stream of its own for each
  Code code = kEnhanceYourCalm;
};

/// A front with an app for the attacker's requests and another one for the others'.
struct Play {
  Play()
      : app(folder, "app.sock"),
        sound(folder, "sound.sock"),
        portherd(play::Supervisor::serve(folder, kConfig)) {}

  void another_client_is_answered() {
    play::Peer client = play::connect(portherd.port());
    client.send("GET / HTTP/1.1\r\nHost: sound\r\nConnection: close\r\n\r\n");
    play::Peer worker = sound.accept();
    worker.read_head();
    worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    CHECK(client.read_answer().status == 204);
  }
  std::size_t seen_by_app() {
    std::size_t count = 0;
    for (; app.has_visitor(); ++count) app.accept();
    return count;
  }

  play::Folder folder;
  play::App app, sound;
  play::Supervisor portherd;
};

constexpr std::uint32_t kPieces = 20'000;

/// So often at least that what it costs to open a connection, and to answer the others, does not hide the rest.
std::size_t least_attacks() { return play::is_sanitized() ? 1 : 1000; }

/// All of a flood, made once: what it costs the attacker is to send it.
std::string bytes_of(const Flood& it) {
  std::string bytes = it.first;
  for (std::uint32_t i = 0; i < kPieces; ++i) bytes += it.piece(2 * i + 3);
  return bytes;
}

/// Sends without reading, until all is sent or the other side has closed; then reads what was said. The last
/// GOAWAY's code.
std::optional<std::uint32_t> attack(std::uint16_t port, std::string_view bytes) {
  Client client(play::connect(port));
  client.send(bytes);
  std::optional<std::uint32_t> code;
  while (const auto frame = client.next_or_end()) {
    if (frame->type == kGoaway) code = frame->number(4);
  }
  return code;
}

double seconds_of(clockid_t clock) {
  timespec spent{};
  ::clock_gettime(clock, &spent);
  constexpr double kNanoseconds = 1e9;
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / kNanoseconds;
}
double seconds_of_process(pid_t pid) {
  clockid_t clock{};
  REQUIRE(::clock_getcpuclockid(pid, &clock) == 0);
  return seconds_of(clock);
}

}  // namespace

TEST_CASE("what leads nowhere is counted, whatever it is") {
  const std::string empty_data = frame(kData, kNone, 1);
  const std::string only_padding = frame(kData, kPadded, 1, std::string(1 + 100, '\0').replace(0, 1, 1, 100));
  const auto always = [](std::string bytes) { return [bytes](std::uint32_t) { return bytes; }; };
  const std::vector<Flood> floods{
      {"PING", "", always(frame(kPing, kNone, 0, "12345678"))},
      {"answers to PINGs that we did not send", "", always(frame(kPing, kAck, 0, "12345678"))},
      {"SETTINGS", "", always(frame(kSettings, kNone, 0, setting(4, 65'535)))},
      {"empty SETTINGS", "", always(frame(kSettings, kNone, 0))},
      {"empty DATA", open(1), always(empty_data)},
      {"DATA that is only padding", open(1), always(only_padding)},
      {"PRIORITY", "", always(frame(kPriority, kNone, 3, number(0) + "x"))},
      {"PRIORITY_UPDATE", open(1), always(frame(kPriorityUpdate, kNone, 0, number(1) + "u=1"))},
      {"WINDOW_UPDATE", "", always(frame(kWindow, kNone, 0, number(1)))},
      {"WINDOW_UPDATE of a stream", open(1), always(frame(kWindow, kNone, 1, number(1)))},
      {"unknown frames", "", always(frame(0xbe, kNone, 0, "what?"))},
      {"resets by the client", "",
       [](std::uint32_t id) { return get(id) + frame(kReset, kNone, id, number(kCancel)); }},
      {"resets by the client, of what is not whole", "",
       [](std::uint32_t id) { return open(id) + frame(kReset, kNone, id, number(kCancel)); }},
      {"resets that a window provokes", "",
       [](std::uint32_t id) { return open(id) + frame(kWindow, kNone, id, number(0x7fffffff)); }},
      {"resets that a length provokes", "",
       [](std::uint32_t id) {
         Fields fields = head("POST");
         fields.emplace_back("content-length", "1");
         return frame(kHeaders, kEndHeaders, id, block(fields)) + frame(kData, kEndStream, id, "ab");
       }},
      {"resets that a field provokes", "",
       [](std::uint32_t id) {
         Fields fields = head("GET");
         fields.emplace_back("connection", "close");
         return frame(kHeaders, kLast, id, block(fields));
       }},
  };
  Play play;
  const pid_t front = play.portherd.status().front;
  play.another_client_is_answered();
  const std::uint64_t before = play::memory_of(front);
  for (const Flood& it : floods) {
    INFO(it.name);
    const std::string bytes = bytes_of(it);
    std::atomic<bool> goes_on{true};
    std::vector<std::optional<std::uint32_t>> codes;
    double attacker = 0, ours = seconds_of_process(front);
    std::thread attacking([&] {
      do codes.push_back(attack(play.portherd.port(), bytes));
      while (goes_on || codes.size() < least_attacks());
      attacker = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    });
    for (int i = 0; i < 50; ++i) play.another_client_is_answered();
    goes_on = false;
    attacking.join();
    ours = seconds_of_process(front) - ours;
    MESSAGE(it.name << ": " << codes.size() << " times, our CPU time is " << ours / attacker
                    << " of the attacker's");
    for (const auto& code : codes) CHECK(code == it.code);
    // Where one read ends and the next begins is luck: a request may end up before its reset.
    CHECK(play.seen_by_app() <= 50 * codes.size());
    if (!play::is_sanitized()) CHECK(play::memory_of(front) < before + (16UL << 20));
  }
}

TEST_CASE("a bomb behind an error costs no more than one in front of it") {
  Play play;
  Fields fields = head("GET");
  fields.emplace_back(":path", "/");  // a second one: malformed (RFC 9113 8.3)
  const std::string large = std::string("\x40\x01x\x7f\xa1\x1e", 6) + std::string(4000, 'x');
  Client client(play::connect(play.portherd.port()));
  std::string bytes;
  for (std::uint32_t i = 0; i < 3; ++i)
    bytes += frame(kHeaders, kLast, 2 * i + 1, block(fields) + large + std::string(12'000, '\xbe'));
  client.send(bytes);
  std::optional<Frame> last;
  for (auto frame = client.next_or_end(); frame; frame = client.next_or_end()) last = frame;
  REQUIRE(last);
  REQUIRE(last->type == kGoaway);
  CHECK(last->number(4) == kEnhanceYourCalm);
  CHECK(play.seen_by_app() == 0);
  play.another_client_is_answered();
}

TEST_CASE("a field block has at most eight CONTINUATION frames") {
  Play play;
  Client client(play::connect(play.portherd.port()));
  std::string bytes = frame(kHeaders, kEndStream, 1, block(head("GET")));
  for (int i = 0; i < 9; ++i) bytes += frame(kContinuation, i == 8 ? kEndHeaders : kNone, 1);
  client.send(bytes);
  CHECK(client.next().number(4) == kEnhanceYourCalm);
  CHECK_FALSE(client.next_or_end());
  CHECK(play.seen_by_app() == 0);
  play.another_client_is_answered();
}

TEST_CASE("a field block that unpacks to too much is not unpacked to its end") {
  Play play;
  // One entry of the table with 4000 bytes, then named again and again, a byte each time.
  std::string large = block(head("GET")) + std::string("\x40\x01x\x7f\xa1\x1e", 6) + std::string(4000, 'x');
  std::string bytes;
  SUBCASE("as the head") {
    bytes = frame(kHeaders, kEndStream | kEndHeaders, 1, large + std::string(10'000, '\xbe'));
  }
  SUBCASE("as trailers") {
    large = std::string("\x40\x01x\x7f\xa1\x1e", 6) + std::string(4000, 'x');
    bytes = open(1) + frame(kData, kNone, 1, "a") +
            frame(kHeaders, kLast, 1, large + std::string(10'000, '\xbe'));
  }
  SUBCASE("as cookies") {
    Fields fields = head("GET");
    for (int i = 0; i < 4500; ++i) fields.emplace_back("cookie", "");
    const std::string crumbs = block(fields);
    bytes = frame(kHeaders, kEndStream, 1, crumbs.substr(0, 16'000)) +
            frame(kContinuation, kNone, 1, crumbs.substr(16'000, 16'000)) +
            frame(kContinuation, kEndHeaders, 1, crumbs.substr(32'000));
  }
  Client client(play::connect(play.portherd.port()));
  client.send(bytes);
  std::optional<Frame> last;
  for (auto frame = client.next_or_end(); frame; frame = client.next_or_end()) last = frame;
  REQUIRE(last);
  REQUIRE(last->type == kGoaway);
  CHECK(last->number(4) == kEnhanceYourCalm);
  CHECK(play.seen_by_app() == 0);
  play.another_client_is_answered();
}
