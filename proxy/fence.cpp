#include "proxy/fence.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "proxy/system_calls.h"
#include "proxy/tls_context.h"
#include "runtime/capabilities.h"
#include "runtime/landlock.h"

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

// For Landlock and for the filter, which anybody may have who can gain nothing.
void gain_no_privileges() { ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

Fd open_folder(const std::string& path) { return Fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)); }

std::vector<Land> lands_of(const Fence& fence) {
  std::vector<Land> lands;
  const auto add = [&lands](Fd folder, Land::Use use) {
    if (folder) lands.push_back({std::move(folder), use});
  };
  for (const std::string& path : fence.readable) add(open_folder(path), Land::Use::kRead);
  if (kIsSanitized) add(open_folder("/proc"), Land::Use::kRead);
  if (fence.spool >= 0) add(runtime::duplicate(fence.spool), Land::Use::kWrite);
  return lands;
}

Result<void> enter_landlock(const Fence& fence, int& version) {
  const int offered = runtime::landlock_version();
  if (offered == 0) return fail(Code::kSystem, "this kernel has no Landlock, or the container's profile refuses it");
  TRY_VOID(runtime::enter_landlock(lands_of(fence), fence.has_ports));
  version = offered;
  return {};
}

// Who connects to a Unix socket is not asked by Landlock. But a name leads to those in this folder alone if it is the root; files
// are named from the root that was (Site::root). A sanitizer reads /proc. Who was not started by root has no right to it, and needs none said.
Result<void> change_root(const Fence& fence) {
  if (fence.has_sockets || kIsSanitized) return {};
  if (::chroot(".") == 0 || (errno == EPERM && !fence.is_from_root)) return {};
  return fail(Code::kSystem, "the root cannot be changed", errno);
}

Result<void> give_up_capabilities() {
  if (runtime::give_up_capabilities()) return {};
  return fail(Code::kSystem, "capabilities cannot be given up", errno);
}

}  // namespace

// Each step takes what the next ones do not need; the filter comes last, for it lets none of the others through.
Entered enter(const Fence& fence) {
  read_what_is_read_late();
  gain_no_privileges();
  Entered entered;
  for (const Result<void>& step : {enter_landlock(fence, entered.landlock), change_root(fence), give_up_capabilities(),
                                   filter_system_calls(fence.has_ports)}) {
    if (!step) entered.missing.push_back(step.error().text());
  }
  return entered;
}

}  // namespace proxy
