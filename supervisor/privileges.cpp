#include "supervisor/privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "conf/accounts.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Result;

constexpr std::size_t kLargestEntry = std::size_t{1} << 20;

// Calls look(entry, buffer, found), one of the getXXX_r family, with room enough.
template <class Entry, class Look, class Take>
auto look_up(Look look, Take take) -> std::optional<decltype(take(std::declval<Entry&>()))> {
  for (std::vector<char> buffer(4096); buffer.size() <= kLargestEntry; buffer.resize(buffer.size() * 2)) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = look(entry, buffer, found);
    if (error == ERANGE) continue;
    if (found == nullptr) return std::nullopt;
    return take(*found);
  }
  return std::nullopt;
}

Account to_account(passwd& entry) {
  return {entry.pw_name, entry.pw_dir, entry.pw_uid, entry.pw_gid, {}};
}

std::vector<gid_t> groups_of(const Account& account) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  while (::getgrouplist(account.name.c_str(), account.gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

}  // namespace

bool is_root() {
  return ::geteuid() == 0;
}

rlim_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return before;
}

std::optional<Restraints> restraints_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  Restraints found{.capabilities = 0};
  bool is_complete = false;
  for (std::string name, value; file >> name && std::getline(file, value);) {
    if (name == "CapInh:" || name == "CapPrm:") found.capabilities |= std::strtoull(value.c_str(), nullptr, 16);
    if (name == "NoNewPrivs:") found.no_new_privs = std::strtol(value.c_str(), nullptr, 10) == 1;
    if (name != "Seccomp:") continue;
    found.seccomp = static_cast<int>(std::strtol(value.c_str(), nullptr, 10));
    is_complete = true;
  }
  std::error_code why_not;
  found.root = std::filesystem::read_symlink(fmt::format("/proc/{}/root", pid), why_not).string();
  return is_complete ? std::optional(found) : std::nullopt;
}

Account own_account() {
  const auto found = look_up<passwd>(
      [](passwd& entry, std::vector<char>& buffer, passwd*& at) {
        return ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &at);
      },
      to_account);
  // A container may run us under a number that has no name.
  Account account = found.value_or(Account{std::to_string(::geteuid()), "/", ::geteuid(), ::getegid(), {}});
  account.gid = ::getegid();
  return account;
}

Result<gid_t> find_group(const std::string& group) {
  const auto found = look_up<::group>(
      [&](::group& entry, std::vector<char>& buffer, ::group*& at) {
        return ::getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &at);
      },
      [](::group& entry) { return entry.gr_gid; });
  if (!found) return fail(Code::kConfig, fmt::format("no group {} on this machine", group));
  return *found;
}

Result<Account> find_account(const std::string& user, const std::string& group) {
  auto found = look_up<passwd>(
      [&](passwd& entry, std::vector<char>& buffer, passwd*& at) {
        return ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &at);
      },
      to_account);
  if (!found) return fail(Code::kConfig, fmt::format("no user {} on this machine", user));
  if (!group.empty()) {
    TRY(const gid_t gid, find_group(group));
    found->gid = gid;
  }
  found->groups = groups_of(*found);
  return std::move(*found);
}

Result<Account> front_account(const conf::Front& front) {
  if (!is_root()) return own_account();
  return find_account(conf::front_user(front.user));
}

Result<Account> app_account(const conf::App& app) {
  if (!is_root()) return own_account();
  return find_account(app.user.empty() ? "root" : app.user, app.group);
}

}  // namespace supervisor
