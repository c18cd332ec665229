// Is there such a user or group on this machine? What one may do with them is the supervisor's
// (supervisor/privileges.h).
#pragma once
#include <string>

namespace conf {

bool is_user(std::string const& name);
bool is_group(std::string const& name);

}  // namespace conf
