#include "conf/accounts.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <vector>

namespace conf {
namespace {

constexpr std::size_t kLargestEntry = std::size_t{1} << 20;  // a group with very many members

// Calls look(buffer) with a larger one each time until it no longer says ERANGE.
template <class F>
bool is_found(F look) {
  for (std::vector<char> buffer(4096); buffer.size() <= kLargestEntry; buffer.resize(buffer.size() * 2)) {
    auto const [error, is_there] = look(buffer);
    if (error != ERANGE) return is_there;
  }
  return false;
}

}  // namespace

bool is_user(std::string const& name) {
  return is_found([&](std::vector<char>& buffer) {
    passwd entry{};
    passwd* found = nullptr;
    int const error = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    return std::pair(error, found != nullptr);
  });
}

bool is_group(std::string const& name) {
  return is_found([&](std::vector<char>& buffer) {
    group entry{};
    group* found = nullptr;
    int const error = ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    return std::pair(error, found != nullptr);
  });
}

}  // namespace conf
