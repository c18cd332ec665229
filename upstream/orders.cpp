#include "upstream/orders.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace upstream {
namespace {

using Json = nlohmann::json;
using runtime::Code;
using runtime::fail;
using runtime::Result;

// What an app or a client has had a say in: the order must fit into a message whatever it is.
struct Words {
  std::string& text;
  runtime::Bytes most;
};

std::string_view cut(std::string_view text, runtime::Bytes most) { return text.substr(0, most); }

// A control character would take six bytes in JSON, and shows nothing.
std::string without_controls(std::string_view text) {
  std::string shown(text);
  std::ranges::replace_if(shown, [](unsigned char c) { return c < ' ' && c != '\n' && c != '\t'; }, ' ');
  return shown;
}

// Each order as its name and its fields, once, for both directions: `visit(order, v)` calls v("field", member).
template <class V>
void visit(Worker& w, V& v) {
  v("id", w.id);
  v("app", w.app);
  v("slot", w.slot);
  v("pid", w.pid);
  v("generation", w.generation);
  v("row", w.row);
  v("slots", w.slots);
  v("speech", w.speech);
  v("max_requests", w.max_requests);
  v("socket", w.socket);
}
template <class V> void visit(Configure& o, V& v) { v("apps", o.apps); }
template <class V>
void visit(Listen& o, V& v) {
  v("text", o.text);
  v("port", o.port);
  v("tls", o.tls);
  v("shared", o.shared);
  v("proxy_protocol", o.proxy_protocol);
  v("metrics", o.metrics);
}
template <class V> void visit(Unlisten& o, V& v) { v("text", o.text); }
template <class V> void visit(Certificates& o, V& v) { v("names", o.names); }
template <class V> void visit(Logs&, V&) {}
template <class V> void visit(Spool&, V&) {}
template <class V> void visit(Fence& o, V& v) { v("ports", o.has_ports); v("sockets", o.has_sockets); v("root", o.is_from_root); }
template <class V> void visit(Begin& o, V& v) { v("version", o.version); }
template <class V> void visit(Probe& o, V& v) { visit(o.worker, v); v("path", o.path); v("within", o.within); }
template <class V> void visit(Publish& o, V& v) { visit(o.worker, v); }
template <class V> void visit(Unpublish& o, V& v) { v("app", o.app); v("worker", o.worker); }
template <class V> void visit(CloseWebsockets& o, V& v) { v("app", o.app); v("worker", o.worker); }
template <class V> void visit(Ended& o, V& v) { v("app", o.app); v("worker", o.worker); v("unexpected", o.unexpected); }
template <class V>
void visit(Stack& o, V& v) {
  v("app", o.app);
  v("worker", o.worker);
  v("exchange", Words{o.exchange, kMostExchangeId});
  v("text", Words{o.text, kMostStack});
}
template <class V> void visit(Stuck& o, V& v) { v("app", o.app); v("worker", o.worker); v("exchange", Words{o.exchange, kMostExchangeId}); }
template <class V> void visit(Unstuck& o, V& v) { v("app", o.app); v("worker", o.worker); v("exchange", Words{o.exchange, kMostExchangeId}); }
template <class V>
void visit(AppState& o, V& v) {
  v("app", o.app);
  v("can_wait", o.can_wait);
  v("has_been_ready", o.has_been_ready);
  v("is_asleep", o.is_asleep);
  v("gate", o.gate);
  v("notice", Words{o.notice, kMostNotice});
}
template <class V> void visit(Drain& o, V& v) { v("at_once", o.at_once); }
template <class V> void visit(Started& o, V& v) { v("threads", o.threads); v("landlock", o.landlock); v("unfenced", Words{o.unfenced, kMostUnfenced}); }
template <class V> void visit(Changed& o, V& v) { v("version", o.version); v("refused", Words{o.refused, kMostRefused}); }
template <class V> void visit(Probed& o, V& v) { v("app", o.app); v("worker", o.worker); v("is_ready", o.is_ready); v("cause", o.cause); }
template <class V> void visit(Drained& o, V& v) { v("app", o.app); v("worker", o.worker); }
template <class V> void visit(Spent& o, V& v) { v("app", o.app); v("worker", o.worker); }
template <class V> void visit(Lost& o, V& v) { v("app", o.app); v("worker", o.worker); v("requests", o.requests); v("ages", o.ages); }
template <class V> void visit(Wanted& o, V& v) { v("app", o.app); }
template <class V> void visit(Trouble& o, V& v) { v("sentence", o.sentence); }

// In the order of the variant's alternatives.
constexpr std::array<const char*, std::variant_size_v<Order>> kNames{
    "configure", "listen", "unlisten", "certificates", "logs",    "spool",  "fence",  "begin",   "probe", "publish", "unpublish",
    "close_websockets", "ended", "stack", "app",      "drain",        "started", "changed", "probed", "drained", "stuck", "unstuck", "spent", "lost",
    "wanted", "trouble"};

constexpr std::array<std::string_view, 3> kSpeeches{"http", "worker-protocol", "scopes"};  // by Speech

struct Write {
  Json& to;
  template <class T>
  void operator()(const char* key, const T& value) { to[key] = value; }
  void operator()(const char* key, Speech speech) { to[key] = kSpeeches[static_cast<std::size_t>(speech)]; }
  void operator()(const char* key, Gate gate) { to[key] = kGates[static_cast<std::size_t>(gate)]; }
  void operator()(const char* key, const Words& words) { to[key] = without_controls(cut(words.text, words.most)); }
};

// Strict: a missing field, a wrong type or a number that does not fit is an error.
struct Read {
  const Json& from;
  const char* wrong = nullptr;

  void operator()(const char* key, const Words& words) {
    (*this)(key, words.text);
    words.text.resize(std::min(words.text.size(), words.most));
  }
  template <class T>
  void operator()(const char* key, T& value) {
    const auto found = from.find(key);
    if (found == from.end() || !take(*found, value)) wrong = key;
  }
  static bool take(const Json& j, std::string& s) { return j.is_string() && (s = j.get<std::string>(), true); }
  static bool take(const Json& j, bool& b) { return j.is_boolean() && (b = j.get<bool>(), true); }
  static bool take(const Json& j, Speech& speech) { return take_word(j, kSpeeches, speech); }
  static bool take(const Json& j, Gate& gate) { return take_word(j, kGates, gate); }
  template <class Words, class Value>
  static bool take_word(const Json& j, const Words& words, Value& value) {
    const auto at = std::ranges::find(words, j.is_string() ? j.get_ref<const std::string&>() : std::string_view());
    value = static_cast<Value>(at - words.begin());
    return at != words.end();
  }
  template <class T>
  static bool take(const Json& j, std::vector<T>& list) {
    if (!j.is_array()) return false;
    return std::ranges::all_of(j, [&](const Json& item) { return take(item, list.emplace_back()); });
  }
  static bool take(const Json& j, std::vector<std::uint64_t>& numbers) {
    if (!j.is_array() || j.size() > kMostAges) return false;
    return std::ranges::all_of(j, [&](const Json& item) { return take(item, numbers.emplace_back()); });
  }
  template <std::integral T>
  static bool take(const Json& j, T& number) {
    if (!j.is_number_unsigned()) return false;
    const auto wide = j.get<std::uint64_t>();
    number = static_cast<T>(wide);
    return std::in_range<T>(wide);
  }
};

template <std::size_t I = 0>
Result<Order> decode_as(std::string_view name, const Json& json) {
  if constexpr (I == std::variant_size_v<Order>) {
    return fail(Code::kProtocol, fmt::format("unknown order {}", name));
  } else {
    if (name != kNames[I]) return decode_as<I + 1>(name, json);
    std::variant_alternative_t<I, Order> order;
    Read read{json};
    visit(order, read);
    if (read.wrong != nullptr) return fail(Code::kProtocol, fmt::format("order {}: field {} is wrong", name, read.wrong));
    return order;
  }
}

}  // namespace

std::string encode(const Order& order) {
  Json json{{"order", kNames[order.index()]}};
  std::visit([&](auto copy) {
    Write write{json};
    visit(copy, write);
  }, order);
  // Invalid UTF-8 (a path, an app's words) is replaced: an order must never fail to be said.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Order> decode(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto name = json.is_object() ? json.find("order") : json.end();
  if (!json.is_object() || name == json.end() || !name->is_string()) return fail(Code::kProtocol, "not an order");
  return decode_as(name->get_ref<const std::string&>(), json);
}

}  // namespace upstream
