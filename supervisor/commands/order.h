// What the commands that give an order have in common: -c FILE, the order, its progress as it comes, and the exit
// status. The other side: supervisor/verbs.h.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "supervisor/commands/arguments.h"
#include "supervisor/control_client.h"

namespace supervisor {

class OrderLine {
 public:
  /// `meaning`: a sentence for --help.
  OrderLine(const char* verb, const char* meaning, const char* call);

  /// A name, in the order's "app".
  CLI::Option* takes_app();
  void has_json();  ///< --json: the result for programs
  CLI::App& line() { return line_; }
  const std::string& app() const { return app_; }
  bool wants_json() const { return wants_json_; }
  /// Of the order, once the line has been parsed: what it says besides the verb and the app.
  nlohmann::ordered_json& fields() { return fields_; }

  /// Gives the order; `on_line` has every line before the result.
  runtime::Result<Reply> ask(const std::function<void(const nlohmann::ordered_json&)>& on_line,
                             std::optional<runtime::Milliseconds> patience = std::nullopt);
  /// Gives the order, prints what is said to people (or the result, if it is to be JSON): the exit status.
  int obeyed();

 private:
  CLI::App line_;
  std::string file_, app_;
  bool wants_json_ = false;
  nlohmann::ordered_json fields_;  // with the verb
};

}  // namespace supervisor
