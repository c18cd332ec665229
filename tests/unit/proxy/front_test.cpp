// A whole front, its orders given over a channel as the supervisor gives them: what a change puts in force, and whom it leaves
// alone.
#include "proxy/front.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include "conf/print.h"
#include "doctest_precompiled.h"
#include "runtime/channel.h"
#include "runtime/socket.h"
#include "tls_peer.h"
#include "upstream/herd_board.h"
#include "upstream/orders.h"

namespace {

using upstream::AppIndex;

runtime::Fd in_memory(const std::string& text) {
  runtime::Fd fd(::memfd_create("text", MFD_CLOEXEC));
  REQUIRE(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  REQUIRE(::lseek(fd.get(), 0, SEEK_SET) == 0);
  return fd;
}

conf::App app_named(const std::string& name) {
  conf::App app;
  app.name = name;
  app.hosts = {name + ".example"};
  app.command = {"-"};
  return app;
}

std::string request_to(const std::string& app) { return "GET / HTTP/1.1\r\nHost: " + app + ".example\r\n\r\n"; }
std::string answer_of(const std::string& text) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
}

/// The supervisor of a front that runs in threads of this program; its workers and clients, too.
class Play {
 public:
  Play() : board_(std::move(*upstream::Scoreboard::make())), herd_(std::move(*upstream::HerdBoard::make("herd", /*others_may_write=*/false))) {
    char name[] = "/tmp/portherd-front-XXXXXX";
    folder_ = ::mkdtemp(name);
    REQUIRE(board_.begin_front());
    settings.front.threads.number = 2;
    settings.log.access.is_on = false;
    auto ends = std::move(*runtime::Channel::pair());
    const proxy::FrontDescriptors theirs{ends.second.release(), ::dup(board_.fd()), ::dup(herd_.fd())};
    channel_ = std::make_unique<runtime::Channel>(loop_, std::move(ends.first), runtime::bind<&Play::on_message>(this),
                                                  runtime::bind<&Play::on_closed>(this));
    front_ = std::thread([theirs] { proxy::run_front(theirs); });
  }
  ~Play() {
    order(upstream::Drain{.at_once = true});
    while (!is_closed_) loop_.turn();
    front_.join();
    for (const int signal : {SIGINT, SIGTERM, SIGQUIT, SIGHUP}) ::signal(signal, SIG_DFL);
    std::filesystem::remove_all(folder_);
  }

  void order(const upstream::Order& order, std::vector<runtime::Fd> fds = {}) { channel_->send({upstream::encode(order), std::move(fds)}); }
  void configure(const std::vector<AppIndex>& apps) {
    std::vector<runtime::Fd> fds;
    fds.push_back(in_memory(conf::print(settings)));
    order(upstream::Configure{apps}, std::move(fds));
  }
  void listen(const std::string& at, bool tls = false, bool metrics = false) {
    std::vector<runtime::Fd> fds;
    fds.push_back(std::move(*runtime::listen_unix(folder_ + "/" + at, 0600)));
    order(upstream::Listen{.text = at, .tls = tls, .metrics = metrics}, std::move(fds));
  }
  void certificate(const std::string& pem, const std::string& key) {
    std::vector<runtime::Fd> fds;
    fds.push_back(in_memory(pem));
    fds.push_back(in_memory(key));
    order(upstream::Certificates{{"a"}}, std::move(fds));
  }
  void publish(AppIndex app, upstream::WorkerId id) {
    workers_[id] = std::move(*runtime::listen_unix(worker(app, id).socket, 0600));
    ::fcntl(workers_[id].get(), F_SETFL, 0);  // take() waits
    order(upstream::Publish{worker(app, id)});
  }
  /// It is asked whether it is ready, and has not answered yet.
  runtime::Fd probe(AppIndex app, upstream::WorkerId id) {
    workers_[id] = std::move(*runtime::listen_unix(worker(app, id).socket, 0600));
    ::fcntl(workers_[id].get(), F_SETFL, 0);
    order(upstream::Probe{worker(app, id), {}, 0});
    runtime::Fd fd(::accept4(workers_[id].get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(hear(fd, "\r\n\r\n").starts_with("OPTIONS * "));
    return fd;
  }
  /// All that the front has said by its end; nothing is dropped.
  const std::vector<upstream::Order>& last_words() {
    while (!is_closed_) loop_.turn();
    return said_;
  }
  /// The next order of this kind; all others before it are dropped.
  template <class T>
  T expect() {
    for (;;) {
      while (said_.empty() && !is_closed_) loop_.turn();
      REQUIRE_FALSE(said_.empty());
      const upstream::Order next = said_.front();
      said_.erase(said_.begin());
      if (const T* found = std::get_if<T>(&next)) return *found;
    }
  }
  /// What Changed says.
  std::string begin() {
    order(upstream::Begin{++version_});
    const auto changed = expect<upstream::Changed>();
    CHECK(changed.version == version_);
    return changed.refused;
  }
  void start() {
    order(upstream::Begin{++version_});
    CHECK(expect<upstream::Started>().threads == 2);
  }

  runtime::Fd connect(const std::string& at) {
    runtime::Fd fd = runtime::connect_unix(folder_ + "/" + at);
    if (fd) ::fcntl(fd.get(), F_SETFL, 0);
    return fd;
  }
  static void say(const runtime::Fd& fd, const std::string& text) {
    REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  /// Up to what ends so, or to the end of input.
  static std::string hear(const runtime::Fd& fd, const std::string& end) {
    std::string text;
    char bytes[4096];
    while (!text.ends_with(end)) {
      const ssize_t n = ::recv(fd.get(), bytes, sizeof bytes, 0);
      if (n <= 0) return text;
      text.append(bytes, static_cast<std::size_t>(n));
    }
    return text;
  }
  /// The worker takes a connection, and the request on it.
  runtime::Fd take(upstream::WorkerId id) {
    runtime::Fd fd(::accept4(workers_[id].get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(fd);
    REQUIRE(hear(fd, "\r\n\r\n").starts_with("GET / "));
    return fd;
  }

  /// A worker that answers every request at once, until told to stop.
  void work(upstream::WorkerId id, const std::atomic<bool>& stops) {
    std::vector<runtime::Fd> connections;
    const std::string answer = answer_of("ok");
    while (!stops) {
      std::vector<pollfd> all{{workers_[id].get(), POLLIN, 0}};
      for (const runtime::Fd& fd : connections) all.push_back({fd.get(), POLLIN, 0});
      ::poll(all.data(), all.size(), 10);
      for (std::size_t i = all.size() - 1; i > 0; --i) {
        char bytes[4096];
        if (all[i].revents == 0) continue;
        const bool lives = ::recv(all[i].fd, bytes, sizeof bytes, 0) > 0 &&
                           ::send(all[i].fd, answer.data(), answer.size(), MSG_NOSIGNAL) > 0;
        if (!lives) connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(i - 1));
      }
      if (all[0].revents != 0) connections.emplace_back(::accept4(all[0].fd, nullptr, nullptr, SOCK_CLOEXEC));
    }
  }
  /// A client with one connection; how many of so many requests were not answered 200.
  int ask(int times) {
    const runtime::Fd fd = runtime::connect_unix(folder_ + "/http");
    ::fcntl(fd.get(), F_SETFL, 0);
    const std::string request = request_to("shop");
    int failed = 0;
    for (int i = 0; i < times; ++i) {
      const bool is_sent = ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0;
      if (!is_sent || !hear(fd, "\r\n\r\nok").starts_with("HTTP/1.1 200 ")) ++failed;
    }
    return failed;
  }

  conf::Settings settings;

 private:
  void on_message(runtime::Message& message) { said_.push_back(std::move(*upstream::decode(message.text))); }
  void on_closed() { is_closed_ = true; }
  upstream::Worker worker(AppIndex app, upstream::WorkerId id) const {
    return {.id = id, .app = app, .slot = 1, .pid = 1, .row = static_cast<std::uint32_t>(id), .slots = 4, .socket = folder_ + "/worker" + std::to_string(id)};
  }

  upstream::Scoreboard board_;
  upstream::HerdBoard herd_;
  runtime::Loop loop_;
  std::unique_ptr<runtime::Channel> channel_;
  std::thread front_;
  std::string folder_;
  std::vector<upstream::Order> said_;
  std::map<upstream::WorkerId, runtime::Fd> workers_;
  std::uint64_t version_ = 0;
  bool is_closed_ = false;
};

}  // namespace

TEST_CASE("apps come and go while a front runs, and a request that has begun is finished by the app that it found") {
  Play play;
  play.settings.apps = {app_named("blog"), app_named("shop")};
  play.configure({7, 3});
  play.listen("http");
  play.publish(7, 1);
  play.publish(3, 2);
  play.start();
  const runtime::Fd blog = play.connect("http"), shop = play.connect("http");
  play.say(blog, request_to("blog"));
  const runtime::Fd blogs = play.take(1);
  play.say(shop, request_to("shop"));
  const runtime::Fd shops = play.take(2);

  play.settings.apps = {app_named("mail"), app_named("shop")};  // shop keeps its index, and mail has a place that blog had
  play.configure({4, 3});
  play.publish(4, 3);
  CHECK(play.begin().empty());

  play.say(blogs, answer_of("from blog"));
  CHECK(play.hear(blog, "from blog").starts_with("HTTP/1.1 200 "));
  play.say(shops, answer_of("from shop"));
  CHECK(play.hear(shop, "from shop").starts_with("HTTP/1.1 200 "));

  // The connections are the same, and so is the one to the worker that nothing has happened to.
  play.say(blog, request_to("mail"));
  const runtime::Fd mails = play.take(3);
  play.say(mails, answer_of("from mail"));
  CHECK(play.hear(blog, "from mail").starts_with("HTTP/1.1 200 "));
  play.say(shop, request_to("shop"));
  CHECK(play.hear(shops, "\r\n\r\n").starts_with("GET / "));
  play.say(shops, answer_of("again"));
  CHECK(play.hear(shop, "again").starts_with("HTTP/1.1 200 "));
  play.say(shop, request_to("blog"));
  CHECK(play.hear(shop, "\n").starts_with("HTTP/1.1 404 "));

  play.order(upstream::Unpublish{.app = 7, .worker = 1});
  CHECK(play.expect<upstream::Drained>().worker == 1);
}

TEST_CASE("WebSockets to a worker that is to end are closed, which is its drain; those to others go on") {
  const std::string upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", close = "\x88\x02\x03\xf4";
  Play play;
  play.settings.apps = {app_named("blog"), app_named("shop")};
  play.configure({0, 1});
  play.listen("http");
  play.publish(0, 1);
  play.publish(1, 2);
  play.start();
  const auto open = [&](const std::string& app, upstream::WorkerId id) {
    runtime::Fd client = play.connect("http");
    std::string request = request_to(app);
    play.say(client, request.erase(request.size() - 2) + upgrade);
    runtime::Fd worker = play.take(id);
    play.say(worker, "HTTP/1.1 101 Switching Protocols\r\n" + upgrade);
    CHECK(play.hear(client, "\r\n\r\n").starts_with("HTTP/1.1 101 "));
    return std::pair(std::move(client), std::move(worker));
  };
  auto [blog, blogs] = open("blog", 1);
  const auto [shop, shops] = open("shop", 2);

  play.order(upstream::Unpublish{.app = 0, .worker = 1});
  play.say(blogs, "\x81\x02hi");
  CHECK(play.hear(blog, "hi") == "\x81\x02hi");  // a drain is no reason to be brief
  play.order(upstream::CloseWebsockets{.app = 0, .worker = 1});
  CHECK(play.hear(blog, "nothing more") == close);
  CHECK(play.hear(blogs, "nothing").empty());
  blogs.reset();
  CHECK(play.expect<upstream::Drained>().worker == 1);
  play.say(shops, "\x81\x02hi");
  CHECK(play.hear(shop, "hi") == "\x81\x02hi");
}

TEST_CASE("a change with a fault in it changes nothing, and says what the fault is") {
  Play play;
  play.settings.apps = {app_named("blog")};
  play.configure({0});
  play.listen("http");
  play.publish(0, 1);
  play.start();

  play.settings.apps = {app_named("mail")};
  SUBCASE("an index twice") {
    play.settings.apps.push_back(app_named("shop"));
    play.configure({1, 1});
    CHECK(play.begin().find("none twice") != std::string::npos);
  }
  SUBCASE("an index beyond all") {
    play.configure({256});
    CHECK(play.begin().find("below 256") != std::string::npos);
  }
  SUBCASE("an app without an index") {
    play.configure({});
    CHECK(play.begin().find("1 indexes") != std::string::npos);
  }
  SUBCASE("what is no settings") {
    std::vector<runtime::Fd> fds;
    fds.push_back(in_memory("[fronts]\n"));
    play.order(upstream::Configure{}, std::move(fds));
    CHECK(play.begin().find("fronts") != std::string::npos);
  }
  SUBCASE("what is no certificate") {
    play.configure({1});
    play.certificate("no", "no");
    CHECK_FALSE(play.begin().empty());
  }
  const runtime::Fd client = play.connect("http");
  play.say(client, request_to("blog"));
  const runtime::Fd worker = play.take(1);
  play.say(worker, answer_of("as before"));
  CHECK(play.hear(client, "as before").starts_with("HTTP/1.1 200 "));

  // It is forgotten: the next one is only what it says itself.
  CHECK(play.begin().empty());
  play.say(client, request_to("blog"));
  CHECK(play.hear(worker, "\r\n\r\n").starts_with("GET / "));
}

TEST_CASE("addresses are opened and closed while a front runs, and who has come in by one stays") {
  Play play;
  play.settings.apps = {app_named("blog")};
  play.configure({0});
  play.listen("old");
  play.publish(0, 1);
  play.start();
  const runtime::Fd client = play.connect("old");
  play.say(client, request_to("blog"));
  const runtime::Fd worker = play.take(1);

  play.listen("new");
  play.order(upstream::Unlisten{"old"});
  CHECK(play.begin().empty());
  CHECK_FALSE(play.connect("old"));
  play.say(worker, answer_of("one"));
  CHECK(play.hear(client, "one").starts_with("HTTP/1.1 200 "));
  play.say(client, request_to("blog"));
  CHECK(play.hear(worker, "\r\n\r\n").starts_with("GET / "));
  play.say(worker, answer_of("two"));
  CHECK(play.hear(client, "two").starts_with("HTTP/1.1 200 "));
  const runtime::Fd other = play.connect("new");
  REQUIRE(other);
  play.say(other, request_to("mail"));
  CHECK(play.hear(other, "\n").starts_with("HTTP/1.1 404 "));
}

TEST_CASE("another certificate is shown to who connects after the change") {
  Play play;
  play.settings.apps = {app_named("blog")};
  play.configure({0});
  play.listen("https", /*tls=*/true);
  const tls_peer::Pair first = tls_peer::make_pair({"first", "DNS:a.example"}), second = tls_peer::make_pair({"second", "DNS:a.example"});
  play.certificate(first.certificate, first.key);
  play.start();
  const auto shown = [&] {
    const runtime::Fd fd = play.connect("https");
    tls_peer::Client client(fd.get());
    REQUIRE(client.connect());
    return client.certificate_name();
  };
  CHECK(shown() == "first");
  play.certificate(second.certificate, second.key);
  CHECK(play.begin().empty());
  CHECK(shown() == "second");
}

TEST_CASE("a front that is replaced leaves probes, and [metrics] that a reload opens, to the next one") {
  Play play;
  play.settings.apps = {app_named("blog")};
  play.configure({0});
  play.listen("http");
  play.publish(0, 1);
  play.start();
  const runtime::Fd client = play.connect("http");
  play.say(client, request_to("blog"));
  const runtime::Fd worker = play.take(1);
  const runtime::Fd probed = play.probe(0, 2);

  play.order(upstream::Drain{});
  play.listen("metrics", /*tls=*/false, /*metrics=*/true);
  CHECK(play.begin().empty());
  CHECK_FALSE(play.connect("metrics"));

  const std::string well = answer_of("");
  ::send(probed.get(), well.data(), well.size(), MSG_NOSIGNAL);
  play.say(worker, answer_of("ok"));
  CHECK(play.hear(client, "ok").starts_with("HTTP/1.1 200 "));
  const auto is_probed = [](const upstream::Order& order) { return std::holds_alternative<upstream::Probed>(order); };
  CHECK(std::ranges::none_of(play.last_words(), is_probed));
}

TEST_CASE("changes in a row under load fail no request of an app that stays") {
  Play play;
  play.settings.apps = {app_named("shop")};
  play.configure({0});
  play.listen("http");
  play.publish(0, 1);
  play.start();
  constexpr int kClients = 3, kRequests = 300, kChanges = 20;
  std::atomic<bool> stops = false;
  std::atomic<int> failed = 0, asking = kClients;
  std::vector<std::thread> threads;
  threads.emplace_back([&] { play.work(1, stops); });
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&] {
      failed += play.ask(kRequests);
      --asking;
    });
  }
  for (int i = 0; i < kChanges || asking > 0; ++i) {
    const bool has_blog = i % 2 == 0;
    play.settings.apps = {app_named("shop")};
    play.settings.apps[0].queue_size = 100U + static_cast<unsigned>(i);
    if (has_blog) play.settings.apps.insert(play.settings.apps.begin(), app_named("blog"));
    play.configure(has_blog ? std::vector<AppIndex>{9, 0} : std::vector<AppIndex>{0});
    CHECK(play.begin().empty());
  }
  stops = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(failed == 0);
}
