#include "runtime/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace runtime {
namespace {

// A set holds 64 of them, by two times 32.
using Set = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

bool get(Set& set) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  return ::syscall(SYS_capget, &header, set.data()) == 0;
}

bool put(const Set& set) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  return ::syscall(SYS_capset, &header, set.data()) == 0;
}

std::uint32_t bit(unsigned capability) { return CAP_TO_MASK(capability); }

}  // namespace

// What is not in the bounding set cannot become inheritable, so this one does before that is emptied; and what is to outlive the
// exec has to be inheritable (ambient). Who is not root has none to be kept from.
void take_capability_along(unsigned capability) {
  Set set{};
  if (get(set)) {
    __user_cap_data_struct& half = set[CAP_TO_INDEX(capability)];
    half.inheritable |= bit(capability) & half.permitted;
    put(set);
  }
  ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

void keep_capability(unsigned capability) {
  Set set{};
  if (!get(set)) return;
  const __user_cap_data_struct& half = set[CAP_TO_INDEX(capability)];
  const std::uint32_t kept = bit(capability) & half.permitted & half.inheritable;
  Set only{};
  only[CAP_TO_INDEX(capability)] = {.effective = kept, .permitted = kept, .inheritable = kept};
  if (put(only) && kept != 0) ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, static_cast<unsigned long>(capability), 0, 0);
}

// EINVAL: past the last one.
void empty_bounding_set() {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

bool give_up_capabilities() { return put({}); }

}  // namespace runtime
