#include "supervisor/commands/order.h"

#include "supervisor/commands/complain.h"
#include "supervisor/commands/instance.h"

namespace supervisor {
namespace {

using OrderJson = nlohmann::ordered_json;

// Progress is for people; other lines are for those who know them.
void print_said(const OrderJson& line) {
  const auto said = line.find("say");
  if (said != line.end() && said->is_string()) print(said->get<std::string>() + "\n");
}

}  // namespace

OrderLine::OrderLine(const char* verb, const char* meaning, const char* call)
    : line_(meaning, call), fields_{{"verb", verb}} {
  line_.add_option("-c,--config", file_, "the configuration it was started with")->type_name("FILE");
}

CLI::Option* OrderLine::takes_app() {
  return line_.add_option("APP", app_, "the name of an app")->type_name("");
}

void OrderLine::has_json() {
  line_.add_flag("--json", wants_json_, "for programs");
}

runtime::Result<Reply> OrderLine::ask(const std::function<void(const OrderJson&)>& on_line,
                                      std::optional<runtime::Milliseconds> patience) {
  TRY(const std::string socket, find_control(file_));
  if (!app_.empty()) fields_["app"] = app_;
  const auto hear = [&](std::string_view text) {
    const OrderJson json = OrderJson::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_object()) on_line(json);
  };
  return supervisor::ask(socket, {.order = fields_.dump(-1, ' ', false, OrderJson::error_handler_t::replace),
                                  .on_progress = hear,
                                  .patience = patience});
}

int OrderLine::obeyed() {
  const auto reply = ask([this](const OrderJson& line) {
    if (!wants_json_) print_said(line);
  });
  if (!reply) return complain(reply.error());
  if (wants_json_) print(reply->text + "\n");
  return kExitDone;
}

}  // namespace supervisor
