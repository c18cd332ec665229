#include "supervisor/verbs.h"

#include <algorithm>

#include "doctest_precompiled.h"

using namespace supervisor;
using runtime::Code;

namespace {

void nothing(Supervisor&, Group*, const Order&, const Asker&) {}

constexpr Verb kTable[] = {
    {"status", Subject::kAppOrAll, Right::kLook, When::kAlways, nothing},
    {"restart", Subject::kApp, Right::kCommand, When::kWhileItRuns, nothing},
    {"reload", Subject::kAll, Right::kCommand, When::kWhileItRuns, nothing},
};

runtime::Result<const Verb*> chosen(std::string_view line, Right right = Right::kCommand, bool is_ending = false) {
  const auto order = parse_order(line);
  REQUIRE(order.has_value());
  return choose(kTable, *order, right, {"shop", "blog"}, is_ending);
}

runtime::Error refused(std::string_view line, Right right = Right::kCommand) {
  const auto verb = chosen(line, right);
  REQUIRE_FALSE(verb.has_value());
  return verb.error();
}

}  // namespace

TEST_CASE("an order is JSON with a verb, perhaps an app, and more") {
  const auto order = parse_order(R"({"verb":"scale","app":"shop","workers":4,"now":true,"less":-1})");
  REQUIRE(order.has_value());
  CHECK(order->verb == "scale");
  CHECK(order->app == "shop");
  CHECK(order->number("workers") == 4);
  CHECK(order->text("app") == "shop");
  CHECK(order->flag("now"));
  CHECK_FALSE(order->flag("workers"));
  CHECK(order->number("less") == std::nullopt);
  CHECK(order->number("other") == std::nullopt);
  CHECK(order->text("workers") == std::nullopt);
}

TEST_CASE("what is no order is refused with what one is") {
  for (const std::string_view line : {"", "restart", "[1]", "{}", R"({"verb":1})", R"({"verb":"a","app":7})",
                                      R"({"verb":"a","app":""})"}) {
    const auto order = parse_order(line);
    REQUIRE_FALSE(order.has_value());
    CHECK(order.error().code == Code::kConfig);
  }
}

TEST_CASE("a verb is found by its name") {
  CHECK((*chosen(R"({"verb":"restart","app":"shop"})"))->name == "restart");
  CHECK((*chosen(R"({"verb":"status"})"))->name == "status");
  CHECK((*chosen(R"({"verb":"status","app":"blog"})"))->name == "status");
}

TEST_CASE("an order that is not known is refused with the nearest and all there are") {
  const auto why = refused(R"({"verb":"relod"})");
  CHECK(why.code == Code::kConfig);
  CHECK(why.sentence == "this supervisor does not know the order `relod`; did you mean `reload`? there are status, "
                        "restart, reload");
}

TEST_CASE("an app that is not there is refused with the nearest and all there are") {
  CHECK(refused(R"({"verb":"restart","app":"shpo"})").sentence ==
        "there is no app `shpo`; did you mean `shop`? there are shop, blog");
  CHECK(refused(R"({"verb":"restart","app":"wiki"})").sentence == "there is no app `wiki`; there are shop, blog");
}

TEST_CASE("an app too much or too few is refused") {
  CHECK(refused(R"({"verb":"restart"})").sentence == "`restart` needs the name of an app");
  CHECK(refused(R"({"verb":"reload","app":"shop"})").sentence == "`reload` is not about one app");
}

TEST_CASE("who may only look cannot command, and others cannot even look") {
  CHECK(chosen(R"({"verb":"status"})", Right::kLook).has_value());
  CHECK(refused(R"({"verb":"reload"})", Right::kLook).code == Code::kPermission);
  CHECK(refused(R"({"verb":"status"})", Right::kNothing).code == Code::kPermission);
}

TEST_CASE("while everything is ending one may still ask, but nothing is changed any more") {
  CHECK(chosen(R"({"verb":"status"})", Right::kCommand, true).has_value());
  const auto restart = chosen(R"({"verb":"restart","app":"shop"})", Right::kCommand, true);
  REQUIRE_FALSE(restart.has_value());
  CHECK(restart.error().code == Code::kSystem);
  CHECK(restart.error().sentence == "`restart` is not obeyed any more: everything is ending");
}

TEST_CASE("every verb of the supervisor is there once") {
  std::vector<std::string_view> names;
  for (const Verb& verb : verbs()) {
    CHECK((verb.obey != nullptr));
    CHECK(std::ranges::find(names, verb.name) == names.end());
    names.push_back(verb.name);
  }
}
