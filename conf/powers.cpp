#include "conf/powers.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "conf/fault.h"
#include "conf/rlimits.h"

namespace conf {
namespace {

constexpr int kFirst = -20;  // setpriority(2)

// Descriptors have a bound of their own, whoever asks.
std::uint64_t top_of(Resource const& resource) {
  std::uint64_t top = kNoLimit;
  if (resource.number == RLIMIT_NOFILE) std::ifstream("/proc/sys/fs/nr_open") >> top;
  return top;
}

std::uint64_t most_of(Resource const& resource) {
  auto const which = static_cast<__rlimit_resource>(resource.number);
  rlimit own{};
  ::getrlimit(which, &own);
  std::uint64_t const top = top_of(resource);
  if (own.rlim_max >= top) return top;
  rlimit const tried{.rlim_cur = own.rlim_cur, .rlim_max = top};
  if (::setrlimit(which, &tried) != 0) return own.rlim_max;
  ::setrlimit(which, &own);  // downwards: nobody needs a right for that
  return top;
}

// RLIMIT_NICE is 20 - the least niceness (getrlimit(2)).
int least_nice() {
  int const own = ::getpriority(PRIO_PROCESS, 0);
  if (::setpriority(PRIO_PROCESS, 0, kFirst) == 0) {
    ::setpriority(PRIO_PROCESS, 0, own);
    return kFirst;
  }
  rlimit allowed{};
  ::getrlimit(RLIMIT_NICE, &allowed);
  return std::min(own, 20 - static_cast<int>(std::min<rlim_t>(allowed.rlim_cur, 40)));
}

std::string too_much(Resource const& resource, std::uint64_t wanted, std::uint64_t most) {
  std::string of_systemd(resource.name);
  for (char& c : of_systemd) c = static_cast<char>(c - 'a' + 'A');
  return fmt::format("`{}` is {}, and {} is the most that can be given here: raise our own hard limit (`ulimit -H`; Limit{}= of a systemd unit)",
                     resource.name, write_limit(resource, wanted), write_limit(resource, most), of_systemd);
}

bool is_root_itself(App const& process, Powers const& powers) {
  return powers.is_root && (process.user.empty() || process.user == "root");
}

}  // namespace

Powers own_powers() {
  Powers powers{.is_root = ::geteuid() == 0, .user = {}, .group = {}, .most = {}, .least_nice = least_nice()};
  if (passwd const* const user = ::getpwuid(::geteuid())) powers.user = user->pw_name;
  if (group const* const own = ::getgrgid(::getegid())) powers.group = own->gr_name;
  for (Resource const& resource : resources()) powers.most.emplace(resource.name, most_of(resource));
  return powers;
}

std::vector<Withheld> withheld(App const& process, Powers const& powers) {
  std::vector<Withheld> all;
  auto const only_root = [&](std::string_view key, std::string const& wanted, std::string const& own) {
    if (powers.is_root || wanted.empty() || wanted == own) return;
    all.push_back({std::string(key), fmt::format("`{}` is {}, and only root can become another than {}", key, in_quotes(wanted), in_quotes(own))});
  };
  only_root("user", process.user, powers.user);
  only_root("group", process.group, powers.group);
  for (auto const& [name, limit] : process.rlimits) {
    std::uint64_t const most = powers.most.at(name);
    if (limit.hard > most) all.push_back({"rlimits", too_much(*resource_named(name), limit.hard, most)});
  }
  if (process.rlimits.contains("nproc") && is_root_itself(process, powers)) {
    all.push_back({"rlimits", "`nproc` does not hold for root: give it a `user` of its own, or `pids_max`"});
  }
  if (process.nice && process.nice->number < powers.least_nice) {
    all.push_back({"nice", fmt::format("`nice` is {}, and {} is the least that can be given here: it takes root's CAP_SYS_NICE", process.nice->number,
                                       powers.least_nice)});
  }
  return all;
}

Rlimits given_rlimits(App const& process, Powers const& powers) {
  Rlimits given = process.rlimits;
  for (auto& [name, limit] : given) {
    // The kernel says XCPU at the soft limit of `cpu`, and KILL, which tells nobody why, at the hard one.
    if (name == "cpu" && limit.soft == limit.hard && limit.hard != kNoLimit) ++limit.hard;
    limit.hard = std::min(limit.hard, powers.most.at(name));
    limit.soft = std::min(limit.soft, limit.hard);
  }
  return given;
}

std::optional<Nice> given_nice(App const& process, Powers const& powers) {
  if (!process.nice) return std::nullopt;
  return Nice{std::max(process.nice->number, powers.least_nice)};
}

}  // namespace conf
