// Is there such a user or group on this machine? What one may do with them is the supervisor's
// (supervisor/privileges.h).
#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace conf {

bool is_user(std::string const& name);
bool is_group(std::string const& name);

/// Who the front is when started as root, see docs/design.md, "Identity".
std::string front_user(std::string const& configured);

struct Identity {
  uid_t uid = 0;
  std::vector<gid_t> groups;
};
std::optional<Identity> identity_of(std::string const& user);

/// The first folder on the way to `folder`, itself included, that this user cannot enter by its mode (path_resolution(7)); empty: none.
/// A folder with an access control list is taken to be open.
std::string closed_folder(std::string const& folder, Identity const& who);

}  // namespace conf
