// `portherd reload` and `portherd plan`: what is another setting is put in force, under load and beside what lives long; what
// is not is not touched; a file with a mistake changes nothing.
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "load.h"
#include "play.h"

namespace {

constexpr const char* kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: live\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr const char* kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
constexpr const char* kEventStream =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\ndata: one\n\n";

/// What the tests change, one after the other.
struct Site {
  std::string listen = R"("127.0.0.1:$PORT")";
  std::string log = R"(access = "off")";
  std::string route = "/old/";
  std::string word = "one";
  std::string workers = "2";
  std::string more_of_app, more;

  std::string text() const {
    return "[listen]\nhttp = [" + listen + "]\nhttps = [\"127.0.0.1:$TLS\"]\n[tls]\ncertificates = \"tls\"\n[log]\n" + log +
           "\n[apps.live]\nhosts = [\"live\"]\nproxy = [\"unix:live.sock\"]\nplain_http = \"serve\"\n" +
           "[apps.app]\ncommand = [\"$PYTHON\", \"$APPS/says.py\"]\nplain_http = \"serve\"\nworkers = " + workers +
           "\nenv = { WORD = \"" + word + "\" }\nroutes = [{ path = \"" + route + "\", redirect = \"/new/\" }]\n" +
           more_of_app + more;
  }
};

/// A served site, with a folder and somebody to play the app `live`.
struct Stage {
  Stage() : live((folder.certificate("localhost"), folder), "live.sock"), portherd(play::Supervisor::serve(folder, site.text())) {
    portherd.wait_ready();
  }

  std::string replaced(std::string text) const {
    const std::pair<std::string, std::string> words[] = {{"$PORT", std::to_string(portherd.port())},
                                                         {"$TLS", std::to_string(portherd.tls_port())},
                                                         {"$PYTHON", play::python()},
                                                         {"$APPS", play::source("tests/apps")}};
    for (const auto& [word, value] : words) {
      for (std::size_t at = 0; (at = text.find(word)) != std::string::npos;) text.replace(at, word.size(), value);
    }
    return text;
  }
  void write(const std::string& text) const { std::ofstream(portherd.config_file()) << replaced(text); }
  play::Ended order(const std::string& verb, const std::string& option = "") const {
    play::Arguments arguments{verb, "-c", portherd.config_file()};
    if (!option.empty()) arguments.push_back(option);
    return play::portherd(arguments);
  }
  play::Ended reload() const {
    write(site.text());
    play::Ended ended = order("reload");
    INFO(ended.out << ended.err);
    return ended;
  }
  std::string get(const std::string& path = "/", const std::string& host = "a") const {
    return play::get(portherd.port(), path, host).body;
  }

  play::Folder folder;
  Site site;
  play::App live;
  play::Supervisor portherd;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a route is put in force without another process, an env value by a release") {
  Stage stage;
  const auto before = stage.portherd.status();
  stage.site.route = "/older/";
  const play::Ended route = stage.reload();
  CHECK(route.status == 0);
  CHECK(has(route.out, "apps.app.routes[/older/]"));
  CHECK(play::get(stage.portherd.port(), "/older/x", "a").status == 307);
  CHECK(play::get(stage.portherd.port(), "/old/x", "a").status == 200);
  const auto between = stage.portherd.status();
  CHECK(between.app("app").ready() == before.app("app").ready());
  CHECK(between.front == before.front);

  stage.site.word = "two";
  const play::Ended word = stage.reload();
  CHECK(word.status == 0);
  CHECK(has(word.out, "app app, generation 2: 2 of 2 workers ready"));
  CHECK_FALSE(has(word.out, "two"));
  CHECK(stage.get() == "two");
  CHECK(stage.portherd.status().front == before.front);
}

TEST_CASE("plan says what a reload would change, and changes nothing") {
  Stage stage;
  stage.site.word = "two";
  stage.site.workers = "3";
  stage.write(stage.site.text());
  const play::Ended plan = stage.order("plan");
  CHECK(plan.status == 0);
  CHECK(has(plan.out, "apps.app.env"));
  CHECK(has(plan.out, "apps.app.workers: 2 -> 3"));
  const play::Ended json = stage.order("plan", "--json");
  CHECK(has(json.out, R"("key":"apps.app.workers","what":"2 -> 3")"));
  CHECK(stage.get() == "one");
  CHECK(stage.portherd.status().app("app").workers.size() == 2);
  stage.write("[listen\n");
  CHECK(stage.order("plan").status == 2);
}

TEST_CASE("a file with a mistake, or that names what cannot be had, changes nothing and says so") {
  Stage stage;
  const auto before = stage.portherd.status();
  std::string said;
  SUBCASE("a key that is none") {
    stage.site.more_of_app = "worker = 3\n";
    said = "portherd.toml:";
  }
  SUBCASE("an address in use") {
    stage.site.listen += R"(, "127.0.0.1:)" + std::to_string(stage.portherd.tls_port()) + '"';
    said = "nothing has changed";
  }
  SUBCASE("a log that cannot be opened") {
    stage.site.log = R"(access = { path = "/proc/no/such" })";
    said = "/proc/no/such";
  }
  SUBCASE("a key that is no key") {
    stage.folder.write("tls/other.crt", "nothing");
    stage.folder.write("tls/other.key", "nothing");
    said = "other";
  }
  stage.site.word = "two";
  const play::Ended ended = stage.reload();
  CHECK(ended.status != 0);
  CHECK(has(ended.err, "nothing has changed"));
  CHECK(has(ended.err, said));
  const std::string line = stage.portherd.expect_line("the settings could not be reloaded: nothing has changed");
  INFO(line);
  CHECK(has(line, said.ends_with("toml:") ? said : "error="));
  const auto after = stage.portherd.status();
  CHECK(after.app("app").ready() == before.app("app").ready());
  CHECK(after.front == before.front);
  CHECK(stage.get() == "one");
  CHECK(play::connect_tls(stage.portherd.tls_port()).certificate_name() == "localhost");
}

TEST_CASE("a release that does not boot leaves its app behind; the rest is in force, and the next reload tries again") {
  Stage stage;
  stage.site.word = "broken";
  stage.site.route = "/older/";
  stage.site.more = "[apps.other]\nhosts = [\"other\"]\ncommand = [\"$PYTHON\", \"$APPS/who.py\"]\nplain_http = \"serve\"\n";
  const play::Ended ended = stage.reload();
  CHECK(ended.status == 1);
  CHECK(has(ended.err, "generation 2 of app app did not become ready"));
  CHECK(has(ended.err, "WORD is broken"));
  CHECK(has(ended.err, "all else that the file says is in force"));
  CHECK(stage.get() == "one");
  CHECK(play::get(stage.portherd.port(), "/older/x", "a").status == 307);
  CHECK(play::get(stage.portherd.port(), "/", "other").status == 200);
  CHECK(has(stage.portherd.status().text, "\"behind\": \"generation 2 of app app did not become ready"));
  CHECK(has(stage.order("plan").out, "apps.app.env"));
  CHECK(stage.order("upgrade").status == 0);  // the next program knows it, too
  CHECK(has(stage.portherd.status().text, "\"behind\": \"generation 2 of app app did not become ready"));
  CHECK(stage.order("reload").status == 1);
  stage.site.word = "mended";
  CHECK(stage.reload().status == 0);
  CHECK(stage.get() == "mended");
  CHECK_FALSE(has(stage.portherd.status().text, "\"behind\": \""));

  CHECK(play::portherd({"rollback", "app", "-c", stage.portherd.config_file()}).status == 0);
  CHECK(stage.get() == "one");
  CHECK(has(stage.portherd.status().text, "\"behind\": \"rolled back: generation "));
  CHECK(stage.order("reload").status == 0);
  CHECK(stage.get() == "mended");
  CHECK_FALSE(has(stage.portherd.status().text, "\"behind\": \""));
}

TEST_CASE("an app comes and goes, and comes again") {
  Stage stage;
  const std::string other =
      "[apps.other]\nhosts = [\"other\"]\ncommand = [\"$PYTHON\", \"$APPS/says.py\"]\nplain_http = \"serve\"\nenv = { WORD = \"other\" }\n";
  for (int i = 0; i < 2; ++i) {
    stage.site.more = other;
    CHECK(stage.reload().status == 0);
    CHECK(stage.get("/", "other") == "other");
    const pid_t pid = stage.portherd.status().app("other").ready().front();
    stage.site.more.clear();
    CHECK(stage.reload().status == 0);
    play::wait_gone(pid);
    CHECK(stage.get("/", "other") == "one");
  }
  CHECK(stage.portherd.status().apps.size() == 2);
}

TEST_CASE("HUP reloads, and tells the service manager; without a file there is nothing to reload") {
  const play::Folder folder;
  const std::string path = folder / "notify";
  const runtime::Fd manager(::socket(AF_UNIX, SOCK_DGRAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, address.sun_path);
  REQUIRE(::bind(manager.get(), static_cast<const sockaddr*>(static_cast<const void*>(&address)), sizeof address) == 0);
  const auto next_word = [&] {
    char text[256];
    pollfd there{manager.get(), POLLIN, 0};
    REQUIRE(::poll(&there, 1, static_cast<int>(play::kPatience.count())) == 1);
    const auto n = ::recv(manager.get(), text, sizeof text, 0);
    return std::string(text, static_cast<std::size_t>(n));
  };
  const std::string settings =
      "[listen]\nhttp = [\"127.0.0.1:$PORT\"]\n[apps.app]\ncommand = [\"$PYTHON\", \"$APPS/says.py\"]\n";
  auto portherd = play::Supervisor::serve(folder, settings, {{"NOTIFY_SOCKET", path}});
  CHECK(next_word() == "READY=1");
  portherd.signal(SIGHUP);
  CHECK(next_word().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(next_word() == "READY=1");
  portherd.expect_line("the settings have been reloaded");

  const play::Folder other;
  auto run = play::Supervisor::run(other, {"--", "$PYTHON", "$APPS/says.py"});
  run.signal(SIGHUP);
  run.expect_line("there is nothing to reload");
}

TEST_CASE("an app that comes by a reload and does not boot ends nobody else, under `run` either") {
  const play::Folder folder;
  const std::string site = "[apps.app]\ncommand = [\"" + play::python() + "\", \"" + play::source("tests/apps") + "/says.py\"]\n";
  folder.write("portherd.toml", site);
  auto portherd = play::Supervisor::run(folder, {"--bind", "127.0.0.1:$PORT", "."});
  const auto before = portherd.wait_ready();
  const std::string program = "command = [\"" + play::python() + "\", \"" + play::source("tests/apps") + "/crash_loop.py\"]\n";
  std::string other;
  SUBCASE("an app") { other = "[apps.other]\nhosts = [\"other\"]\n" + program; }
  SUBCASE("an app of a service alone") { other = "[apps.other]\n[[apps.other.services]]\nname = \"jobs\"\n" + program; }
  folder.write("portherd.toml", site + other);
  portherd.signal(SIGHUP);
  portherd.expect_line("did not become ready");
  portherd.wait_until("it is tried again", [](const play::Status& now) {
    return now.apps.size() == 2 && (now.app("other").state == "failing" || has(now.text, "\"state\": \"failing\""));
  });
  const auto after = portherd.status();
  CHECK(after.app("app").ready() == before.app("app").ready());
  CHECK(play::get(portherd.port()).body == "nothing");
}

TEST_CASE("who orders a reload while one is under way waits for its end, and one more does for all") {
  Stage stage;
  stage.site.workers = "1";
  CHECK(stage.reload().status == 0);
  const std::string pipe = stage.folder / "go";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  stage.site.word = "waits";
  stage.write(stage.site.text());
  std::vector<play::Ended> ended(3);
  std::vector<std::thread> callers;
  callers.emplace_back([&] { ended[0] = stage.order("reload"); });
  stage.portherd.wait_until("it is under way", [](const play::Status& now) { return has(now.text, "\"extras\": [\n"); });
  play::Peer hears = play::connect_unix(stage.folder / "portherd.sock");
  hears.send("{\"verb\":\"reload\"}\n");
  CHECK(has(hears.read_some(), "this one waits for its end"));
  for (const std::size_t i : {1U, 2U}) callers.emplace_back([&, i] { ended[i] = stage.order("reload"); });
  stage.site.route = "/newest/";
  stage.write(stage.site.text());
  std::ofstream(pipe) << "go on\n";
  for (std::thread& caller : callers) caller.join();
  for (const play::Ended& one : ended) CHECK_MESSAGE(one.status == 0, one.err);
  CHECK(has(hears.read_to_end(), "\"ok\":true"));
  CHECK(play::get(stage.portherd.port(), "/newest/").status == 307);
}

TEST_CASE("a reload and an upgrade that come while a front is being started wait for it") {
  Stage stage;
  stage.site.route = "/newest/";
  stage.write(stage.site.text());
  const pid_t front = stage.portherd.status().front;
  SUBCASE("a reload") {
    REQUIRE(::kill(front, SIGKILL) == 0);
    stage.portherd.expect_line("the front has ended: starting another");
    const play::Ended reloaded = stage.order("reload");
    CHECK_MESSAGE(reloaded.status == 0, reloaded.err);
    CHECK(play::get(stage.portherd.port(), "/newest/").status == 307);
  }
  SUBCASE("an upgrade") {
    REQUIRE(::kill(front, SIGKILL) == 0);
    stage.portherd.expect_line("the front has ended: starting another");
    const play::Ended upgraded = stage.order("upgrade");
    CHECK_MESSAGE(upgraded.status == 0, upgraded.err);
  }
}

TEST_CASE("another spool takes another front, and no request fails; where there is none nothing has changed") {
  Stage stage;
  const auto before = stage.portherd.status();
  play::Clients clients(stage.portherd, 4, "/");
  stage.site.more_of_app = "[front]\nspool = \"none\"\n";
  CHECK(has(stage.reload().err, "nothing has changed"));
  stage.site.more_of_app = "[front]\nspool = \"" + stage.folder.path() + "\"\n";
  CHECK(stage.reload().status == 0);
  const auto after = stage.portherd.status();
  CHECK(after.front != before.front);
  CHECK(after.app("app").ready() == before.app("app").ready());
  const std::size_t served = clients.served;
  stage.portherd.wait_until("it serves on", [&](const play::Status&) { return clients.served > served + 20; });
  clients.stop();
  CHECK(clients.failed == 0);
}

TEST_CASE("a proxy is found at another address, and who it serves at the old one is served to the end") {
  Stage stage;
  play::App moved(stage.folder, "moved.sock");
  play::Peer old = play::connect(stage.portherd.port());
  old.send("GET /old HTTP/1.1\r\nHost: live\r\n\r\n");
  play::Peer at_old = stage.live.accept();
  at_old.read_head();
  std::string text = stage.site.text();
  text.replace(text.find("live.sock"), 9, "moved.sock");
  stage.write(text);
  CHECK(stage.order("reload").status == 0);
  play::Peer fresh = play::connect(stage.portherd.port());
  fresh.send("GET /new HTTP/1.1\r\nHost: live\r\n\r\n");
  auto [which, worker] = play::App::accept_any({&moved, &stage.live});
  CHECK(which == 0);
  CHECK(has(worker.read_head(), "/new"));
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew");
  CHECK(fresh.read_answer().body == "new");
  at_old.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
  CHECK(old.read_answer().body == "old");
}

TEST_CASE("who is served at an address that a proxy no longer has is cut after graceful_timeout, by the next program, too") {
  Stage stage;
  play::App moved(stage.folder, "moved.sock");
  play::Peer client = play::connect(stage.portherd.port());
  client.send("POST / HTTP/1.1\r\nHost: live\r\nContent-Length: 0\r\n\r\n");
  play::Peer worker = stage.live.accept();
  worker.read_head();
  std::string text = stage.site.text();
  text.replace(text.find("\"unix:live.sock\"]"), 17, "\"unix:moved.sock\"]\ngraceful_timeout = \"2s\"");
  stage.write(text);
  CHECK(stage.order("reload").status == 0);
  SUBCASE("alone") {}
  SUBCASE("upgraded meanwhile") { CHECK(stage.order("upgrade").status == 0); }
  CHECK(client.read_answer("POST").status == 502);
}

TEST_CASE("an app that goes while another front takes over is waited for no longer than it has requests") {
  Stage stage;
  stage.site.more =
      "[apps.other]\nhosts = [\"other\"]\ncommand = [\"$PYTHON\", \"$APPS/says.py\"]\nplain_http = \"serve\"\ngraceful_timeout = \"1h\"\n";
  CHECK(stage.reload().status == 0);
  const pid_t pid = stage.portherd.status().app("other").ready().front();
  stage.site.more.clear();
  stage.site.more_of_app = "[front]\nspool = \"" + stage.folder.path() + "\"\n";
  CHECK(stage.reload().status == 0);
  play::wait_gone(pid);
}

TEST_CASE("an address takes over from one that it covers, and that from it, and nobody who connects is lost") {
  Stage stage;
  std::atomic<bool> is_enough = false;
  std::atomic<std::size_t> served = 0, failed = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!is_enough) ++(play::get(stage.portherd.port(), "/", "a").status == 200 ? served : failed);
    });
  }
  const std::string narrow = stage.site.listen;
  for (int i = 0; i < 6; ++i) {
    stage.site.listen = i % 2 == 0 ? "\"*:$PORT\"" : narrow;
    const play::Ended ended = stage.reload();
    CHECK_MESSAGE(ended.status == 0, ended.err);
    const std::size_t before = served;
    stage.portherd.wait_until("it serves on", [&](const play::Status&) { return served > before + 20; });
  }
  is_enough = true;
  for (std::thread& client : clients) client.join();
  MESSAGE(served.load() << " served");
  CHECK(failed == 0);
}

TEST_CASE("twenty reloads under load, each of something else, fail no request and end nothing that lives long") {
  Stage stage;
  const std::uint16_t added = play::free_port();
  play::Peer socket = play::connect(stage.portherd.port());
  socket.send(kUpgrade);
  play::Peer chat = stage.live.accept();
  chat.read_head();
  chat.send(kSwitched);
  socket.read_head();
  play::Peer events = play::connect(stage.portherd.port());
  events.send("GET /events HTTP/1.1\r\nHost: live\r\n\r\n");
  play::Peer source = stage.live.accept();
  source.read_head();
  source.send(kEventStream);
  events.read_head();

  play::Clients clients(stage.portherd, 4, "/");
  std::atomic<bool> is_enough = false;
  std::uint64_t asked = 0, answered = 0;
  std::thread over_h2([&] {
    while (!is_enough) {
      const play::Load load = play::to_load(play::run({"h2load", "-n", "200", "-c", "2", "-m", "4", "https://127.0.0.1:" +
                                                       std::to_string(stage.portherd.tls_port()) + "/"}));
      asked += 200;
      answered += load.answered_2xx;
    }
  });
  const std::string other =
      "[apps.other]\nhosts = [\"other\"]\ncommand = [\"$PYTHON\", \"$APPS/says.py\"]\nplain_http = \"serve\"\n";
  const std::string own = stage.site.listen;
  for (int i = 0; i < 20; ++i) {
    switch (i % 7) {
      case 0: stage.site.route = "/old" + std::to_string(i) + "/"; break;
      case 1:
        stage.folder.certificate("localhost");
        break;
      case 2: stage.site.word = "word" + std::to_string(i); break;
      case 3: stage.site.log = "access = { path = \"access." + std::to_string(i) + "\" }"; break;
      case 4: stage.site.workers = std::to_string(2 + i % 2); break;
      case 5: stage.site.listen = stage.site.listen == own ? own + ", \"127.0.0.1:" + std::to_string(added) + '"' : own; break;
      case 6: stage.site.more = stage.site.more.empty() ? other : ""; break;
    }
    const std::string digest = play::connect_tls(stage.portherd.tls_port()).certificate_digest();
    const play::Ended ended = stage.reload();
    INFO(i << ended.out << ended.err);
    CHECK(ended.status == 0);
    if (i % 7 == 1) CHECK(play::connect_tls(stage.portherd.tls_port()).certificate_digest() != digest);
    if (i % 7 == 2) CHECK(stage.get() == stage.site.word);
    if (i % 7 == 5) CHECK(play::is_refused(added) == (stage.site.listen == own));
    const std::size_t served = clients.served;
    stage.portherd.wait_until("it serves on", [&](const play::Status&) { return clients.served > served + 20; });
  }
  is_enough = true;
  over_h2.join();
  clients.stop();
  CHECK(clients.failed == 0);
  CHECK(answered == asked);
  CHECK(std::filesystem::file_size(stage.folder / "access.17") > 0);

  chat.send("\x81\x02hi");
  CHECK(socket.read(4) == "\x81\x02hi");
  socket.send("there");
  CHECK(chat.read(5) == "there");
  source.send("data: two\n\n");
  CHECK(events.read(32) == "b\r\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\n");
  CHECK(stage.portherd.lines_with("unexpectedly").empty());
}
