#include "supervisor/gunicorn.h"

#include "conf/load.h"
#include "doctest_precompiled.h"

using namespace supervisor::gunicorn;

namespace {

struct Made {
  conf::Settings settings;
  conf::App app{.name = "shop"};
  Draft draft{.settings = settings, .app = app};

  std::string apply_all(const std::vector<Setting>& all) {
    for (const Setting& setting : all) {
      if (const auto applied = apply(setting, draft); !applied) return applied.error().sentence;
    }
    const auto finished = finish(draft);
    return finished ? "" : finished.error().sentence;
  }
  std::string text() {
    settings.apps = {app};
    return conf::print_changed(settings, draft.notes);
  }
};

std::string refusal(const Setting& setting) {
  return Made().apply_all({setting});
}

}  // namespace

TEST_CASE("gunicorn's settings become ours, and what is different is said above them") {
  Made made;
  made.draft.is_sync = true;
  CHECK(made.apply_all({{"bind", {"0.0.0.0:80,unix:/run/a.sock"}},
                        {"workers", {"3"}},
                        {"timeout", {"30"}},
                        {"keepalive", {"2"}},
                        {"raw_env", {"A=b=c"}},
                        {"user", {"www-data"}},
                        {"umask", {"007"}},
                        {"forwarded_allow_ips", {"*"}},
                        {"limit_request_fields", {"50"}},
                        {"max_requests", {"9"}},
                        {"loglevel", {"Warning"}}}) == "");
  serve_python(made.app, Kind::kWsgi, "shop:app");
  const std::string text = made.text();
  for (const std::string line :
       {"http = [\"0.0.0.0:80\", \"unix:/run/a.sock\"]\n", "\nworkers = 3\n", "\nthreads = 1\n",
        "\nrequest_timeout = \"30s\"\n", "# timeout: the request ends with 504", "\nkeep_alive = \"2s\"\n",
        "A = \"b=c\"", "\nuser = \"www-data\"\n", "\numask = \"007\"\n",
        "\ntrusted_proxies = [\"0.0.0.0/0\", \"::/0\"]\n", "\nmax_fields = 50\n", "\nmax_requests = 9\n",
        "\nlevel = \"warning\"\n", "\nwsgi = \"shop:app\"\n"}) {
    CHECK_MESSAGE(text.find(line) != std::string::npos, line);
  }
  CHECK(text.find("queue_timeout") == std::string::npos);
  CHECK(conf::load_text(text, "x").problems.empty());
}

TEST_CASE("reload is ours") {
  Made made;
  CHECK(made.apply_all({{"reload", {"True"}}}) == "");
  CHECK(made.app.reload);
  CHECK(made.draft.left_out.empty());
}

TEST_CASE("what has no equal is told with its reason, once it is set to something") {
  Made made;
  CHECK(made.apply_all({{"pidfile", {"/run/x"}},
                        {"daemon", {"False"}},
                        {"reload_engine", {"poll"}},
                        {"statsd_host", {}},
                        {"my_own", {"x"}}}) == "");
  apply_hook("post_fork", made.draft);
  apply_hook("my_function", made.draft);
  REQUIRE(made.draft.left_out.size() == 3);
  CHECK(made.draft.left_out[0].starts_with("pidfile: "));
  CHECK(made.draft.left_out[1].starts_with("reload_engine: "));
  CHECK(made.draft.left_out[2].starts_with("post_fork: "));
}

TEST_CASE("values that cannot be understood are refused by name") {
  CHECK(refusal({"workers", {"many"}}) == "workers: `many` is not a number from 0 to 1024");
  CHECK(refusal({"timeout", {"-1"}}) == "timeout: `-1` is not a number of seconds");
  CHECK(refusal({"timeout", {"nan"}}) == "timeout: `nan` is not a number of seconds");
  CHECK(refusal({"raw_env", {"A=b", "=x"}}) == "raw_env: `=x` is not KEY=VALUE");
  CHECK(refusal({"forwarded_allow_ips", {"10.0.0.0/8,foo"}}) == "forwarded_allow_ips: `foo` is not an address, a network or `*`");
  CHECK(refusal({"bind", {"shop.example:80"}}).starts_with("bind `shop.example:80`: "));
  CHECK(refusal({"certfile", {"a.crt"}}) == "certfile and keyfile go together");
  CHECK(refusal({"worker_class", {"tornado"}}).starts_with("worker_class: `tornado`"));
}

TEST_CASE("a timeout of 0 was for ever") {
  Made made;
  CHECK(made.apply_all({{"timeout", {"0"}}}) == "");
  CHECK(made.app.rules.request_timeout == std::chrono::hours(24));
}

TEST_CASE("threads: sync has one, unless there are more") {
  Made sync, threaded, thread_class;
  CHECK(sync.apply_all({{"worker_class", {"sync"}}}) == "");
  CHECK(sync.app.threads == 1);
  CHECK(threaded.apply_all({{"worker_class", {"sync"}}, {"threads", {"8"}}}) == "");
  CHECK(threaded.app.threads == 8);
  CHECK(thread_class.apply_all({{"worker_class", {"gthread"}}}) == "");
  CHECK(thread_class.app.threads == 4);
}

TEST_CASE("an ASGI app has our worker for it, which has no threads") {
  Made made;
  CHECK(made.apply_all({{"worker_class", {"uvicorn.workers.UvicornWorker"}}, {"threads", {"8"}}}) == "");
  serve_python(made.app, made.draft.kind, "shop:make()");
  CHECK(made.app.asgi == "shop:make()");
  CHECK(made.app.wsgi.empty());
  CHECK(made.app.threads == 4);
  REQUIRE(made.draft.left_out.size() == 1);
  CHECK(made.draft.left_out[0].starts_with("threads: "));
}

TEST_CASE("TLS is spoken at the addresses, with the folder of a pair, or with what to make of it") {
  Made pair, other;
  CHECK(pair.apply_all(
            {{"bind", {":443"}}, {"certfile", {"/etc/tls/shop.crt"}}, {"keyfile", {"/etc/tls/shop.key"}}}) ==
        "");
  CHECK(pair.settings.listen.http.empty());
  CHECK(pair.settings.listen.https.size() == 1);
  CHECK(pair.settings.tls.certificates == "/etc/tls");
  CHECK(other.apply_all({{"certfile", {"/a/fullchain.pem"}}, {"keyfile", {"/a/privkey.pem"}}}) == "");
  CHECK(other.draft.notes["tls.certificates"].find("ln -s /a/privkey.pem tls/fullchain.key") !=
        std::string::npos);
}

TEST_CASE("gunicorn's addresses, with its defaults") {
  CHECK(address_of(":80") == "0.0.0.0:80");
  CHECK(address_of("localhost") == "127.0.0.1:8000");
  CHECK(address_of("tcp://1.2.3.4:5") == "1.2.3.4:5");
  CHECK(address_of("[::1]:5") == "[::1]:5");
  CHECK(address_of("[::1]") == "[::1]:8000");
  CHECK(address_of("unix://a") == "unix:a");
  CHECK(address_of("") == "0.0.0.0:8000");
}
