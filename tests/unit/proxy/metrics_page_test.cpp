#include "proxy/metrics_page.h"

#include "doctest_precompiled.h"
#include "prometheus.h"
#include "upstream/figures.h"

using namespace proxy;
using prometheus::Page;

namespace {

struct Boards {
  Boards()
      : fronts(std::move(*upstream::Scoreboard::make())), herd(std::make_unique<upstream::HerdFigures>()) {
    apps.resize(2);
    apps[0].name = "blog";
    apps[1].name = "shop";
    apps[1].services.push_back({.name = "queue", .command = {"-"}});
    fronts.begin_front();
    fronts->set_threads(2);
  }
  Page page() const { return prometheus::parse(text()); }
  std::string text() const { return metrics_page({apps, indexes, fronts, *herd, certificates}); }

  std::vector<conf::App> apps;
  std::vector<upstream::AppIndex> indexes{0, 1};
  upstream::Scoreboard fronts;
  std::unique_ptr<upstream::HerdFigures> herd;
  std::vector<CertificateExpiry> certificates;
};

}  // namespace

TEST_CASE("the names and their labels are docs/design.md's, each with its type") {
  Boards boards;
  upstream::count(boards.fronts->row_of(0, 1).by_status[200]);
  boards.herd->workers = 1;
  boards.herd->memory[0].app = 1;
  boards.herd->memory[0].slot = 3;
  boards.herd->memory[0].bytes = 4096;
  boards.certificates = {{"example.com", 1'800'000'000}};
  const Page page = boards.page();
  CHECK(page.faults == std::vector<std::string>{});
  const std::map<std::string, std::pair<std::string, std::string>> contract = {
      {"portherd_build_info", {"gauge", "version"}},
      {"portherd_requests_total", {"counter", "app code"}},
      {"portherd_request_duration_seconds", {"histogram", "app le"}},
      {"portherd_first_byte_seconds", {"histogram", "app le"}},
      {"portherd_queue_wait_seconds", {"histogram", "app le"}},
      {"portherd_queue_depth", {"gauge", "app"}},
      {"portherd_requests_in_flight", {"gauge", "app"}},
      {"portherd_slots", {"gauge", "app"}},
      {"portherd_slots_busy", {"gauge", "app"}},
      {"portherd_refused_total", {"counter", "app reason"}},
      {"portherd_retries_total", {"counter", "app"}},
      {"portherd_abandoned_total", {"counter", "app"}},
      {"portherd_worker_exits_total", {"counter", "app reason"}},
      {"portherd_worker_memory_bytes", {"gauge", "app slot"}},
      {"portherd_workers", {"gauge", "app state"}},
      {"portherd_service_up", {"gauge", "app service"}},
      {"portherd_service_exits_total", {"counter", "app reason service"}},
      {"portherd_connections", {"gauge", ""}},
      {"portherd_tls_handshakes_total", {"counter", "result"}},
      {"portherd_certificate_expiry_seconds", {"gauge", "name"}},
  };
  CHECK(page.types.size() == contract.size());
  for (const auto& [name, what] : contract) {
    CAPTURE(name);
    REQUIRE(page.types.contains(name));
    CHECK(page.types.at(name) == what.first);
    const std::string first = what.first == "histogram" ? name + "_bucket" : name;
    const auto sample = std::ranges::find(page.samples, first, &prometheus::Sample::name);
    REQUIRE(sample != page.samples.end());
    std::string labels;
    for (const auto& [label, value] : sample->labels) labels += (labels.empty() ? "" : " ") + label;
    CHECK(labels == what.second);
  }
}

TEST_CASE("figures of all threads are summed; buckets are cumulative and their sum is in seconds") {
  Boards boards;
  for (std::size_t thread = 0; thread < 2; ++thread) {
    upstream::AppRow& row = boards.fronts->row_of(thread, 1);
    upstream::count(row.by_status[200], 2);
    upstream::count(row.by_status[503]);
    upstream::count(row.duration.bucket[0], 2);
    upstream::count(row.duration.bucket.back());
    upstream::count(row.duration.sum, 61'250'000);
    upstream::count(row.refused[static_cast<std::size_t>(upstream::Refused::kQueueFull)]);
  }
  const Page page = boards.page();
  CHECK(page.faults == std::vector<std::string>{});
  CHECK(page.sum("portherd_requests_total", {{"app", "shop"}, {"code", "200"}}) == 4);
  CHECK(page.sum("portherd_requests_total", {{"app", "shop"}, {"code", "503"}}) == 2);
  CHECK(page.sum("portherd_requests_total", {{"app", "blog"}}) == 0);
  CHECK(page.sum("portherd_request_duration_seconds_bucket", {{"app", "shop"}, {"le", "0.001"}}) == 4);
  CHECK(page.sum("portherd_request_duration_seconds_bucket", {{"app", "shop"}, {"le", "60"}}) == 4);
  CHECK(page.sum("portherd_request_duration_seconds_bucket", {{"app", "shop"}, {"le", "+Inf"}}) == 6);
  CHECK(page.sum("portherd_request_duration_seconds_count", {{"app", "shop"}}) == 6);
  CHECK(page.sum("portherd_request_duration_seconds_sum", {{"app", "shop"}}) == 122.5);
  CHECK(page.sum("portherd_refused_total", {{"app", "shop"}, {"reason", "queue_full"}}) == 2);
}

TEST_CASE("what found no app is counted without one, and only among the requests") {
  Boards boards;
  upstream::count(boards.fronts->row_of(0, upstream::kNoApp).by_status[404]);
  const Page page = boards.page();
  CHECK(page.sum("portherd_requests_total", {{"app", ""}, {"code", "404"}}) == 1);
  CHECK(page.sum("portherd_requests_total") == 1);
  CHECK(page.sum("portherd_request_duration_seconds_count", {{"app", ""}}) == 0);
}

TEST_CASE("whatever the name of a certificate, its line can be read") {
  Boards boards;
  boards.certificates = {{"a\"b\\c\nd", 5}};
  const Page page = boards.page();
  CHECK(page.faults == std::vector<std::string>{});
  CHECK(page.sum("portherd_certificate_expiry_seconds", {{"name", "a\"b\\c\nd"}}) == 5);
}

TEST_CASE("two processes in one place, one taking over from the other, are one series") {
  Boards boards;
  boards.herd->workers = 2;
  for (std::size_t row = 0; row < 2; ++row) {
    boards.herd->memory[row].slot = 1;
    boards.herd->memory[row].bytes = 1000;
  }
  const Page page = boards.page();
  CHECK(page.faults == std::vector<std::string>{});
  CHECK(page.sum("portherd_worker_memory_bytes", {{"app", "blog"}, {"slot", "1"}}) == 2000);
}

TEST_CASE("the memory of zygotes stands beside that of workers") {
  Boards boards;
  boards.herd->app[0].zygote_memory = 3000;
  const Page page = boards.page();
  CHECK(page.faults == std::vector<std::string>{});
  CHECK(page.sum("portherd_worker_memory_bytes", {{"app", "blog"}, {"slot", "zygote"}}) == 3000);
}

TEST_CASE("a service is found by its name; one that nobody has started is down") {
  Boards boards;
  boards.apps[0].services.push_back({.name = "queue", .command = {"-"}});
  boards.herd->services = 3;
  for (const std::size_t row : {0U, 2U}) {  // it goes, and comes
    boards.herd->service[row].whose = upstream::digest_of("shop.queue");
    upstream::count(boards.herd->service[row].figures.exits[static_cast<std::size_t>(upstream::ExitReason::kCrashed)], 2);
  }
  boards.herd->service[2].figures.workers[1] = 1;
  const Page page = boards.page();
  CHECK(page.faults == std::vector<std::string>{});
  CHECK(page.sum("portherd_service_up", {{"app", "shop"}, {"service", "queue"}}) == 1);
  CHECK(page.sum("portherd_service_up", {{"app", "blog"}, {"service", "queue"}}) == 0);
  CHECK(page.sum("portherd_service_exits_total", {{"app", "shop"}, {"service", "queue"}, {"reason", "crashed"}}) == 4);
  CHECK(page.sum("portherd_service_exits_total", {{"app", "blog"}}) == 0);
}

TEST_CASE("ready is who accepts, is not leaving, and has no app that never worked") {
  Boards boards;
  CHECK(why_not_ready(Stage::kAccepting, boards.apps, boards.indexes, *boards.herd).empty());
  CHECK(why_not_ready(Stage::kStarting, boards.apps, boards.indexes, *boards.herd) == "the front is starting");
  CHECK(why_not_ready(Stage::kDraining, boards.apps, boards.indexes, *boards.herd) == "draining");
  boards.herd->app[1].first_boot = upstream::FirstBoot::kUnderWay;
  CHECK(why_not_ready(Stage::kAccepting, boards.apps, boards.indexes, *boards.herd) == "app shop boots for the first time");
  boards.herd->app[1].first_boot = upstream::FirstBoot::kFailed;
  CHECK(why_not_ready(Stage::kAccepting, boards.apps, boards.indexes, *boards.herd).find("shop has not booted") !=
        std::string::npos);
  boards.herd->is_stopping = true;
  CHECK(why_not_ready(Stage::kAccepting, boards.apps, boards.indexes, *boards.herd) == "draining");
}
