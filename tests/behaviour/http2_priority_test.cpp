// RFC 9218: what a client needs first is written first. All answers are in the front before any of them may
// go, so that their order is the front's choice and nobody's luck.
#include "play_h2.h"

namespace {

using namespace play::h2;

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)";

struct Asked {
  std::uint32_t stream;
  const char* priority;
};

/// The streams of the DATA frames, in order, when answers of `size` bytes wait for all that is asked.
std::vector<std::uint32_t> order(const std::vector<Asked>& all, std::size_t size,
                                 std::string_view more = {}) {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  constexpr std::uint16_t kInitialWindow = 4;
  Client client(play::connect(portherd.port()), setting(kInitialWindow, 0));
  client.send(frame(kWindow, kNone, 0, number(1 << 20)));
  for (const auto& [stream, priority] : all) {
    client.send(frame(kHeaders, kLast, stream,
                      block({{":method", "GET"},
                             {":scheme", "http"},
                             {":authority", "a"},
                             {":path", "/"},
                             {"priority", priority}})));
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(size) +
                "\r\n\r\n" + std::string(size, 'x'));
    CHECK(worker.is_closed_by_peer());  // the front has had all of it
    CHECK(client.next(kHeaders, stream).status() == 200);
  }
  client.send(std::string(more) + frame(kSettings, kNone, 0, setting(kInitialWindow, 1 << 20)));
  std::vector<std::uint32_t> found;
  for (std::size_t ended = 0; ended < all.size();) {
    const Frame frame = client.next();
    REQUIRE(frame.type == kData);
    if (!frame.payload.empty()) found.push_back(frame.stream);
    ended += frame.has(kEndStream) ? 1 : 0;
  }
  return found;
}

using Order = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("the urgent goes first, and without a word urgency is 3 (RFC 9218 4.1)") {
  CHECK(order({{1, "u=7"}, {3, "u=3"}, {5, "u=0"}, {7, ""}, {9, "u=5, i"}, {11, "u=1"}}, 1000) ==
        Order{5, 11, 3, 7, 9, 1});
}

TEST_CASE("of one urgency the first comes first, unless they are of use in pieces (RFC 9218 4.2)") {
  constexpr std::size_t kTwoFrames = 20'000;
  CHECK(order({{1, "u=3"}, {3, "u=3"}}, kTwoFrames) == Order{1, 1, 3, 3});
  CHECK(order({{1, "u=3, i"}, {3, "u=3, i"}}, kTwoFrames) == Order{1, 3, 1, 3});
}

TEST_CASE("a client may change its mind (RFC 9218 7.1)") {
  const std::string update = frame(kPriorityUpdate, kNone, 0, number(3) + "u=0");
  CHECK(order({{1, "u=2"}, {3, "u=4"}}, 1000, update) == Order{3, 1});
}
