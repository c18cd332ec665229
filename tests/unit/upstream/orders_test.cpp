#include "upstream/orders.h"

#include <nlohmann/json.hpp>

#include "doctest_precompiled.h"

namespace {

using upstream::Order;

/// One of each, none with only its defaults.
std::vector<Order> all_orders() {
  const upstream::Worker worker{.id = 7, .app = 1, .slot = 2, .pid = 3, .generation = 4, .row = 5, .slots = 6, .speech = upstream::Speech::kWorkerProtocol, .max_requests = 6, .socket = "/run/a \"b\""};
  return {upstream::Configure{.apps = {3, 0}},
          upstream::Listen{.text = "*:443", .port = 443, .tls = true, .shared = true, .proxy_protocol = true},
          upstream::Unlisten{.text = "*:80"},
          upstream::Certificates{.names = {"a.example", "b"}},
          upstream::Logs{},
          upstream::Spool{},
          upstream::Fence{.has_ports = true, .has_sockets = true, .is_from_root = true},
          upstream::Begin{.version = 3},
          upstream::Probe{.worker = worker, .path = "/healthz", .within = 5},
          upstream::Publish{.worker = worker},
          upstream::Unpublish{.app = 1, .worker = 7},
          upstream::CloseWebsockets{.app = 1, .worker = 7},
          upstream::Ended{.app = 1, .worker = 7, .unexpected = true},
          upstream::Stack{.app = 1, .worker = 7, .exchange = "x1", .text = "File \"a.py\", line 1\n\tin f\n"},
          upstream::AppState{.app = 1, .can_wait = false, .has_been_ready = true, .is_asleep = true, .gate = upstream::Gate::kMaintenance, .notice = "back at nine"},
          upstream::Drain{.at_once = true},
          upstream::Started{.threads = 2, .landlock = 6, .unfenced = "no filter"},
          upstream::Changed{.version = 3, .refused = "no"},
          upstream::Probed{.app = 1, .worker = 7, .is_ready = true, .cause = "none"},
          upstream::Drained{.app = 1, .worker = 7},
          upstream::Stuck{.app = 1, .worker = 7, .exchange = "x1"},
          upstream::Unstuck{.app = 1, .worker = 7, .exchange = "x1"},
          upstream::Spent{.app = 1, .worker = 7},
          upstream::Lost{.app = 1, .worker = 7, .requests = 9, .ages = {80, 70}},
          upstream::Wanted{.app = 1},
          upstream::Trouble{.sentence = "no"}};
}

}  // namespace

TEST_CASE("every order is read as it was said") {
  const std::vector<Order> orders = all_orders();
  CHECK(orders.size() == std::variant_size_v<Order>);
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const std::string text = upstream::encode(orders[i]);
    CAPTURE(text);
    CHECK(orders[i].index() == i);
    const auto again = upstream::decode(text);
    REQUIRE(again.has_value());
    CHECK(again->index() == i);
    CHECK(upstream::encode(*again) == text);
  }
}

TEST_CASE("an order without one of its fields, or with a wrong one, is none") {
  for (const Order& order : all_orders()) {
    const auto whole = nlohmann::json::parse(upstream::encode(order));
    for (const auto& [key, value] : whole.items()) {
      CAPTURE(key);
      auto less = whole;
      less.erase(key);
      CHECK_FALSE(upstream::decode(less.dump()));
      auto other = whole;
      other[key] = nlohmann::json::object();
      CHECK_FALSE(upstream::decode(other.dump()));
    }
  }
  for (const char* bad : {"", "{", "1", "[]", "{\"order\":1}", "{\"order\":\"no such\"}", "\xff"}) CHECK_FALSE(upstream::decode(bad));
  CHECK_FALSE(upstream::decode(R"({"order":"drained","app":65536,"worker":1})"));
  CHECK_FALSE(upstream::decode(R"({"order":"drained","app":1,"worker":-1})"));
}

TEST_CASE("a stack is cut, and fits into a message whatever an app has printed") {
  for (const char c : {'a', '\0', '\n', '"', '\x7f', '\xff'}) {
    const std::string text = upstream::encode(upstream::Stack{.exchange = std::string(100'000, c), .text = std::string(100'000, c)});
    CHECK(text.size() <= runtime::Channel::kMaxText);
    const auto order = upstream::decode(text);
    REQUIRE(order.has_value());
    const auto& stack = std::get<upstream::Stack>(*order);
    CHECK(stack.text.size() == upstream::kMostStack);
    CHECK(stack.exchange.size() == upstream::kMostExchangeId);
  }
  const std::string long_one = R"({"order":"stuck","app":1,"worker":1,"exchange":")" + std::string(1000, 'x') + "\"}";
  CHECK(std::get<upstream::Stuck>(*upstream::decode(long_one)).exchange == std::string(upstream::kMostExchangeId, 'x'));
}

TEST_CASE("more ages than a front may tell are none") {
  upstream::Lost lost{.ages = std::vector<std::uint64_t>(upstream::kMostAges, 1)};
  CHECK(upstream::decode(upstream::encode(lost)));
  lost.ages.push_back(1);
  CHECK_FALSE(upstream::decode(upstream::encode(lost)));
  CHECK_FALSE(upstream::decode(R"({"order":"lost","app":1,"worker":1,"requests":1,"ages":["1"]})"));
}
