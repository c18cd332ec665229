#include "play.h"

TEST_CASE("a redirect route sends clients on, with or without the rest of the path") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.old]
hosts = ["old.example"]
[[apps.old.routes]]
redirect = "https://new.example"
status = 308
[apps.shop]
[[apps.shop.routes]]
path = "/moved"
redirect = "/here/"
[[apps.shop.routes]]
path = "/gone/"
redirect = "https://elsewhere.example/?from=shop"
status = 302
keep_path = false
)");
  play::Peer client = play::connect(portherd.port());
  const auto ask = [&](const std::string& line, const std::string& host) {
    client.send(line + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    const play::Answer answer = client.read_answer();
    return std::to_string(answer.status) + " " + answer.field("Location");
  };
  CHECK(ask("GET /", "old.example") == "308 https://new.example");
  CHECK(ask("GET /a/b?c=d", "old.example") == "308 https://new.example/a/b?c=d");
  CHECK(ask("POST /a", "OLD.example:80") == "308 https://new.example/a");
  CHECK(ask("GET //evil.example/", "old.example") == "308 https://new.example/evil.example/");
  CHECK(ask("GET /moved", "shop.example") == "307 /here/");
  CHECK(ask("GET /moved/x?y", "shop.example") == "307 /here/x?y");
  CHECK(ask("GET /moved//evil.example", "shop.example") == "307 /here/evil.example");
  CHECK(ask("GET /gone/x", "shop.example") == "302 https://elsewhere.example/?from=shop");
  CHECK(ask("GET /other", "shop.example") == "404 ");
  CHECK(portherd.status().app("shop").state == "ready");
  CHECK(portherd.status().app("shop").workers.empty());

  // The body is not waited for; what would follow it is never read as a request.
  client.send("POST /moved HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  CHECK(client.read_answer().status == 307);
  CHECK(client.is_closed_by_peer());
}
