#include "play.h"

TEST_CASE("each app answers for its own hosts, and nobody for others") {
  const play::Folder folder;
  folder.write("shop.py", "def app(e, s):\n    s('200 OK', []); return [b'shop']\n");
  folder.write("blog.py", "def app(e, s):\n    s('200 OK', []); return [b'blog']\n");
  folder.write("apps.d/blog.toml", "wsgi = 'blog:app'\ndirectory = '..'\npython = '" + play::python() +
                                       "'\nhosts = ['blog.example', 'www.blog.example']\n");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT", "unix:listen.sock"]
[apps.shop]
hosts = ["shop.example"]
wsgi = "shop:app"
python = "$PYTHON"
)");

  CHECK(play::get(portherd.port(), "/", "shop.example").body == "shop");
  CHECK(play::get(portherd.port(), "/", "SHOP.example:8080").body == "shop");
  CHECK(play::get(portherd.port(), "/", "www.blog.example").body == "blog");
  const play::Answer stranger = play::get(portherd.port(), "/", "evil.example");
  CHECK((stranger.status == 404 || stranger.status == 421));

  play::Peer client = play::connect_unix(folder / "listen.sock");
  client.send("GET / HTTP/1.1\r\nHost: blog.example\r\n\r\n");
  CHECK(client.read_answer().body == "blog");
}

TEST_CASE("an app without hosts answers for every host that no other app has") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.shop]
hosts = ["shop.example"]
command = ["$PYTHON", "$APPS/who.py"]
[apps.rest]
command = ["$PYTHON", "$APPS/echo.py"]
)");

  CHECK(play::get(portherd.port(), "/", "shop.example").body.find("GET") == std::string::npos);
  CHECK(play::get(portherd.port(), "/", "any.example").body.starts_with("GET / "));
}
