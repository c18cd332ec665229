#include "conf/accounts.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

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

bool may_enter(std::string const& folder, Identity const& who) {
  struct stat about {};
  if (::stat(folder.c_str(), &about) != 0) return true;  // then that is what is wrong with it
  if (::getxattr(folder.c_str(), "system.posix_acl_access", nullptr, 0) > 0) return true;
  if (about.st_uid == who.uid) return (about.st_mode & S_IXUSR) != 0;
  if (std::ranges::find(who.groups, about.st_gid) != who.groups.end()) return (about.st_mode & S_IXGRP) != 0;
  return (about.st_mode & S_IXOTH) != 0;
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

std::string front_user(std::string const& configured) {
  if (!configured.empty()) return configured;
  return is_user("portherd") ? "portherd" : "nobody";
}

std::optional<Identity> identity_of(std::string const& user) {
  Identity who;
  gid_t group = 0;
  bool const is_there = is_found([&](std::vector<char>& buffer) {
    passwd entry{};
    passwd* found = nullptr;
    int const error = ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
    who.uid = entry.pw_uid;
    group = entry.pw_gid;
    return std::pair(error, found != nullptr);
  });
  if (!is_there) return std::nullopt;
  int count = 64;
  who.groups.resize(64);
  while (::getgrouplist(user.c_str(), group, who.groups.data(), &count) < 0) {
    who.groups.resize(static_cast<std::size_t>(count));
  }
  who.groups.resize(static_cast<std::size_t>(count));
  return who;
}

std::string closed_folder(std::string const& folder, Identity const& who) {
  if (who.uid == 0) return {};
  std::error_code ignored;
  std::filesystem::path reached;
  for (std::filesystem::path const& part : std::filesystem::canonical(folder, ignored)) {
    reached /= part;
    if (!may_enter(reached.string(), who)) return reached.string();
  }
  return {};
}

}  // namespace conf
