// Who a process is to be: users and groups looked up before any fork. Becoming one is spawn.h's.
#pragma once
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conf/settings.h"
#include "runtime/result.h"

namespace supervisor {

struct Account {
  std::string name, home;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary
};

bool is_root();

/// Raises our limit of descriptors to the hard one, each worker takes some. The soft limit that was, which
/// workers get: programs that use select(2) break on a number past 1023.
rlim_t raise_descriptor_limit();

/// What a process may no longer do, as proc_pid_status(5) and proc_pid_root(5) have it.
struct Restraints {
  bool no_new_privs = false;
  int seccomp = 0;                  ///< 2: its system calls are filtered
  std::uint64_t capabilities = ~std::uint64_t{0};  ///< those that it has, or could have: permitted and inheritable
  std::string root;                 ///< where its "/" is; empty: not ours to know
};
/// Empty: there is no such process, or its status cannot be read.
std::optional<Restraints> restraints_of(pid_t pid);

/// Us, as we are.
Account own_account();

/// `user` with its groups; `group` (may be empty) instead of its own.
runtime::Result<Account> find_account(const std::string& user, const std::string& group = {});
runtime::Result<gid_t> find_group(const std::string& group);

/// The front's: as root `front.user`, else `portherd` if that exists, else `nobody`; not root: us.
runtime::Result<Account> front_account(const conf::Front& front);
/// The workers' of an app: as root its `user` and `group`; not root: us.
runtime::Result<Account> app_account(const conf::App& app);

}  // namespace supervisor
