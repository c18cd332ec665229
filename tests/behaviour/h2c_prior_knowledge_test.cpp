#include "play.h"

TEST_CASE("a client that knows HTTP/2 is there may speak it without TLS") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.echo]
command = ["$PYTHON", "$APPS/echo.py"]
)");
  const std::string url = "http://127.0.0.1:" + std::to_string(portherd.port()) + "/x";

  const play::Ended curl = play::run({"curl", "-sS", "--http2-prior-knowledge", "--data", "hello", "-w",
                                      " %{http_version} %{http_code}", url});
  CHECK(curl.out.starts_with("POST /x HTTP/1.1\r\n"));
  CHECK(curl.out.ends_with("hello 2 200"));
}
