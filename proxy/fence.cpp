#include "proxy/fence.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "proxy/system_calls.h"
#include "proxy/tls_context.h"
#include "runtime/landlock.h"
#include "runtime/signposts.h"

namespace proxy {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Land;
using runtime::Result;

// Libraries that read a file when they are first asked for something.
void read_what_is_read_late() {
  ::tzset();
  begin_tls();
}

Result<void> give_up_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::syscall(SYS_capset, &header, &none) == 0) return {};
  return fail(Code::kSystem, "capabilities cannot be given up", errno);
}

Fd open_folder(const std::string& path) { return Fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)); }

std::vector<Land> lands_of(const Fence& fence) {
  std::vector<Land> lands;
  const auto add = [&lands](Fd folder, Land::Use use) {
    if (folder) lands.push_back({std::move(folder), use});
  };
  for (const std::string& path : fence.readable) add(open_folder(path), Land::Use::kRead);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  add(open_folder("/proc"), Land::Use::kRead);
#endif
  if (fence.spool >= 0) add(runtime::duplicate(fence.spool), Land::Use::kWrite);
  return lands;
}

Result<void> enter_landlock(const Fence& fence) {
  if (runtime::landlock_version() == 0) return fail(Code::kSystem, "this kernel has no Landlock");
  return runtime::enter_landlock(lands_of(fence), fence.may_connect);
}

bool holds_too_much(const std::string& folder) { return std::ranges::count(folder, '/') < 2; }

}  // namespace

std::vector<std::string> readable_for(const conf::Settings& settings) {
  std::vector<std::string> found;
  for (const conf::App& app : settings.apps) {
    for (const conf::Route& route : app.routes) {
      if (route.files.empty()) continue;
      for (const auto& [folder, name] : runtime::signposts(route.files))
        found.push_back(holds_too_much(folder) ? (folder == "/" ? "/" : folder + "/") + name : folder);
    }
  }
  std::ranges::sort(found);
  found.erase(std::ranges::unique(found).begin(), found.end());
  return found;
}

// The filter comes last: it lets none of the others through.
std::vector<std::string> enter(const Fence& fence) {
  read_what_is_read_late();
  std::vector<std::string> missing;
  for (const Result<void>& step :
       {give_up_capabilities(), enter_landlock(fence), filter_system_calls(fence.may_connect)}) {
    if (!step) missing.push_back(step.error().text());
  }
  return missing;
}

}  // namespace proxy
