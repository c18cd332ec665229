// The status for people: from the JSON of status.h, which came from another process and is not trusted to be
// what it should be, to a table. Pure.
#pragma once
#include <string>
#include <string_view>

namespace supervisor {

/// At most 80 columns, whatever the names and figures: an app a line, with its last unexpected exit below it.
std::string status_table(std::string_view json);
/// Everything about the one app that is in it: its line, a line for each worker, and what they printed last. At most
/// 80 columns.
std::string app_table(std::string_view json);
/// Every worker of every app is ready.
bool is_all_ready(std::string_view json);
/// Indented, for people and programs.
std::string status_pretty(std::string_view json);

}  // namespace supervisor
