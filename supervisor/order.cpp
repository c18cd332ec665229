#include "supervisor/order.h"

namespace supervisor {

using runtime::Code;
using runtime::fail;
using Json = nlohmann::json;

std::optional<std::uint64_t> Order::number(std::string_view key) const {
  const auto found = fields.find(key);
  return found != fields.end() && found->is_number_unsigned() ? std::optional(found->get<std::uint64_t>())
                                                              : std::nullopt;
}

std::optional<std::string> Order::text(std::string_view key) const {
  const auto found = fields.find(key);
  return found != fields.end() && found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}

bool Order::flag(std::string_view key) const {
  const auto found = fields.find(key);
  return found != fields.end() && found->is_boolean() && found->get<bool>();
}

runtime::Result<Order> parse_order(std::string_view line) {
  Order order{.verb = {}, .app = {}, .fields = Json::parse(line, nullptr, /*allow_exceptions=*/false)};
  if (!order.fields.is_object()) return fail(Code::kConfig, "an order is one line of JSON: {\"verb\": ...}");
  const auto verb = order.text("verb");
  if (!verb) return fail(Code::kConfig, "an order has a \"verb\"");
  order.verb = *verb;
  if (!order.fields.contains("app")) return order;
  const auto app = order.text("app");
  if (!app || app->empty()) return fail(Code::kConfig, "\"app\" is the name of one");
  order.app = *app;
  return order;
}

}  // namespace supervisor
