#include "play.h"

TEST_CASE("max_connections_per_address closes what is too many, and takes more when others have gone") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
threads = 2
max_connections_per_address = 2
[apps.app]
proxy = ["unix:app.sock"]
)");
  const auto is_served = [&](play::Peer& client) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    return client.read_answer().body == "ok";
  };
  // The two are in when they have been answered, and stay.
  play::Peer one = play::connect(portherd.port());
  CHECK(is_served(one));
  play::Peer two = play::connect(portherd.port());
  CHECK(is_served(two));
  for (int i = 0; i < 4; ++i) CHECK(play::connect(portherd.port()).is_closed_by_peer());
  one.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  one.read_to_end();
  one.close();
  // The front learns of it a moment later: whoever comes too early is closed without a word.
  std::string answer;
  while (answer.empty()) {
    play::Peer next = play::connect(portherd.port());
    next.send("TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    answer = next.read_to_end();
  }
  CHECK(answer.starts_with("HTTP/1.1 405 "));
}

TEST_CASE("bodies that wait for a worker stay within buffer_memory: past it they go into a file") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
buffer_memory = "1MiB"
drain_timeout = "100ms"
[apps.app]
proxy = ["unix:app.sock"]
buffer_body = "1MiB"
)");
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\nConnection: close\r\n\r\n";
  play::Peer one = play::connect(portherd.port()), two = play::connect(portherd.port());
  one.send(head + std::string(700'000, 'x'));
  two.send(head + std::string(700'000, 'x'));
  // Together they do not fit, and still no worker has a body that is not whole.
  for (play::Peer* const client : {&one, &two}) {
    CHECK_FALSE(app.has_visitor());
    client->send(std::string(200'000, 'y'));
    play::Peer worker = app.accept();
    CHECK(worker.read_body(worker.read_head()) == std::string(700'000, 'x') + std::string(200'000, 'y'));
    worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    CHECK(client->read_answer().status == 204);
  }
}
